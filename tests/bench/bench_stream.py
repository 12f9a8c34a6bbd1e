# SPDX-License-Identifier: Apache-2.0
"""Warm bricks over the websocket against nginx serving the same bytes as files: bench_stream.py BUILD_FOLDER [seconds a turn].

nginx (Debian's nginx-light: 2 workers, sendfile, keep-alive, no access log) gets every brick of one step as a file of its own, and all of
them as one file, its easiest case. The same C program is the client of all, for 1 and 100 clients, in turn; medians of the turns and their
ratio are printed, one line a figure. The field is smooth with noise of some kelvin: bricks of about 30 kB, larger than a forecast's.
"""
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import netCDF4
import numpy
import make_files
from ws_client import Stream

TURNS = 5
NGINX = """worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 60; default_type application/octet-stream;
 client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
 open_file_cache max=20000 inactive=60s; server {{ listen 127.0.0.1:{port}; root {folder}/files; }} }}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    raise SystemExit("nginx did not start")


def main():
    build, seconds = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else "3"
    client = build / "tests" / "bench" / "bench_stream"
    os.environ["no_proxy"] = "*"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="virga-bench-"))
    running = []
    try:
        make_files.height_levels(folder / "a.nc", shape=(40, 320, 320))
        with netCDF4.Dataset(folder / "a.nc", "a") as file:
            file["air_temperature"][:] += numpy.random.default_rng(1).normal(0, 3, (1, 40, 320, 320)).astype("f4")
        virga = subprocess.Popen([build / "virga", "serve", "--listen", "127.0.0.1:0", "--state", folder / "state", "--message-rate", "10000",
                                  folder / "a.nc"], stdout=subprocess.PIPE, text=True)
        running.append(virga)
        url = next(line.split()[2] for line in virga.stdout if line.startswith("listening"))
        port = url.split(":")[2].strip("/")
        dataset = json.load(urllib.request.urlopen(url + "api/catalog"))["datasets"][0]
        variable = next(v["id"] for v in dataset["variables"] if v["vertical"])
        paths = []
        with Stream(url) as stream:
            stream.interest(dataset["id"], [variable])
            stream.until_done()
            for (_, _, level, x, y, z), data in stream.bricks.items():
                file = folder / "files" / str(level) / str(z) / str(y) / str(x)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
                paths.append(f"/{level}/{z}/{y}/{x}")
        total = sum(len(data) for data in stream.bricks.values())
        print(f"bricks: {len(paths)}, {total} bytes, mean {total // len(paths)} bytes")
        (folder / "paths").write_text("\n".join(paths) + "\n")
        (folder / "files" / "all").write_bytes(b"".join(stream.bricks.values()))
        (folder / "one").write_text("/all\n")
        nginx_port = free_port()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=nginx_port))
        folder.chmod(0o755)
        running.append(subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"]))
        wait_for(nginx_port)
        interest = json.dumps({"type": "interest", "generation": 1, "dataset": dataset["id"], "run": "latest", "member": 0, "time": 0, "direction": 0,
                               "rate": 0, "steps": 0, "camera": None, "budget": 1 << 40, "max_level": 0, "have": "none",
                               "layers": [{"variable": variable, "opacity": None}]})

        def turn(*arguments):
            done = subprocess.run([client, *map(str, arguments)], check=True, capture_output=True, text=True)
            size, count, took = done.stdout.split()
            return int(size) / float(took) / 1e6
        for clients in (1, 100):
            figures = {"ws": [], "files": [], "one": []}
            for _ in range(TURNS):
                figures["ws"].append(turn("ws", "127.0.0.1", port, clients, seconds, interest))
                figures["files"].append(turn("http", "127.0.0.1", nginx_port, clients, seconds, folder / "paths"))
                figures["one"].append(turn("http", "127.0.0.1", nginx_port, clients, seconds, folder / "one"))
            ours, files, one = (statistics.median(figures[k]) for k in ("ws", "files", "one"))
            print(f"{clients} clients: websocket {ours:.0f} MB/s; nginx, a file a brick {files:.0f} MB/s, ratio {ours / files:.2f}; "
                  f"nginx, all in one file {one:.0f} MB/s, ratio {ours / one:.2f}", flush=True)
    finally:
        for process in running:
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


main()
