# SPDX-License-Identifier: Apache-2.0
"""Fields through a Dask cluster: bench_engine.py BUILD_FOLDER [--only NAME]; BUILD_FOLDER is one with benchmarks
(-DVIRGA_BENCH=ON), and build/engine beside it. Run it with build/engine/bin/python3 on a machine that does nothing
else; about 4 minutes. Prints one line a figure.

delivery   MB/s of float32 from the memory of two worker processes into source_read's memory, against client.gather and
gather(direct=True)
           of the same arrays: pairs one after the other, medians of the pairs' ratios; and the most memory of each
           receiving side
overhead   of a request, over submit().result(), for a variable of 100,000 chunks
workers    block means of a deflated Zarr store: 1 and 2 workers
coarse     first coarse level of the UKV case (621 x 810 x 37, `virga demo`) through `virga serve --engine local:2`,
against the file """
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tiler/source/virga_engine"), str(ROOT / "tests"), str(ROOT / "tests/reference")]

ARRAYS, SHAPE = 16, (16, 1024, 1024)  # of 64 MiB each
PAIRS = 5


def say(what, figure):
    print(f"{what}: {figure}", flush=True)


def middle(numbers):
    numbers = list(numbers)
    median, least, most = (f"{n:.0f}" if n >= 100 else f"{n:.3g}" for n in (statistics.median(numbers), min(numbers), max(numbers)))
    return f"{median} ({least} to {most})"


def descendants(pid):
    """A process and all below it."""
    found, pending = [], [pid]
    while pending:
        at = pending.pop()
        found.append(at)
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{at}/task"):
                pending += map(int, pathlib.Path(f"/proc/{at}/task/{thread}/children").read_text().split())
    return found


def memory_of(pids):
    """MB that these processes have of their own and share among them: anonymous of each, shared once."""
    own, shared = 0, 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = dict(re.findall(r"(Rss\w+):\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()))
            own += int(fields["RssAnon"])
            shared = max(shared, int(fields["RssShmem"]))
    return (own + shared) / 1e3


class Watch:
    """The most memory of some processes while it is watched, over what they had before they read anything."""

    def __init__(self, pids, before):
        self.pids, self.before, self.over = pids, before, threading.Event()
        self.most = 0
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, memory_of(self.pids()))

    def growth(self):
        self.over.set()
        self.thread.join()
        return self.most - self.before


class EngineBench:
    """bench_engine (the C side), one round at a time: its child stands still in between."""

    def __init__(self, build, *arguments, rounds):
        command = [build / "tests/bench/bench_engine", "--python", sys.executable, "--rounds", str(rounds), "--step", "--unsummed",
                   *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def round(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("bench_engine failed")
        return json.loads(line)

    def pids(self):
        return descendants(self.process.pid)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


GATHER = """
import json, os, sys, time
from distributed import Client
client = Client(sys.argv[1])
array = client.get_dataset("field")["t"].data
from distributed import futures_of
futures = futures_of(array)
print(os.getpid(), flush=True)
for line in sys.stdin:
    direct, parts = json.loads(line)
    began = time.perf_counter()
    size = 0
    for i in range(0, len(futures), len(futures) // parts):
        arrays = client.gather(futures[i:i + len(futures) // parts], direct=direct)
        size += sum(a.nbytes for a in arrays)
    seconds = time.perf_counter() - began
    del arrays
    print(json.dumps(size / seconds / 1e6), flush=True)
"""


class Gather:
    """A plain Dask client in a process of its own."""

    def __init__(self, scheduler):
        self.process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", GATHER, scheduler], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def round(self, direct, parts=1):
        """MB/s. parts: how many calls, one after the other."""
        self.process.stdin.write(json.dumps([direct, parts]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


@contextlib.contextmanager
def cluster(workers, **more):
    """A scheduler and workers in processes of their own, as on a shared cluster; this process's client."""
    from distributed import Client
    scheduler = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                                  "--protocol", "tcp"], stderr=subprocess.PIPE, text=True)
    processes = [scheduler]
    try:
        for line in scheduler.stderr:
            if found := re.search(r"Scheduler at:\s+(tcp://\S+)", line):
                break
        threading.Thread(target=scheduler.stderr.read, daemon=True).start()
        address = found[1]
        for _ in range(workers):
            processes.append(subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny",
                                               "--memory-limit", "0", "--host", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        with Client(address) as client:
            client.wait_for_workers(workers, timeout=60)
            yield client, address, scheduler.pid
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:  # a worker that looks for its scheduler
                process.kill()
                process.wait()


def publish(client):
    """ARRAYS float32 arrays in the workers' memory, as one field."""
    import dask.array as da
    import numpy as np
    import xarray as xr
    from distributed import wait

    def make(block_info=None):
        return np.random.default_rng(block_info[None]["chunk-location"][0]).random((1, *SHAPE), dtype=np.float32)
    array = da.map_blocks(make, chunks=((1,) * ARRAYS, *((n,) for n in SHAPE)), dtype="f4", meta=np.zeros((0,) * 4, "f4"))
    array = client.persist(array)
    wait(array)
    client.publish_dataset(field=xr.Dataset({"t": (("time", "z", "y", "x"), array)}))


def bench_delivery(build):
    with cluster(2) as (client, address, scheduler):
        publish(client)
        size = ARRAYS * SHAPE[0] * SHAPE[1] * SHAPE[2] * 4 / 1e6
        gather = Gather(address)
        engine = EngineBench(build, "--cluster", address, "--slabs", "127.0.0.1", "--parallel", 4, "published:field", "t", rounds=2 * PAIRS + 2)
        try:
            engines, gathers = engine.pids, lambda: [gather.process.pid, scheduler]
            before = memory_of(engines()), memory_of(gathers())
            engine.round(), gather.round(True)  # connections, first pages of memory
            rates = {"engine": [], "gather": [], "direct": [], "direct in fours": []}
            for _ in range(PAIRS):
                rates["engine"].append(engine.round()["mb_per_s"])
                rates["gather"].append(gather.round(False))
                rates["direct"].append(gather.round(True))
                rates["direct in fours"].append(gather.round(True, ARRAYS // 4))
            say(f"{ARRAYS} arrays of float32, {size:.0f} MB, 2 workers: to source_read's memory", f"{middle(rates['engine'])} MB/s")
            for name in ("gather", "direct", "direct in fours"):
                called = {"gather": "client.gather", "direct": "gather(direct=True)", "direct in fours": "gather(direct=True), four at a time"}[name]
                say(f"  {called}", f"{middle(rates[name])} MB/s; the engine {middle(a / b for a, b in zip(rates['engine'], rates[name]))} times")
            watch = Watch(engines, before[0])
            engine.round()
            say("  most memory beyond that before the first read: the program and its engine", f"{watch.growth():.0f} MB")
            for direct, parts, called in ((False, 1, "client.gather, client and scheduler"), (True, 1, "gather(direct=True)"),
                                          (True, ARRAYS // 4, "gather(direct=True), four at a time")):
                watch = Watch(gathers, before[1])
                gather.round(direct, parts)
                say(f"  {called}", f"{watch.growth():.0f} MB")
        finally:
            engine.close()
            gather.close()


class _Fixed:
    """A cluster that runs already, for ClusterReader."""

    kind = "shared"

    def __init__(self, client):
        self._client = client

    def using(self, cancelled=None):
        return contextlib.nullcontext(self._client)

    def state(self):
        return {"threads": 2}


class _Sink:
    """Takes slabs and forgets them."""

    def __init__(self):
        import socket
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection.makefile("rwb"),), daemon=True).start()

    def _serve(self, stream):
        while head := stream.read(24):
            boxes = stream.read(16 * head[6] + 16)
            stream.read(int.from_bytes(boxes[-16:-8], "little"))
            stream.write(b"\0")
            stream.flush()


def bench_overhead(_build):
    import dask.array as da
    import numpy as np
    import zarr
    from virga_engine.arrays import StoredArray
    from virga_engine.cluster_reader import ClusterReader
    from virga_engine.lent_slab import LentSlab
    from virga_engine.request import Cancel, ReadRequest, Reduction
    with tempfile.TemporaryDirectory() as folder, cluster(2) as (client, _, _):
        stored = zarr.create_array(f"{folder}/t", shape=(100_000, 64), chunks=(1, 64), dtype="f4", fill_value=1.0)
        array = da.from_zarr(stored)
        variable = StoredArray("t", ("time", "x"), array.shape, array.dtype, attributes={}, read=None, dask=lambda: array, chunks=(1, 64))
        reader = ClusterReader(_Fixed(client), _Sink().address)

        def ask(reduction, count, block):
            asked = ReadRequest(reduction, (777, 0), (count, 64), block, token=uuid.uuid4().bytes)
            began = time.perf_counter()
            reader.read(variable, asked, LentSlab(bytearray(32 * count * 64)), Cancel())
            return 1000 * (time.perf_counter() - began)

        def plain(i):
            began = time.perf_counter()
            client.submit(int, i, pure=False).result()
            return 1000 * (time.perf_counter() - began)
        ask(Reduction.NONE, 1, (1, 1))
        rows = [(plain(i), ask(Reduction.NONE, 1, (1, 1)), ask(Reduction.MEAN, 8, (4, 4))) for i in range(60)]
        trips, ones, means = zip(*rows)
        say("a request of one chunk of 100,000, beyond submit().result()", f"{statistics.median(ones) - statistics.median(trips):.1f} ms "
                                                                          f"(a round trip takes {statistics.median(trips):.1f} ms)")
        say("  block means of 8 chunks", f"{statistics.median(means) - statistics.median(trips):.1f} ms")
        assert np.isfinite(trips).all()


def bench_workers(build):
    import numpy as np
    import zarr
    from zarr.codecs import ZstdCodec
    with tempfile.TemporaryDirectory() as folder:
        group = zarr.open_group(f"{folder}/run.zarr", mode="w", zarr_format=3)
        field = group.create_array("t", shape=(8, 16, 1024, 1024), chunks=(1, 16, 128, 128), dtype="f4", compressors=ZstdCodec(level=3),
                                   dimension_names=["time", "z", "y", "x"])
        noise = np.random.default_rng(0).normal(size=(16, 1024, 1024)).cumsum(axis=2).astype("f4").round(1)
        for time_step in range(8):
            field[time_step] = noise + time_step
        arguments = ("--slabs", "127.0.0.1", "--parallel", 4, "--reduce", "mean", "--block", "1,1,16,16", f"zarr:{folder}/run.zarr", "t")
        benches = {n: EngineBench(build, "--cluster", f"local:{n}", *arguments, rounds=5) for n in (1, 2)}
        try:
            rates = {n: [] for n in benches}
            for turn in range(5):
                for n, bench in benches.items():
                    rate = bench.round()["stored_mb_per_s"]
                    if turn:  # the first starts the cluster
                        rates[n].append(rate)
        finally:
            for bench in benches.values():
                bench.close()
        say("block means of a Zarr 3 store (zstd), 1 worker", f"{middle(rates[1])} MB/s of stored numbers")
        say("  2 workers", f"{middle(rates[2])} MB/s, {middle(b / a for a, b in zip(rates[1], rates[2]))} times")


def coarse_seconds(served, name, step):
    """From asking for a step's table until the coarsest level is there."""
    edition = served.series(name)["edition"]
    began = time.perf_counter()
    table = served.table(edition, step)
    info, level = table.levels[-1], len(table.levels) - 1
    for z in range(info.bricks[2]):
        for y in range(info.bricks[1]):
            for x in range(info.bricks[0]):
                served.get(f"/bricks/{edition}/0/{step}/{level}/{z}/{y}/{x}")
    return time.perf_counter() - began


def bench_coarse(build):
    from conftest import running
    from served import Served
    folder = pathlib.Path(tempfile.mkdtemp(prefix="virga-bench-"))
    try:
        subprocess.run([build / "virga", "demo", "--size", "621x810x37x3", "--out", folder / "ukv"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        run = sorted((folder / "ukv").iterdir())[0]
        with running(build / "virga", folder / "a", f"xarray:{run}", "--engine", "local:2", "--engine-python", sys.executable) as engine, \
                running(build / "virga", folder / "b", run) as direct, Served(engine) as a, Served(direct) as b:
            coarse_seconds(a, "air_temperature", 0), coarse_seconds(b, "air_temperature", 0)  # the cluster starts, files are opened
            pairs = [(coarse_seconds(a, name, step), coarse_seconds(b, name, step)) for step in range(3)
                     for name in ("relative_humidity", "x_wind", "y_wind", "specific_humidity")]
        say("first coarse level of a step of the UKV case, 18.6 million columns x levels: through 2 workers", f"{middle(a for a, _ in pairs)} s")
        say("  the file itself", f"{middle(b for _, b in pairs)} s; through the workers {middle(a / b for a, b in pairs)} times that")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    benches = {"delivery": bench_delivery, "overhead": bench_overhead, "workers": bench_workers, "coarse": bench_coarse}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--only", choices=benches)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that what was started is ended, too
    for name, bench in benches.items():
        if options.only in (None, name):
            bench(options.build.resolve())
    print(f"processors: {len(os.sched_getaffinity(0))}")


if __name__ == "__main__":
    main()
