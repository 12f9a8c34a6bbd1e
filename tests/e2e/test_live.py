# SPDX-License-Identifier: Apache-2.0
"""A live catalogue: what lands, changes and goes in watched folders is what pages are told, and nothing that is half written."""
import contextlib
import itertools
import os
import shutil
import struct
import subprocess

import pytest
from conftest import release, running

from live import Folder, Page, hour_of

from dap_server import DapFile, DapServer

STEPS = (0, 1, 2)
widths = itertools.count(12)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder that a server watches, and one in the same file system that it does not."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "watched").mkdir()
    Folder(folder / "watched" / "first", folder / "made", next(widths)).put(0, *STEPS)
    return folder


@pytest.fixture(scope="module")
def server(virga, place):
    with running(virga, place / "server", place / "watched") as server:
        yield server


@pytest.fixture
def folder(place):
    """A folder in the watched one with a whole run of three steps."""
    nx = next(widths)
    folder = Folder(place / "watched" / f"n{nx}", place / "made", nx)
    folder.put(0, *STEPS)
    return folder


@pytest.fixture
def page(server, folder):
    with Page(server, folder.nx) as page:
        page.until_runs({0: STEPS})
        yield page


def test_a_run_becomes_latest_when_its_last_step_is_there(page, folder):
    folder.put(6, 0, 1)
    dataset = page.until_runs({0: STEPS, 6: (0, 1)})
    run = dataset["runs"][1]
    assert hour_of(dataset["latest"]) == 0 and run["complete"] is False and run["expected"] == 3 and run["missing"] == 1
    assert page.sample(6, 1) == 280
    folder.put(6, 2)
    dataset = page.until_runs({0: STEPS, 6: STEPS})
    assert hour_of(dataset["latest"]) == 6 and dataset["runs"][1]["complete"]
    assert page.told[-1] == [dataset["id"]]


def test_a_file_counts_when_it_is_closed(page, folder):
    content = folder.content(0, 3)
    with open(folder.file(0, 3), "wb") as slow:
        slow.write(content[:len(content) // 2])
        slow.flush()
        folder.put(0, 5)
        page.until_runs({0: [0, 1, 2, 5]})
        slow.write(content[len(content) // 2:])
        slow.flush()  # it is whole, but who knows
        folder.put(0, 6)
        page.until_runs({0: [0, 1, 2, 5, 6]})
        assert not [p for p in page.catalog()["problems"] if str(folder.path) in p["file"]]
    page.until_runs({0: [0, 1, 2, 3, 5, 6]})


def test_steps_keep_their_editions_while_others_come(page, folder):
    before = [page.edition(step=step) for step in STEPS]
    whole = page.edition()
    folder.put(0, 3)
    page.until_runs({0: [0, 1, 2, 3]})
    assert [page.edition(step=step) for step in STEPS] == before and page.edition() != whole


def test_a_file_replaced_in_place_is_another_one(page, folder, http_get):
    before, other = page.edition(step=1), page.edition(step=2)
    assert page.sample(0, 1) == 280
    assert http_get(f"{page.server.url}bricks/{before}/0/1/table").status == 200
    folder.put(0, 1, value=290)
    page.until(lambda catalog: page.edition(catalog, step=1) != before)
    assert page.sample(0, 1) == 290
    assert http_get(f"{page.server.url}bricks/{before}/0/1/table").status == 404  # never other bytes under this name
    assert page.edition(step=2) == other


def test_a_file_that_is_written_again_leaves_until_it_is_whole(page, folder):
    content = folder.content(0, 1, 295.0)
    with open(folder.file(0, 1), "wb") as again:
        again.write(content[:1000])
        again.flush()
        page.until_runs({0: [0, 2]})
        again.write(content[1000:])
    page.until_runs({0: STEPS})
    assert page.sample(0, 1) == 295


def test_a_truncated_file_is_a_problem_and_its_step_is_gone(page, folder):
    os.truncate(folder.file(0, 2), 600)
    page.until_runs({0: [0, 1]})
    assert str(folder.file(0, 2)) in [p["file"] for p in page.catalog()["problems"]]
    folder.put(0, 2)
    page.until_runs({0: STEPS})
    assert str(folder.file(0, 2)) not in [p["file"] for p in page.catalog()["problems"]]


def test_a_deleted_file_takes_its_step_along(page, folder):
    folder.file(0, 1).unlink()
    page.until_runs({0: [0, 2]})


def test_a_run_that_is_deleted_makes_the_one_before_the_latest(page, folder):
    folder.put(6, *STEPS)
    assert hour_of(page.until_runs({0: STEPS, 6: STEPS})["latest"]) == 6
    for step in STEPS:
        folder.file(6, step).unlink()
    assert hour_of(page.until_runs({0: STEPS})["latest"]) == 0


def test_a_folder_of_a_run_is_renamed_into_place(page, folder, place):
    hidden = folder.beside(place / "elsewhere" / "run")
    hidden.put(6, *STEPS)
    os.rename(hidden.path, folder.path / "run")
    page.until_runs({0: STEPS, 6: STEPS})
    folder.beside(folder.path / "run").put(6, 3)  # what happens in it is heard of, too
    page.until_runs({0: STEPS, 6: [0, 1, 2, 3]})


def test_temporary_names_are_passed_over(page, folder):
    part = folder.path / "006_000.nc.part"
    part.write_bytes(folder.content(6, 0))
    folder.put(0, 3)
    page.until_runs({0: [0, 1, 2, 3]})
    part.rename(folder.file(6, 0))
    page.until_runs({0: [0, 1, 2, 3], 6: [0]})


def test_a_folder_may_go_and_come_back(page, folder):
    shutil.rmtree(folder.path)
    page.until_runs({})
    folder.beside(folder.path).put(6, *STEPS)
    page.until_runs({6: STEPS})


def test_many_changes_end_as_the_files_are(page, folder):
    for turn in range(30):
        folder.put(6, turn % 3)
        if turn % 5 == 4:
            folder.file(6, turn % 3).unlink()
    left = [step for step in STEPS if folder.file(6, step).exists()]
    page.until_runs({0: STEPS, 6: left})


@pytest.fixture(scope="module")
def paths(virga, place):
    """Folders behind a link, a glob, one file and a path that is not there yet, and a server that was given these four."""
    made = place / "paths"
    linked, newer, globbed, alone = (Folder(made / name, place / "made", next(widths)) for name in ("linked", "newer", "d1", "alone"))
    newer.nx = linked.nx
    later = Folder(made / "other", place / "made", next(widths))
    later.path = made / "not" / "yet"
    for folder in (linked, globbed, alone):
        folder.put(0, *STEPS)
    (made / "latest").symlink_to(linked.path)
    given = [made / "latest", f"{made}/d*/00[0-9]_*.nc", alone.file(0, 1), later.path]
    with running(virga, place / "paths-server", given, "--allow-empty") as server:
        yield server, made, newer, globbed, alone, later


def test_a_link_to_the_newest_run_is_followed(paths):
    server, made, newer, *_ = paths
    newer.put(6, *STEPS)
    with Page(server, newer.nx) as page:
        before = page.until_runs({0: STEPS})
        (made / "fresh").symlink_to(newer.path)
        os.replace(made / "fresh", made / "latest")
        assert page.until_runs({6: STEPS})["id"] == before["id"]  # a view of it rolls on
        newer.put(6, 3)
        page.until_runs({6: [0, 1, 2, 3]})


def test_what_a_glob_matches_may_come_later(paths):
    server, made, _, globbed, *_ = paths
    with Page(server, globbed.nx) as page:
        globbed.put(6, *STEPS)
        page.until_runs({0: STEPS, 6: STEPS})
        globbed.beside(made / "d2").put(12, 0)  # another folder that matches; 012_… does not
        globbed.beside(made / "d2").put(9, *STEPS)
        page.until_runs({0: STEPS, 6: STEPS, 9: STEPS})


def test_a_single_file_is_followed(paths):
    server, _, _, _, alone, _ = paths
    with Page(server, alone.nx) as page:
        before = page.edition()
        alone.put(0, 1, value=290)
        page.until(lambda catalog: page.edition(catalog) != before)
        assert page.sample(0, 1) == 290


def test_a_path_may_come_later(paths):
    server, _, _, _, _, later = paths
    with Page(server, later.nx) as page:
        assert page.dataset() is None
        later.path.mkdir(parents=True)
        later.put(0, *STEPS)
        page.until_runs({0: STEPS})


def test_a_file_that_is_being_written_at_the_start_does_not_count(serve, tmp_path):
    folder = Folder(tmp_path / "data", tmp_path / "made")
    folder.put(0, *STEPS)
    with open(folder.file(0, 3), "wb") as slow:
        slow.write(folder.content(0, 3))
        slow.flush()
        with serve(folder.path) as server, Page(server) as page:
            assert page.runs() == {0: [0, 1, 2]} and not page.catalog()["problems"]
            slow.close()
            page.until_runs({0: [0, 1, 2, 3]})


def test_rules_say_what_is_kept_and_what_is_latest(serve, tmp_path, http_get):
    folder = Folder(tmp_path / "data", tmp_path / "made")
    folder.put(0, *STEPS)
    with serve(folder.path, "--keep-runs", "2", "--latest", "step") as server, Page(server) as page:
        folder.put(6, *STEPS)
        page.until_runs({0: STEPS, 6: STEPS})
        folder.put(12, 0, 1)
        assert page.until_runs({6: STEPS, 12: [0, 1]})["latest_rule"] == "step"
        assert folder.file(0, 0).exists()
        for lead, run in ((1, "12"), (2, "06")):
            answer = http_get(f"{server.url}api/sample?variable=air_temperature&time=T%2B{lead}&lon=-8&lat=58").json()
            assert answer["run"] == f"2026-01-01T{run}:00:00Z", answer


@contextlib.contextmanager
def in_a_namespace(virga, tmp_path, path, setting, *flags):
    """A server for which the kernel's limit user.`setting` is so; skips where this user may make no namespace."""
    name, value = setting
    limited = f"echo {value} > /proc/sys/user/{name}"
    if subprocess.run(["unshare", "--user", "--map-root-user", "sh", "-c", limited], capture_output=True, check=False).returncode:
        pytest.skip("no namespace with limits of its own can be made here")
    script = tmp_path / "virga-in-a-namespace"
    script.write_text(f'#!/bin/sh\nexec unshare --user --map-root-user sh -c \'{limited} && exec "$@"\' sh {virga} "$@"\n')
    script.chmod(0o755)
    with running(str(script), tmp_path / "server", path, *flags) as server:
        yield server


@pytest.mark.parametrize("limit", [("max_inotify_instances", 0), ("max_inotify_watches", 1)])
def test_without_news_a_look_now_and_then_finds_what_changed(virga, tmp_path, limit):
    folder = Folder(tmp_path / "data", tmp_path / "made")
    folder.put(0, *STEPS)
    with in_a_namespace(virga, tmp_path, folder.path, limit, "--scan-seconds", "0.2") as server, Page(server) as page:
        folder.put(6, *STEPS)
        page.until_runs({0: STEPS, 6: STEPS})
        folder.file(0, 1).unlink()
        page.until_runs({0: [0, 2], 6: STEPS})
        assert server.stderr.count("every 0.2 s only") == 1  # said once


def test_what_is_no_file_is_listed_again(serve, tmp_path):
    """A dataset behind OPeNDAP that grows a step."""
    folder = Folder(tmp_path / "data", tmp_path / "made")
    folder.file(0, 0).write_bytes(folder.content(0, 0))
    with DapServer(folder.path) as far:
        address = far.url(f"data/{folder.file(0, 0).name}")
        with serve(address, "--opendap-hosts", far.host, "--relist-seconds", "1") as server, Page(server) as page:
            assert page.runs() == {0: [0]}
            folder.file(0, 0).write_bytes(folder.content(0, 0, count=2))
            far.files[folder.file(0, 0).name] = DapFile(folder.file(0, 0))
            page.until_runs({0: [0, 1]})


# The wall clock, ahead by as many seconds as stand in a file that it maps.
CLOCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static const volatile long long *ahead;
__attribute__((constructor)) static void begin(void) {
    int fd = open(getenv("CLOCK_AHEAD"), O_RDONLY | O_CLOEXEC);
    void *map = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) ahead = map;
    close(fd);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
    return failed;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    now->tv_sec = t.tv_sec;
    now->tv_usec = t.tv_nsec / 1000;
    return 0;
}
"""


def test_a_wall_clock_that_jumps_changes_nothing(tmp_path):
    """Of a release build: sanitizers want to be the first library."""
    source, library, ahead = tmp_path / "clock.c", tmp_path / "clock.so", tmp_path / "ahead"
    source.write_text(CLOCK)
    if not shutil.which("cc") or subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], capture_output=True, check=False).returncode:
        pytest.skip("no compiler")
    ahead.write_bytes(struct.pack("q", 0))
    folder = Folder(tmp_path / "data", tmp_path / "made")
    folder.put(0, *STEPS)
    environment = {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(ahead)}
    with running(release(), tmp_path / "server", folder.path, "--keep-time", "48h", environment=environment) as server, Page(server) as page:
        with open(ahead, "r+b", buffering=0) as clock:
            for turn, days in enumerate((40, -40, 0)):
                clock.seek(0)
                clock.write(struct.pack("q", days * 86400))
                folder.put(6, turn)
                page.until_runs({0: STEPS, 6: range(turn + 1)})
        folder.file(0, 1).unlink()
        page.until_runs({0: [0, 2], 6: STEPS})
