# SPDX-License-Identifier: Apache-2.0
"""`virga export`: what comes out for each option, that it comes out the same again, and what is said where it cannot be."""
import copy
import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios

import netCDF4
import numpy
import pytest

import make_files
import png
from conftest import clean_environment, wait_until

CLOUD = "cloud_area_fraction_in_atmosphere_layer"
SMALL = ("--size", "96x54")


@pytest.fixture
def dataset(run, demo_forecast):
    return json.loads(run("info", "--json", demo_forecast).stdout)["datasets"][0]


@pytest.fixture
def view(dataset):
    """A view without coastlines, which need the page's packages."""
    return {"version": 1, "dataset": dataset["id"], "layers": [{"variable": CLOUD}], "map": {"coastlines": False},
            "captions": {"attribution": "© Test — ß"}}


@pytest.fixture
def export(run, demo_forecast, view, tmp_path):
    """export("--out", …, view=…) runs it on the demonstration in tmp_path; fails where the status is another than expected."""
    def call(*arguments, view=view, status=0, size=SMALL, paths=(demo_forecast,), **more):
        file = tmp_path / "view.json"
        file.write_text(view if isinstance(view, str) else json.dumps(view))
        done = run("export", file, *size, *arguments, *paths, **more)
        assert done.returncode == status, done.stderr
        return done
    return call


def names(folder):
    return sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))


def contents(folder):
    return {name: (folder / name).read_bytes() for name in names(folder) if name != "view.json"}


def events(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_without_the_pages_packages(export, view, tmp_path):
    """Coastlines that are not installed are named, with what to do; who wants none needs none."""
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html>")
    export("--out", "a.png", "--web-root", str(page))
    assert (tmp_path / "a.png").exists()
    done = export("--out", "b.png", "--web-root", str(page), view={**view, "map": {"coastlines": True}}, status=1)
    assert "countries-" in done.stderr and "npm ci" in done.stderr and "map.coastlines" in done.stderr
    assert not (tmp_path / "b.png").exists()


def test_a_single_picture(export, tmp_path):
    done = export("--out", "picture.png")
    image = png.read(tmp_path / "picture.png")
    assert (image.width, image.height, image.channels) == (96, 54, 3)
    assert image.pixels.std() > 5
    assert done.stdout == "" and "picture.png" in done.stderr
    before = (tmp_path / "picture.png").stat()
    assert "there already" in export("--out", "picture.png").stderr
    after = (tmp_path / "picture.png").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_without_a_size_it_is_1280_by_720(export, tmp_path, view):
    view["antialiasing"] = 1
    export("--out", "picture.png", size=(), view=view)
    image = png.read(tmp_path / "picture.png")
    assert (image.width, image.height) == (1280, 720)
    assert json.loads(image.texts["virga:view"])["size"] == [1280, 720]


def test_a_sequence_is_finished_once(export, tmp_path):
    frames = tmp_path / "new" / "frames"
    export("--times", "all", "--out", frames / "%04d.png")
    assert names(frames) == ["0000.png", "0001.png", "0002.png", "0003.png"]
    images = [png.read(frames / name).pixels for name in names(frames)]
    assert all((a != b).any() for a, b in zip(images, images[1:]))
    before = {name: (frames / name).stat().st_mtime_ns for name in names(frames)}
    done = export("--times", "all", "--out", frames / "%04d.png")
    assert "all 4 frames are there" in done.stderr
    assert before == {name: (frames / name).stat().st_mtime_ns for name in names(frames)}


def test_a_missing_frame_is_made_again_and_nothing_else(export, tmp_path):
    frames = tmp_path / "frames"
    export("--times", "all", "--out", frames / "%d.png")
    whole = contents(frames)
    (frames / "2.png").unlink()
    (frames / ".2.png.0badcafe.virga-part").write_bytes(b"half")
    told = events(export("--times", "all", "--out", frames / "%d.png", "--progress", "json"))
    assert [event["event"] for event in told] == ["begin", "frame", "done"]
    assert told[0] == {"event": "begin", "frames": 4, "done": 3, "size": [96, 54], "out": str(frames / "%d.png")}
    assert told[1] == {"event": "frame", "frame": 2, "file": "2.png", "bytes": len(whole["2.png"])}
    assert told[2]["frames"] == 4 and told[2]["written"] == 1 and told[2]["seconds"] > 0
    assert contents(frames) == whole
    assert [entry.name for entry in frames.iterdir() if entry.name.startswith(".")] == [".%d.png.virga-export"]


def test_the_same_bytes_with_any_number_of_threads(export, tmp_path):
    for threads in ("1", "3"):
        export("--times", "T+0,T+2", "--out", tmp_path / threads / "%d.png", "--threads", threads)
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_in_the_background_it_gives_way(virga, view, demo_forecast, tmp_path):
    (tmp_path / "view.json").write_text(json.dumps(view))
    command = [virga, "export", "view.json", str(demo_forecast), "--out", "%d.png", "--background", "--progress", "json"]
    process = subprocess.Popen(command, cwd=tmp_path, env=clean_environment(tmp_path), stdout=subprocess.DEVNULL)
    try:  # it may be long until it gets any time, so its end is not waited for
        wait_until(lambda: os.sched_getscheduler(process.pid) == os.SCHED_IDLE or os.getpriority(os.PRIO_PROCESS, process.pid) == 19)
    finally:
        process.kill()
        process.wait()


def test_the_file_says_what_it_shows(export, tmp_path, dataset, view):
    view["captions"]["title"] = "Wölkchen"
    export("--times", "T+1/T+3/2", "--out", "%d.png", view=view)
    image = png.read(tmp_path / "1.png")
    assert set(image.texts) == {"Title", "Software", "virga:run", "virga:valid", "virga:view"}
    assert "tIME" not in image.chunks
    run_time = dataset["runs"][-1]["time"]
    assert image.texts["Title"] == "Wölkchen" and re.fullmatch(r"virga \d+\.\d+\.\d+", image.texts["Software"])
    assert image.texts["virga:run"] == run_time and image.texts["virga:valid"] == run_time.replace("06:00", "09:00")
    shown = json.loads(image.texts["virga:view"])
    assert shown["run"] == run_time and shown["time"] == image.texts["virga:valid"] and "sequence" not in shown
    assert shown["captions"] == view["captions"] and shown["layers"] == view["layers"]
    assert set(shown["camera"]) == {"mode", "eye", "target", "up", "fov"}


def test_a_frame_is_made_again_from_what_its_file_says(export, tmp_path):
    export("--times", "T+0/T+2", "--fps", "7", "--rate", "3", "--orbit", "77", "--out", tmp_path / "film" / "%02d.png")
    whole = contents(tmp_path / "film")
    assert len(whole) == 5
    for name in whole:
        text = png.read(tmp_path / "film" / name).texts["virga:view"]
        export("--out", f"again-{name}", size=(), view=text)
        assert (tmp_path / f"again-{name}").read_bytes() == whole[name], name


def test_a_film_blends_between_steps(export, tmp_path):
    bare = ("--no-captions",)
    export("--times", "T+1,T+2", *bare, "--out", tmp_path / "steps" / "%d.png")
    export("--times", "T+1/T+2", "--fps", "8", *bare, "--out", tmp_path / "film" / "%d.png")
    film = [png.read(tmp_path / "film" / name).pixels.astype(int) for name in names(tmp_path / "film")]
    steps = [png.read(tmp_path / "steps" / name).pixels.astype(int) for name in names(tmp_path / "steps")]
    assert len(film) == 3
    assert (film[0] == steps[0]).all() and (film[2] == steps[1]).all()
    whole = abs(steps[0] - steps[1]).mean()
    assert 0.2 * whole < abs(film[1] - film[0]).mean() < whole and 0.2 * whole < abs(film[1] - film[2]).mean() < whole
    text = png.read(tmp_path / "film" / "1.png").texts
    assert text["virga:valid"].endswith("07:30:00Z")
    shown = json.loads(text["virga:view"])
    assert shown["time"].endswith("07:00:00Z") and shown["sequence"] == {"times": [text["virga:valid"]], "fps": 8}


def test_an_orbit_goes_around_the_target(export, tmp_path):
    export("--frames", "4", "--orbit", "360", "--out", "%d.png")
    cameras = [json.loads(png.read(tmp_path / f"{i}.png").texts["virga:view"])["camera"] for i in range(4)]
    arms = [numpy.subtract(camera["eye"], camera["target"]) for camera in cameras]
    assert all(camera["target"] == cameras[0]["target"] for camera in cameras)
    for i in range(4):
        x, y, z = arms[0]
        turned = [(x, y, z), (-y, x, z), (-x, -y, z), (y, -x, z)][i]
        assert numpy.allclose(arms[i], turned, rtol=1e-8, atol=1e-6)
    export("--out", "still.png")
    assert (png.read(tmp_path / "still.png").pixels == png.read(tmp_path / "0.png").pixels).all()


def test_a_camera_goes_through_its_keys(export, tmp_path):
    keys = [{"time": "T+0", "eye": [0, -2000, 60], "target": [0, 0, 1]}, {"frame": 3, "eye": [500, -1000, 30], "target": [0, 0, 1], "fov": 50}]
    (tmp_path / "path.json").write_text(json.dumps(keys))
    export("--times", "all", "--camera-path", tmp_path / "path.json", "--out", "%d.png")
    cameras = [json.loads(png.read(tmp_path / f"{i}.png").texts["virga:view"])["camera"] for i in range(4)]
    assert cameras[0]["eye"] == [0, -2000, 60] and cameras[3]["eye"] == [500, -1000, 30] and cameras[3]["fov"] == 50
    assert numpy.allclose(cameras[1]["eye"], [500 / 3, -5000 / 3, 50]) and numpy.isclose(cameras[1]["fov"], 40 + 10 / 3)
    (tmp_path / "path.json").write_text('[{"frame": 0, "eye": [0, 0, 1], "target": [0, 0]}]')
    assert "sequence.camera_path[0].target: expected 3 entries" in export("--camera-path", tmp_path / "path.json", "--out", "x.png", status=2).stderr
    (tmp_path / "path.json").write_text('[{"frame": 0,')
    assert "--camera-path: " in export("--camera-path", tmp_path / "path.json", "--out", "x.png", status=2).stderr
    assert "No such file" in export("--camera-path", "nowhere.json", "--out", "x.png", status=2).stderr


def test_the_document_has_its_sequence_and_flags_override_it(export, tmp_path, view):
    view["sequence"] = {"times": {"from": "T+0", "to": "T+3", "every": 3}, "format": "jpeg", "quality": 30}
    export("--out", tmp_path / "a" / "%d.jpg", view=view)
    export("--out", tmp_path / "b" / "%d.jpg", "--times", "T+0", "--quality", "95", view=view)
    assert names(tmp_path / "a") == ["0.jpg", "1.jpg"] and names(tmp_path / "b") == ["0.jpg"]
    assert (tmp_path / "b" / "0.jpg").stat().st_size > (tmp_path / "a" / "0.jpg").stat().st_size
    view["sequence"] = {"times": "never"}
    assert 'sequence.times: expected "all", a list of times, or from and to' in export("--out", "x.png", "--times", "all", view=view, status=2).stderr


def jpeg_segments(data):
    """Markers and bodies up to the start of the scan."""
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    at = 2
    while data[at + 1] != 0xDA:
        length = struct.unpack_from(">H", data, at + 2)[0]
        yield data[at + 1], data[at + 4:at + 2 + length]
        at += 2 + length


def test_jpeg(export, tmp_path):
    export("--out", "p.JPG")
    export("--out", "plain", "--format", "jpeg")
    assert (tmp_path / "p.JPG").read_bytes() == (tmp_path / "plain").read_bytes()
    segments = list(jpeg_segments((tmp_path / "plain").read_bytes()))
    frame = next(body for marker, body in segments if marker in (0xC0, 0xC2))
    assert struct.unpack_from(">BHH", frame) == (8, 54, 96)
    assert any(marker == 0xFE and b"virga:view" in body for marker, body in segments)


def test_a_transparent_picture_has_alpha(export, tmp_path, view):
    view["map"] = {"coastlines": False, "terrain": False, "graticule": False, "height_axis": False}
    export("--transparent", "--no-captions", "--out", "p.png", view=view)
    image = png.read(tmp_path / "p.png")
    alpha = image.pixels[:, :, 3]
    assert image.channels == 4 and (alpha == 0).mean() > 0.2 and (alpha > 128).any()
    assert "transparent: a JPEG cannot be" in export("--transparent", "--out", "p.jpg", status=2).stderr


def test_captions(export, tmp_path):
    large = ("--size", "480x270")
    cases = {"bare": ["--no-captions"], "made": [], "titled": ["--title", "Another title"], "whose": ["--attribution", ""], "none": ["--title", ""]}
    for name, flags in cases.items():
        export("--out", f"{name}.png", *flags, size=large)
    shown = {name: png.read(tmp_path / f"{name}.png").pixels.tobytes() for name in cases}
    assert len(set(shown.values())) == 5
    assert png.read(tmp_path / "titled.png").texts["Title"] == "Another title"


def test_a_member_is_named_by_its_label(export, run, tmp_path):
    path = make_files.ensemble(tmp_path / "members.nc")
    with netCDF4.Dataset(path, "a") as file:
        file["realization"][:] = [3, 1, 12]
    shown = json.loads(run("view", path).stdout)
    shown["map"] = {"coastlines": False}
    for number, label in enumerate(("3", "1", "12")):
        export("--out", f"label-{label}.png", "--member", label, view=shown, paths=(path,))
        export("--out", f"number-{number}.png", view={**shown, "member": number}, paths=(path,))
        assert (tmp_path / f"label-{label}.png").read_bytes() == (tmp_path / f"number-{number}.png").read_bytes()
        assert json.loads(png.read(tmp_path / f"label-{label}.png").texts["virga:view"])["member"] == number
    for label in ("0", "2", ""):
        assert "there is no member" in export("--out", "x.png", "--member", label, view=shown, paths=(path,), status=1).stderr


def test_other_options_of_the_view(export, tmp_path, dataset):
    export("--out", "latest.png")
    export("--out", "first.png", "--run", dataset["runs"][0]["time"], "--antialiasing", "1")
    assert png.read(tmp_path / "first.png").texts["virga:run"] == dataset["runs"][0]["time"]
    assert json.loads(png.read(tmp_path / "first.png").texts["virga:view"])["antialiasing"] == 1
    assert "run" in export("--out", "x.png", "--run", "2001-01-01T00:00:00Z", status=1).stderr
    assert "there is no member 7" in export("--out", "x.png", "--member", "7", status=1).stderr
    assert "antialiasing: expected a whole number from 1 to 4" in export("--out", "x.png", "--antialiasing", "9", status=2).stderr
    assert "size[0]: expected a whole number from 16 to 16384" in export("--out", "x.png", size=("--size", "20000x10"), status=2).stderr


def test_the_view_may_come_from_standard_input_and_the_paths_from_the_configuration(run, view, demo_forecast, tmp_path):
    (tmp_path / "virga.ini").write_text(f"paths = {demo_forecast}\n")
    done = run("export", "--config", tmp_path / "virga.ini", "--out", "p.png", *SMALL, "--", "-", input=json.dumps(view))
    assert done.returncode == 0 and (tmp_path / "p.png").exists(), done.stderr
    done = run("export", "-", "--out", "q.png", input=json.dumps(view))
    assert done.returncode == 2 and "name the forecast's files" in done.stderr


def test_another_export_in_the_folder_is_refused(export, tmp_path, view):
    export("--times", "all", "--out", "%d.png")
    whole = contents(tmp_path)
    other = copy.deepcopy(view)
    other["exaggeration"] = 3
    assert 'shows another view (its "exaggeration" differs)' in export("--times", "all", "--out", "%d.png", view=other, status=1).stderr
    assert contents(tmp_path) == whole
    export("--times", "T+0,T+1", "--out", "%d.png", "--overwrite", view=other)
    assert [name for name in names(tmp_path) if name.endswith(".png")] == ["0.png", "1.png"]
    assert (tmp_path / "0.png").read_bytes() != whole["0.png"]
    (tmp_path / "own.png").write_text("mine")
    assert "own.png is there already and of no export" in export("--out", "own.png", status=1).stderr
    assert (tmp_path / "own.png").read_text() == "mine"


def test_what_was_begun_stays_with_its_run(run, view, demo_forecast, tmp_path):
    first, second = sorted(demo_forecast.glob("*.nc"))
    forecast = tmp_path / "forecast"
    forecast.mkdir()
    shutil.copy(first, forecast)
    view["dataset"] = json.loads(run("info", "--json", forecast).stdout)["datasets"][0]["id"]
    (tmp_path / "view.json").write_text(json.dumps(view))
    command = ("export", "view.json", forecast, *SMALL, "--times", "all", "--out", tmp_path / "frames" / "%d.png")
    assert run(*command).returncode == 0
    whole = contents(tmp_path / "frames")
    (tmp_path / "frames" / "2.png").unlink()
    shutil.copy(second, forecast)
    assert run(*command).returncode == 0
    assert contents(tmp_path / "frames") == whole
    done = run(*command)
    assert done.returncode == 1 and "has all frames of the run 2026-04-18T00:00:00Z, and a later one has come" in done.stderr
    assert run(*command, "--overwrite").returncode == 0
    assert png.read(tmp_path / "frames" / "2.png").texts["virga:run"] == "2026-04-18T06:00:00Z"


def test_a_film_may_not_be_endless(export):
    assert "frames are more than 100000" in export("--times", "all", "--fps", "240", "--rate", "0.001", "--out", "%d.png", status=1).stderr


WRONG = {
    "two_numbers": (["--out", "%d-%d.png"], "--out: "),
    "a_format_of_text": (["--out", "%s.png"], "must hold one number such as %04d"),
    "a_number_in_the_folder": (["--out", "%d/a.png"], "must hold one number"),
    "no_suffix": (["--out", "%d"], "the name must end with .png or .jpg"),
    "suffix_and_format_differ": (["--out", "a.png", "--format", "jpeg"], "the name ends with .png, and the format is jpeg"),
    "unknown_format": (["--out", "a.png", "--format", "gif"], "sequence.format: expected one of png, jpeg"),
    "one_name_for_many": (["--out", "a.png", "--times", "all"], "4 frames need a number in the file's name"),
    "beyond_the_end": (["--out", "a.png", "--times", "T+9"], '"T+9" is not a step of this run; the nearest is 2026-04-18T09:00:00Z (T+3)'),
    "between_steps": (["--out", "%d.png", "--times", "T+0,T+1.5"], 'sequence.times[1]: "T+1.5" is not a step of this run; the nearest is'),
    "a_film_beyond_the_end": (["--out", "a.png", "--times", "T+3.5", "--fps", "25"], '"T+3.5" is not a step of this run'),
    "no_time": (["--out", "a.png", "--times", "noon"], 'sequence.times[0]: expected "T+6"'),
    "empty_times": (["--out", "a.png", "--times", ""], "sequence.times[0]: expected"),
    "every_is_no_number": (["--out", "a.png", "--times", "T+0/T+3/x"], "--times: expected FROM/TO/EVERY"),
    "fps_is_no_number": (["--out", "a.png", "--fps", "fast"], "--fps: expected a number"),
    "rate_alone": (["--out", "a.png", "--rate", "4"], "sequence.rate: expected only beside fps"),
    "orbit_without_frames": (["--out", "%d.png", "--orbit", "90"], "sequence.frames: missing"),
    "size_of_one": (["--out", "a.png", "--size", "1280"], "--size: expected a width and a height"),
    "no_threads": (["--out", "a.png", "--threads", "0"], "--threads: expected a number from 1 to 256"),
    "progress": (["--out", "a.png", "--progress", "loud"], "--progress: expected auto, bar, lines, json or none"),
    "unknown_option": (["--out", "a.png", "--fsp", "25"], "did you mean --fps?"),
    "out_missing": ([], "name the pictures with --out"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use(export, tmp_path, case):
    arguments, words = WRONG[case]
    done = export(*arguments, status=2)
    assert words in done.stderr and done.stdout == ""
    assert names(tmp_path) == ["view.json"]


def test_a_wrong_view(export, run, demo_forecast, view, tmp_path):
    assert "layers: missing" in export("--out", "a.png", view={"version": 1, "dataset": "x"}, status=2).stderr
    assert "view: not JSON" in export("--out", "a.png", view="{", status=2).stderr
    assert "longer than 65536 bytes" in export("--out", "a.png", view=" " * 70000, status=2).stderr
    assert "dataset" in export("--out", "a.png", view={**view, "dataset": "x"}, status=1).stderr
    assert "No such file" in run("export", "nowhere.json", demo_forecast, "--out", "a.png").stderr
    assert "name the view document" in run("export", "--out", "a.png").stderr


def test_json_tells_of_errors(export):
    done = export("--out", "a.png", "--times", "T+9", "--progress", "json", status=2)
    (event,) = events(done)
    assert event["event"] == "error" and "not a step" in event["message"] and event["message"] in done.stderr


def test_progress_is_silent_or_in_lines(export):
    assert export("--out", "%d.png", "--times", "all", "--progress", "none").stderr == ""
    done = export("--out", "again-%d.png", "--times", "all")
    assert re.fullmatch(r"4 frames: again-%d\.png \(4 in \d+:\d\d, [\d.]+/s\)\n", done.stderr)


def test_a_bar_fits_the_terminal(virga, view, demo_forecast, tmp_path):
    (tmp_path / "view.json").write_text(json.dumps(view))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 44, 0, 0))
    command = [virga, "export", "view.json", str(demo_forecast), *SMALL, "--times", "T+0/T+3", "--fps", "40", "--rate", "4", "--out", "%d.png"]
    process = subprocess.Popen(command, stderr=theirs, cwd=tmp_path, env=clean_environment(tmp_path))
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:  # the other end is closed
        pass
    assert process.wait(120) == 0
    text = said.decode()
    bars = [part for part in re.split(r"\r(?:\x1b\[K)?|\x1b\[K", text) if "/31 frames" in part]
    assert bars and all(len(bar) < 44 for bar in bars)
    assert any(re.fullmatch(r"\[[=> ]+\] \d+/31 frames.*", bar) for bar in bars)
    assert "\r\x1b[K31 frames: %d.png" in text
