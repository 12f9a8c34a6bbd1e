# SPDX-License-Identifier: Apache-2.0
"""Rounds of damaged forecasts: many are opened by one `virga info` and served at once, and what each still shows is asked for."""
import collections
import json
import math
import random
import subprocess

import conftest
import hostile
import mutations

ROUND = 40          # damaged files at a time
VARIABLES = 4       # asked for of each
RESTARTS_A_FILE = 4  # readers that one damaged file may cost
KINDS = ("cut", "change in metadata", "change elsewhere")


def originals(forecasts):
    return [p for p in sorted(forecasts.iterdir()) if p.suffix in (".nc", ".grib", ".grib2")]


def damaged(forecasts, cuts, changes):
    """(kind, original, bytes, what was done): spread over the forecasts, the same every time."""
    wanted = [KINDS[0]] * cuts + [KINDS[1]] * (changes // 2) + [KINDS[2]] * (changes - changes // 2)
    for number, path in enumerate(originals(forecasts)):
        data, dice = path.read_bytes(), random.Random(path.name)
        spans = mutations.metadata(data)
        for kind in wanted[number::len(originals(forecasts))]:
            if kind == KINDS[0]:
                yield kind, path, *mutations.cut(data, dice)
            else:
                yield kind, path, *mutations.changed(data, mutations.place_in(spans, dice) if kind == KINDS[1] else dice.randrange(len(data)), dice)


def rounds(items):
    group = []
    for item in items:
        group.append(item)
        if len(group) == ROUND:
            yield group
            group = []
    if group:
        yield group


def written(folder, group):
    folder.mkdir()
    for n, (kind, original, data, what) in enumerate(group):
        home = folder / f"m{n:03}"
        home.mkdir()
        (home / original.name).write_bytes(data)
        yield kind, original, home / original.name, what


def info(virga, files, folder):
    done = subprocess.run([virga, "info", "--json", *[str(path) for _, _, path, _ in files]], capture_output=True, text=True, errors="replace", timeout=1200,
                          env=conftest.clean_environment(folder))
    assert not conftest.SANITIZER.search(done.stderr), done.stderr
    assert done.returncode in (0, 1), (done.returncode, done.stderr)
    return json.loads(done.stdout)


def shown(catalog, path):
    return [d for d in catalog["datasets"] if d["id"].startswith(path.parent.name + "-")]


def reasons(catalog, path):
    found = [p["reason"] for p in catalog["problems"] if p["file"] == str(path)]
    assert all(reason.strip() for reason in found)
    return found


class Truth:
    """What the undamaged files answer: every number of a variable at a place, at any time."""

    def __init__(self, virga, forecasts, folder):
        self.paths = originals(forecasts)
        self.running = conftest.running(virga, folder / "truth", self.paths, start_seconds=300)
        self.known = {}

    def __enter__(self):
        self.asker = hostile.Asker(self.running.__enter__())
        self.catalog = self.asker.json("/api/catalog")
        return self

    def __exit__(self, *error):
        self.asker.close()
        return self.running.__exit__(*error)

    def numbers(self, variable, time, lon, lat):
        """All of the undamaged numbers at a place by the variable's name, rounded for comparison. (On which kind of level a GRIB parameter
        needs no longer name depends on what else is in the file: all of them count.)"""
        key = variable, time, lon, lat
        if key not in self.known:
            found = set()
            for dataset in self.catalog["datasets"]:
                for v in dataset["variables"]:
                    if v["name"].split("_")[0] == variable.split("_")[0] and time in v["times"]:
                        status, body = self.asker.get("/api/sample", dataset=dataset["id"], variable=v["id"], time=time, lon=lon, lat=lat, profile=1)
                        found |= set(map(rounded, json.loads(body)["source"])) if status == 200 else set()
            self.known[key] = found
        return self.known[key]


def rounded(x):
    return None if x is None or not math.isfinite(x) else float(f"{x:.5g}")


def check_cut(truth, dataset, answers):
    """What is left of a cut file is as it was, and what is cut off has no number."""
    lon, lat = hostile.middle(dataset)
    for (name, time), answer in answers.items():
        if isinstance(answer, dict) and not name.startswith(("wind_", "air_")):
            whole = truth.numbers(name, time, lon, lat)
            strange = set(map(rounded, answer["source"])) - whole - {None} if whole else set()
            assert not strange, f"{name} at {time}: numbers that the whole file does not have: {strange}"


def ask(server, catalog, files, truth, dice, table):
    asker = hostile.Asker(server)
    for kind, original, path, what in files:
        datasets, row = shown(catalog, path), table[kind]
        row["files"] += 1
        row["shown" if datasets else "refused"] += 1
        row["said"] += bool(reasons(catalog, path))
        assert datasets or reasons(catalog, path), f"{path.name}, {what}: neither shown nor refused"
        for dataset in datasets:
            ids = [v["id"] for v in dataset["variables"]]
            answers = hostile.ask_for_all(asker, dataset, set(dice.sample(ids, min(VARIABLES, len(ids)))))
            row["numbers"] += sum(isinstance(a, dict) for a in answers.values())
            row["errors"] += sum(isinstance(a, str) for a in answers.values())
            if kind == KINDS[0]:
                try:
                    check_cut(truth, dataset, answers)
                except AssertionError as error:
                    raise AssertionError(f"{original.name}, {what}: {error}") from None
    asker.close()


def serve_round(virga, folder, files, truth, dice, table):
    with conftest.running(virga, folder / "server", [path for _, _, path, _ in files], "--cache-memory", "128M", start_seconds=600) as server:
        asker = hostile.Asker(server)
        catalog = asker.json("/api/catalog")
        asker.close()
        begun = hostile.cost(server)
        ask(server, catalog, files, truth, dice, table)
        first = hostile.cost(server)
        ask(server, catalog, files[:8], truth, dice, collections.defaultdict(collections.Counter))  # again: what was bad is known
        again = hostile.cost(server)
    assert first["restarts"] <= RESTARTS_A_FILE * len(files), first
    assert again["descriptors"] <= begun["descriptors"] + 8 and first["server"] < begun["server"] + 300 and again["server"] < first["server"] + 64
    table["readers replaced"]["all"] += first["restarts"]


def run(virga, forecasts, folder, cuts, changes):
    table, dice = collections.defaultdict(collections.Counter), random.Random(1)
    with Truth(virga, forecasts, folder) as truth:
        for n, group in enumerate(rounds(damaged(forecasts, cuts, changes))):
            here = folder / f"round{n}"
            files = list(written(here, group))
            if n % 8 == 0:
                info(virga, files, here)
            serve_round(virga, here, files, truth, dice, table)
            for _, _, path, _ in files:
                path.unlink()
    print(f"\n{'':20}{'files':>7}{'shown':>7}{'refused':>9}{'with a word':>13}{'numbers':>9}{'errors':>8}")
    for kind in KINDS:
        row = table[kind]
        print(f"{kind:20}{row['files']:7}{row['shown']:7}{row['refused']:9}{row['said']:13}{row['numbers']:9}{row['errors']:8}")
    print(f"readers replaced: {table['readers replaced']['all']}")
    assert sum(table[kind]["files"] for kind in KINDS) == cuts + changes
