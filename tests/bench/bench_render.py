#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ray marcher against VTK's volume mappers, in turn, on one field with one camera and one transfer function.

    xvfb-run -a tests/bench/bench_render.py build/release/tests/bench/bench_render [FRAMES [ROUNDS]]

Prints one line a figure: frame times on two threads, unshaded (VTK's fixed-point mapper) and shaded (its GPU mapper, on whatever
draws OpenGL here), their ratios, resident memory, and how far both pictures are from 4096 steps a ray in double. Needs Debian's
python3-vtk9; says so where it is absent, and then measures the ray marcher alone.
"""
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

NX, NY, NZ, WIDTH, HEIGHT, TOP, RISE = 512, 512, 64, 1280, 720, 4095.0, 2.0
COLOURS = ((0, 0, 0, 0.6), (0.5, 1, 1, 1), (1, 1, 0, 0))
OPACITIES = ((0, 0), (0.25, 0), (0.6, 0.05), (1, 0.4))


def vtk_volume(vtk, field, mapper, shade):
    import numpy as np
    from vtkmodules.util.numpy_support import numpy_to_vtk
    image = vtk.vtkImageData()
    image.SetDimensions(NX, NY, NZ)
    image.SetSpacing(1, 1, RISE)
    image.SetOrigin(-(NX - 1) / 2, -(NY - 1) / 2, 0)
    image.GetPointData().SetScalars(numpy_to_vtk(np.fromfile(field, "u2"), deep=True))
    mapper.SetInputData(image)
    mapper.SetAutoAdjustSampleDistances(0)
    mapper.SetSampleDistance(1.0)
    mapper.SetImageSampleDistance(1.0)
    if hasattr(mapper, "SetNumberOfThreads"):
        mapper.SetNumberOfThreads(2)
        mapper.SetInteractiveSampleDistance(1.0)
    look = vtk.vtkVolumeProperty()
    colour, opacity = vtk.vtkColorTransferFunction(), vtk.vtkPiecewiseFunction()
    for at, *rgb in COLOURS:
        colour.AddRGBPoint(at * TOP, *rgb)
    for at, share in OPACITIES:
        opacity.AddPoint(at * TOP, share)
    look.SetColor(colour)
    look.SetScalarOpacity(opacity)
    look.SetScalarOpacityUnitDistance(1.0)
    look.SetInterpolationTypeToLinear()
    look.SetShade(shade)
    volume = vtk.vtkVolume()
    volume.SetMapper(mapper)
    volume.SetProperty(look)
    return volume


def vtk_frames(field, which, frames, shade, picture):
    """Times in ms, the first one apart; the last picture is taken where the first was."""
    import time
    import resource
    import numpy as np
    import vtk
    from vtkmodules.util.numpy_support import vtk_to_numpy
    mapper = vtk.vtkFixedPointVolumeRayCastMapper() if which == "fixed" else vtk.vtkGPUVolumeRayCastMapper()
    renderer, window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
    renderer.AddVolume(vtk_volume(vtk, field, mapper, shade))
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(WIDTH, HEIGHT)
    window.AddRenderer(renderer)
    renderer.ResetCamera()
    camera = renderer.GetActiveCamera()
    camera.Elevation(-55)
    camera.Zoom(1.5)
    times, worked = [], 0
    for n in range(frames + 1):
        renderer.ResetCameraClippingRange()
        start = time.perf_counter()
        window.Render()
        window.WaitForCompletion()
        times.append(1e3 * (time.perf_counter() - start))
        if n == 0:
            worked = time.process_time()
        if n < frames:
            camera.Azimuth(360 / frames)
    worked = 1e3 * (time.process_time() - worked) / frames
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.Update()
    rgb = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(HEIGHT, WIDTH, -1)[::-1, :, :3]
    pathlib.Path(picture).write_bytes(rgb.tobytes())
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"vtk {which} {'shaded' if shade else 'unshaded'}: first {times[0]:.0f} ms, median {np.median(times[1:]):.1f} ms, "
          f"p95 {np.percentile(times[1:], 95):.1f} ms, {worked:.1f} ms of processor time, {rss} MB")


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout.strip(), flush=True)
    return done.stdout


def median_of(text):
    return float(re.search(r"median ([\d.]+) ms", text)[1])


def main(program, frames=20, rounds=3):
    mappers = ("fixed", "gpu") if importlib.util.find_spec("vtk") else (None, None)
    if not mappers[0]:
        print("python3-vtk9 is not installed: the ray marcher alone")
    with tempfile.TemporaryDirectory() as folder:
        field, ours, theirs = (pathlib.Path(folder) / name for name in ("field", "ours", "theirs"))
        run(program, "field", field)
        # Steps of one voxel, as VTK's; those of a full picture of the program; and shaded.
        for name, mapper, step, shade in (("unshaded", mappers[0], "1", []), ("unshaded, in a picture's own steps of 1.35 voxels", mappers[0], "1.35", []),
                                          ("shaded", mappers[1], "1", ["shade"])):
            ratios = []
            for _ in range(int(rounds)):
                mine = run(program, "frame", frames, *shade, ours, step)
                if mapper:
                    other = run(sys.executable, __file__, "vtk", field, mapper, frames, len(shade), theirs)
                    ratios.append(median_of(other) / median_of(mine))
            if ratios:
                print(f"virga is {sorted(ratios)[len(ratios) // 2]:.2f} times as fast as VTK's {mapper} mapper, "
                      f"{name} (rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)})", flush=True)
            for who, picture in (("virga", ours), ("vtk", theirs)):
                if not shade and picture.exists():
                    print(who, "against the reference: ", end="", flush=True)
                    run(program, "psnr", picture)


if __name__ == "__main__":
    if len(sys.argv) == 7 and sys.argv[1] == "vtk":
        vtk_frames(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5] == "1", sys.argv[6])
    elif 2 <= len(sys.argv) <= 4:
        main(*sys.argv[1:])
    else:
        sys.exit(__doc__)
