# SPDX-License-Identifier: Apache-2.0
"""Map tiles against MapServer 8 and nginx: bench_tiles.py BUILD_FOLDER [tiles a turn (300) [figures …]].

A global 0.25° field, one file, is served as 256² tiles in Web Mercator by virga and by MapServer (Debian's cgi-mapserver: one FastCGI process behind
nginx, its connection to the file kept open, bilinear, 8-bit palettes). Each server has one and the same processor to itself, its client the other one.
Before anything is timed the pictures must agree: colours of the same map within what an eighth of a column and a palette's step explain.

warm field, cold tile  boxes that nobody asked for before, of a field that has been read; also processor time a tile, which a noisy machine changes least
hot tile               the same few tiles again and again, against nginx serving their bytes as files, both by the same C program
cold file              the first tile of files that were never read
16 clients             p50 and p99 of cold tiles, all at once

The two take turns (A B A B …); medians of the turns and their ratios are printed, one line a figure.
"""
import http.client
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import types
import urllib.parse

import netCDF4
import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "reference"))
import map_reference
import png

TURNS = 5
NX, NY = 1440, 721
LOW, HIGH = 220, 310
COLOURS = "thermal"
COLD_FILES = 24
HALF = 20037508.342789244

NGINX = """worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 60; default_type image/png;
 client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
 server {{ listen 127.0.0.1:{port}; root {folder}/files; open_file_cache max=20000 inactive=60s;
  location /map {{ fastcgi_pass unix:{folder}/map.socket; fastcgi_keep_conn on; fastcgi_param QUERY_STRING $query_string;
   fastcgi_param REQUEST_METHOD $request_method; }} }} }}
"""

MAP = """MAP
 NAME "bench" EXTENT -180 -90 180 90 SIZE 256 256
 PROJECTION "init=epsg:3857" END
 IMAGECOLOR 255 255 255 IMAGETYPE png8
 OUTPUTFORMAT NAME "png8" DRIVER "AGG/PNG8" MIMETYPE "image/png" IMAGEMODE RGBA TRANSPARENT ON FORMATOPTION "COMPRESSION=1" END
 WEB METADATA "wms_title" "bench" "wms_srs" "EPSG:3857" "wms_enable_request" "*" "wms_onlineresource" "http://localhost/" END END
{layer}END
"""

LAYER = """ LAYER NAME "t2m" TYPE RASTER STATUS ON DATA "NETCDF:{path}:t2m"
  PROJECTION "init=epsg:4326" END
  PROCESSING "BANDS=1" PROCESSING "SCALE={low},{high}" PROCESSING "SCALE_BUCKETS=253" PROCESSING "RESAMPLE=BILINEAR" PROCESSING "CLOSE_CONNECTION=DEFER"
{classes} END
"""


# --- The field, and the servers.

def made_field(generator):
    """Temperature-like [latitude][longitude], from the south: a spectrum that falls as forecasts' do."""
    wave = numpy.hypot(numpy.fft.fftfreq(NY)[:, None] * NY, numpy.fft.rfftfreq(NX)[None] * NX / 2)
    wave[0, 0] = 1
    spectrum = generator.normal(size=wave.shape) + 1j * generator.normal(size=wave.shape)
    field = numpy.fft.irfft2(spectrum * wave ** -2.2 * (wave > 1), (NY, NX))
    return 8 * field / field.std() + (255 + 45 * numpy.cos(numpy.radians(numpy.linspace(-90, 90, NY))))[:, None]


def write_file(path, hour, generator):
    with netCDF4.Dataset(path, "w") as file:
        file.Conventions = "CF-1.8"
        for name, count in (("time", 1), ("latitude", NY), ("longitude", NX)):
            file.createDimension(name, count)
        for name, units, values in (("time", f"hours since 2024-01-{hour // 24 + 1:02} {hour % 24:02}:00:00", [0]), ("latitude", "degrees_north", numpy.linspace(90, -90, NY)),
                                    ("longitude", "degrees_east", numpy.arange(NX) * 0.25 - 180)):
            axis = file.createVariable(name, "f8", (name,))
            axis.standard_name, axis.units = name, units
            axis[:] = values
        variable = file.createVariable("t2m", "f4", ("time", "latitude", "longitude"))
        variable.standard_name, variable.units = "air_temperature", "K"
        variable[0] = made_field(generator)[::-1]


def map_classes(name):
    """A class for each piece of a colour map."""
    points = json.loads((ROOT / "assets" / "colour_maps" / f"{name}.json").read_text())["points"]
    text = ""
    for (at, *colour), (then, *next_colour) in zip(points, points[1:]):
        low, high = (LOW + (HIGH - LOW) * share for share in (at, then))
        bounds = f"[pixel] < {high}" if at == 0 else f"[pixel] >= {low}" if then == 1 else f"[pixel] >= {low} AND [pixel] < {high}"
        ends = " ".join(str(round(c)) for c in colour + next_colour)
        text += f"  CLASS EXPRESSION ({bounds}) STYLE COLORRANGE {ends} DATARANGE {low} {high} END END\n"
    return text


def pinned(processor):
    return lambda: os.sched_setaffinity(0, {processor})


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(check, what):
    for _ in range(400):
        try:
            return check()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{what} did not start")


def family(process):
    """Process ids of a process and all below it."""
    found = [process]
    for name in os.listdir(f"/proc/{process}/task"):
        for child in pathlib.Path(f"/proc/{process}/task/{name}/children").read_text().split():
            found += family(int(child))
    return found


def processor_seconds(process):
    """User and system time of a process and all below it."""
    ticks = 0
    for one in family(process):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Bench:
    """The folder, the servers and their addresses."""

    def __init__(self, build, folder):
        self.build, self.folder, self.running = build, folder, []
        processors = sorted(os.sched_getaffinity(0))
        self.of_servers, self.of_clients = processors[0], processors[-1]

    def start(self, command, **options):
        process = subprocess.Popen([str(c) for c in command], preexec_fn=pinned(self.of_servers), **options)
        self.running.append(process)
        return process

    def start_virga(self, files):
        virga = self.start([self.build / "virga", "serve", "--listen", "127.0.0.1:0", "--state", self.folder / "state", *files],
                           stdout=subprocess.PIPE, text=True)
        url = next(line.split()[2] for line in virga.stdout if line.startswith("listening"))
        self.virga = types.SimpleNamespace(process=virga.pid, port=int(url.split(":")[2].strip("/")))
        catalog = json.loads(self.get(self.virga.port, "/api/catalog"))
        self.dataset = catalog["datasets"][0]["id"]

    def start_mapserver(self, files):
        classes = map_classes(COLOURS)
        for path in files:  # a map of its own for each: it is read anew with each request
            layer = LAYER.format(path=path, low=LOW, high=HIGH, classes=classes)
            (self.folder / f"{path.stem}.map").write_text(MAP.format(layer=layer))
        maps = " ".join(f'{path.stem} "{self.folder}/{path.stem}.map"' for path in files)
        (self.folder / "mapserver.conf").write_text(f'CONFIG ENV MS_MAP_PATTERN "." END MAPS {maps} END END')
        port = free_port()
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, port=port))
        self.folder.chmod(0o755)
        mapserv = self.start([shutil.which("spawn-fcgi"), "-n", "-s", self.folder / "map.socket", "-M", "0666", "--", shutil.which("mapserv")],
                             env={**os.environ, "MAPSERVER_CONFIG_FILE": str(self.folder / "mapserver.conf")})
        nginx = self.start([shutil.which("nginx") or "/usr/sbin/nginx", "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"])
        wait_for(lambda: socket.create_connection(("127.0.0.1", port)).close(), "nginx")
        self.mapserver = types.SimpleNamespace(process=mapserv.pid, port=port, nginx=nginx.pid)

    def get(self, port, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:300]}")
        return body

    def virga_path(self, tile, hour=0):
        when = urllib.parse.quote(f"2024-01-{hour // 24 + 1:02}T{hour % 24:02}:00:00Z")
        return "/tiles/{}/t2m/{}/{}/{}.png?time={}&style=fill/{}&range={},{}".format(self.dataset, *tile, when, COLOURS, LOW, HIGH)

    def mapserver_path(self, tile, name="f0"):
        zoom, column, row = tile
        side = 2 * HALF / 2 ** zoom
        box = (-HALF + column * side, HALF - (row + 1) * side, -HALF + (column + 1) * side, HALF - row * side)
        return ("/map?map={}&SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&STYLES=&SRS=EPSG:3857&WIDTH=256&HEIGHT=256&FORMAT=image/png&LAYERS=t2m"
                "&BBOX={:.4f},{:.4f},{:.4f},{:.4f}").format(name, *box)

    def client(self, mode, port, clients, seconds, paths):
        """Lines that the C client prints."""
        (self.folder / "paths").write_text("\n".join(paths) + "\n")
        done = subprocess.run([str(a) for a in (self.build / "tests" / "bench" / "bench_stream", mode, "127.0.0.1", port, clients, seconds, self.folder / "paths")],
                              check=True, stdout=subprocess.PIPE, text=True, timeout=120, preexec_fn=pinned(self.of_clients))
        return done.stdout.split("\n")[:-1]

    def once(self, port, process, clients, paths):
        """(seconds a tile, processor seconds a tile, latencies in ms) of paths asked for once each."""
        before = processor_seconds(process)
        *latencies, total = self.client("once", port, clients, 0, paths)
        size, count, took = total.split()
        return float(took) / int(count), (processor_seconds(process) - before) / int(count), sorted(float(line) for line in latencies)

    def close(self):
        for process in self.running:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:  # mapserv waits for a request first
                process.kill()
                process.wait()


# --- Figures.

def percentile(values, share):
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def agree(bench, files):
    """Ends the program unless both draw the same, and what the file holds."""
    field, colours = map_reference.load(files[0], "t2m"), map_reference.Colours(COLOURS, LOW, HIGH)
    for tile in ((4, 8, 5), (5, 10, 11), (6, 33, 20)):
        bounds = field.bounds(map_reference.tile(*tile))
        ours = png.Image(bench.get(bench.virga.port, bench.virga_path(tile))).pixels
        theirs = png.Image(bench.get(bench.mapserver.port, bench.mapserver_path(tile))).pixels
        wrong = [map_reference.differences(picture, bounds, colours, steps=1.5, rounding=2)[0].mean() for picture in (ours, theirs)]
        apart = numpy.abs(ours[..., :3].astype(int) - theirs[..., :3].astype(int))
        print(f"tile {'/'.join(map(str, tile))}: pixels off by more than half a pixel and a colour: virga {wrong[0]:.2%}, MapServer {wrong[1]:.2%}; "
              f"between the two: mean {apart.mean():.2f} of 255, 99 % under {numpy.percentile(apart, 99):.0f}", flush=True)
        if wrong[0] > 0.001 or wrong[1] > 0.05 or apart.mean() > 3:
            raise SystemExit("the pictures do not agree: nothing is timed")


def cold_tiles(bench, tiles, count):
    figures = {"virga": [], "mapserver": []}
    for turn in range(TURNS):
        boxes = [tiles.pop() for _ in range(count)]
        figures["virga"].append(bench.once(bench.virga.port, bench.virga.process, 1, [bench.virga_path(t) for t in boxes]))
        figures["mapserver"].append(bench.once(bench.mapserver.port, bench.mapserver.process, 1, [bench.mapserver_path(t) for t in boxes]))
    wall, processor = ({k: statistics.median(f[n] for f in v) * 1000 for k, v in figures.items()} for n in (0, 1))
    print(f"warm field, cold tile: virga {wall['virga']:.3f} ms ({1000 / wall['virga']:.0f}/s), MapServer {wall['mapserver']:.3f} ms ({1000 / wall['mapserver']:.0f}/s), "
          f"ratio {wall['mapserver'] / wall['virga']:.1f}; processor time {processor['virga']:.3f} and {processor['mapserver']:.3f} ms, "
          f"ratio {processor['mapserver'] / processor['virga']:.1f}", flush=True)


def many_clients(bench, tiles, count):
    figures = {"virga": [], "mapserver": []}
    for turn in range(TURNS):
        boxes = [tiles.pop() for _ in range(count)]
        figures["virga"] += bench.once(bench.virga.port, bench.virga.process, 16, [bench.virga_path(t) for t in boxes])[2]
        figures["mapserver"] += bench.once(bench.mapserver.port, bench.mapserver.process, 16, [bench.mapserver_path(t) for t in boxes])[2]
    ours, theirs = ([percentile(figures[k], share) for share in (0.5, 0.99)] for k in ("virga", "mapserver"))
    print(f"16 clients, cold tiles: virga p50 {ours[0]:.1f} ms, p99 {ours[1]:.1f} ms; MapServer p50 {theirs[0]:.1f} ms, p99 {theirs[1]:.1f} ms", flush=True)


def hot_tiles(bench, times):
    tiles = [(4, x, y) for x in range(4, 12) for y in range(4, 8)]
    ours, files, sizes = [], [], []
    for tile in tiles:
        path, body = bench.virga_path(tile), bench.get(bench.virga.port, bench.virga_path(tile))
        file = bench.folder / "files" / "{}/{}/{}.png".format(*tile)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        ours.append(path)
        files.append("/{}/{}/{}.png".format(*tile))
        sizes.append(len(body))
    for clients in (1, 16):
        figures = {"virga": [], "nginx": []}
        for turn in range(TURNS):
            figures["virga"].append(bench.once(bench.virga.port, bench.virga.process, clients, ours * times))
            figures["nginx"].append(bench.once(bench.mapserver.port, bench.mapserver.nginx, clients, files * times))
        wall, processor = ({k: statistics.median(f[n] for f in v) * 1e6 for k, v in figures.items()} for n in (0, 1))
        print(f"hot tile (mean {statistics.mean(sizes):.0f} bytes), {clients} clients: virga {1e6 / wall['virga']:.0f}/s, nginx {1e6 / wall['nginx']:.0f}/s, "
              f"ratio {wall['nginx'] / wall['virga']:.2f}; processor time {processor['virga']:.1f} and {processor['nginx']:.1f} µs, "
              f"ratio {processor['nginx'] / processor['virga']:.2f}", flush=True)


def cold_files(bench, files):
    figures = {"virga": [], "mapserver": []}
    processor = {name: processor_seconds(getattr(bench, name).process) for name in figures}
    tile = (5, 17, 11)
    for hour, path in list(enumerate(files))[1:]:  # the first was read for the pictures' sake
        paths = {"virga": bench.virga_path(tile, hour), "mapserver": bench.mapserver_path(tile, path.stem)}
        for name in sorted(paths, reverse=hour % 2):
            begun = time.perf_counter()
            bench.get(getattr(bench, name).port, paths[name])
            figures[name].append(1000 * (time.perf_counter() - begun))
    ours, theirs = (statistics.median(figures[k]) for k in ("virga", "mapserver"))
    took = {name: 1000 * (processor_seconds(getattr(bench, name).process) - processor[name]) / len(figures[name]) for name in figures}
    print(f"cold file, first tile: virga {ours:.1f} ms (worst {max(figures['virga']):.1f}), MapServer {theirs:.1f} ms (worst {max(figures['mapserver']):.1f}), "
          f"ratio {theirs / ours:.2f}; processor time {took['virga']:.1f} and {took['mapserver']:.1f} ms, ratio {took['mapserver'] / took['virga']:.2f}", flush=True)


def main():
    build, count = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 300
    os.environ["no_proxy"] = "*"
    for program in ("mapserv", "spawn-fcgi"):
        if not shutil.which(program):
            raise SystemExit(f"{program} is missing: apt-get install cgi-mapserver spawn-fcgi nginx-light")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="virga-bench-"))
    bench, generator = Bench(build, folder), numpy.random.default_rng(1)
    try:
        files = [folder / f"f{hour}.nc" for hour in range(COLD_FILES)]
        for hour, path in enumerate(files):
            write_file(path, hour, generator)
        bench.start_virga(files)
        bench.start_mapserver(files)
        agree(bench, files)
        tiles = [(z, x, y) for z in (5, 6) for x in range(1, 2 ** z - 1) for y in range(2 ** z // 8, 2 ** z * 7 // 8)]
        random.Random(1).shuffle(tiles)
        count = min(count, len(tiles) // (2 * TURNS))
        for what in sys.argv[3:] or ("cold_tiles", "many_clients", "hot_tiles", "cold_files"):
            {"cold_tiles": lambda: cold_tiles(bench, tiles, count), "many_clients": lambda: many_clients(bench, tiles, count),
             "hot_tiles": lambda: hot_tiles(bench, 300), "cold_files": lambda: cold_files(bench, files)}[what]()
    finally:
        bench.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
