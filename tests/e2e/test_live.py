# SPDX-License-Identifier: Apache-2.0
"""A live catalogue: what lands, changes and goes in watched folders is what pages are told, and nothing that is half written."""
import contextlib
import os
import shutil
import subprocess

import pytest
from conftest import running

from live import Folder, Page, latest_of, runs_of

STEPS = (0, 1, 2)


@pytest.fixture
def folder(tmp_path):
    """A folder with one whole run of three steps."""
    folder = Folder(tmp_path / "data", tmp_path / "made")
    folder.put(0, *STEPS)
    return folder


def is_now(**runs):
    """Whether a catalog has exactly these runs: is_now(_0=[0, 1]) for the run of hour 0 with two steps."""
    wanted = {int(name[1:]): list(steps) for name, steps in runs.items()}
    return lambda catalog: runs_of(catalog) == wanted


def edition_of(catalog):
    return catalog["datasets"][0]["runs"][0]["series"]["air_temperature"]["edition"] if catalog["datasets"] else None


@contextlib.contextmanager
def in_a_namespace(virga, tmp_path, path, setting, *flags):
    """A server whose kernel limit user.`setting` is so; skips where this user may make no namespace."""
    script = tmp_path / "virga-in-a-namespace"
    name, value = setting
    script.write_text(f'#!/bin/sh\nexec unshare --user --map-root-user sh -c \'echo {value} > /proc/sys/user/{name} && exec "$@"\' sh {virga} "$@"\n')
    script.chmod(0o755)
    tried = subprocess.run(["unshare", "--user", "--map-root-user", "sh", "-c", f"echo {value} > /proc/sys/user/{name}"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("no namespace with limits of its own can be made here")
    with running(str(script), tmp_path / "server", path, *flags) as server:
        yield server


def test_a_run_becomes_latest_when_its_last_step_is_there(serve, folder):
    with serve(folder.path) as server, Page(server) as page:
        folder.put(6, 0, 1)
        catalog = page.until(is_now(_0=STEPS, _6=(0, 1)))
        run = catalog["datasets"][0]["runs"][1]
        assert latest_of(catalog) == 0 and run["complete"] is False and run["expected"] == 3 and run["missing"] == 1
        assert page.sample(6, 1) == 280
        folder.put(6, 2)
        catalog = page.until(is_now(_0=STEPS, _6=STEPS))
        assert latest_of(catalog) == 6 and catalog["datasets"][0]["runs"][1]["complete"]
        assert page.told[-1] == [catalog["datasets"][0]["id"]]


def test_a_file_counts_when_it_is_closed(serve, folder):
    with serve(folder.path) as server, Page(server) as page:
        content = folder.content(0, 3)
        with open(folder.file(0, 3), "wb") as slow:
            slow.write(content[:len(content) // 2])
            slow.flush()
            folder.put(0, 5)
            page.until(is_now(_0=[0, 1, 2, 5]))
            slow.write(content[len(content) // 2:])
            slow.flush()  # it is whole, but who knows
            folder.put(0, 6)
            catalog = page.until(is_now(_0=[0, 1, 2, 5, 6]))
            assert not catalog["problems"]
        page.until(is_now(_0=[0, 1, 2, 3, 5, 6]))


def test_a_file_that_is_being_written_at_the_start_does_not_count(serve, folder):
    content = folder.content(0, 3)
    with open(folder.file(0, 3), "wb") as slow:
        slow.write(content)
        slow.flush()
        with serve(folder.path) as server, Page(server) as page:
            catalog = page.catalog()
            assert runs_of(catalog) == {0: [0, 1, 2]} and not catalog["problems"]
            slow.close()
            page.until(is_now(_0=[0, 1, 2, 3]))


def test_a_file_replaced_in_place_is_another_one(serve, folder):
    with serve(folder.path) as server, Page(server) as page:
        before = edition_of(page.catalog())
        assert page.sample(0, 1) == 280
        folder.put(0, 1, value=290)
        page.until(lambda catalog: edition_of(catalog) != before)
        assert page.sample(0, 1) == 290


def test_a_file_that_is_written_again_leaves_until_it_is_whole(serve, folder):
    with serve(folder.path) as server, Page(server) as page:
        content = folder.content(0, 1, 295.0)
        with open(folder.file(0, 1), "wb") as again:
            again.write(content[:1000])
            again.flush()
            page.until(is_now(_0=[0, 2]))
            again.write(content[1000:])
        page.until(is_now(_0=STEPS))
        assert page.sample(0, 1) == 295


def test_a_truncated_file_is_a_problem_and_its_step_is_gone(serve, folder):
    with serve(folder.path) as server, Page(server) as page:
        os.truncate(folder.file(0, 2), 600)
        catalog = page.until(is_now(_0=[0, 1]))
        assert [os.path.basename(p["file"]) for p in catalog["problems"]] == ["000_002.nc"]
        folder.put(0, 2)
        assert not page.until(is_now(_0=STEPS))["problems"]


def test_a_deleted_file_takes_its_step_along(serve, folder):
    with serve(folder.path) as server, Page(server) as page:
        folder.file(0, 1).unlink()
        page.until(is_now(_0=[0, 2]))


def test_a_run_that_is_deleted_makes_the_one_before_the_latest(serve, folder):
    folder.put(6, *STEPS)
    with serve(folder.path) as server, Page(server) as page:
        assert latest_of(page.catalog()) == 6
        for step in STEPS:
            folder.file(6, step).unlink()
        assert latest_of(page.until(is_now(_0=STEPS))) == 0


def test_a_folder_of_a_run_is_renamed_into_place(serve, folder, tmp_path):
    hidden = Folder(tmp_path / "elsewhere" / "run", tmp_path / "made")
    hidden.put(6, *STEPS)
    with serve(folder.path) as server, Page(server) as page:
        os.rename(hidden.path, folder.path / "run")
        page.until(is_now(_0=STEPS, _6=STEPS))
        inside = Folder(folder.path / "run", tmp_path / "made")
        inside.put(6, 3)  # what happens in it is heard of, too
        page.until(is_now(_0=STEPS, _6=[0, 1, 2, 3]))


def test_a_link_to_the_newest_run_is_followed(serve, folder, tmp_path):
    newer = Folder(tmp_path / "newer", tmp_path / "made")
    newer.put(6, *STEPS)
    link, fresh = tmp_path / "latest", tmp_path / "fresh"
    link.symlink_to(folder.path)
    with serve(link) as server, Page(server) as page:
        before = page.catalog()
        assert runs_of(before) == {0: [0, 1, 2]}
        fresh.symlink_to(newer.path)
        os.replace(fresh, link)
        after = page.until(is_now(_6=STEPS))
        assert after["datasets"][0]["id"] == before["datasets"][0]["id"]  # a view of it rolls on
        newer.put(6, 3)
        page.until(is_now(_6=[0, 1, 2, 3]))


def test_a_folder_may_go_and_come_back(serve, folder, tmp_path):
    with serve(folder.path) as server, Page(server) as page:
        shutil.rmtree(folder.path)
        page.until(lambda catalog: not catalog["datasets"])
        Folder(folder.path, tmp_path / "made").put(6, *STEPS)
        page.until(is_now(_6=STEPS))


def test_a_path_may_come_later(serve, tmp_path):
    with serve(tmp_path / "not" / "yet", "--allow-empty") as server, Page(server) as page:
        assert page.catalog()["datasets"] == []
        Folder(tmp_path / "not" / "yet", tmp_path / "made").put(0, *STEPS)
        page.until(is_now(_0=STEPS))


def test_what_a_glob_matches_may_come_later(serve, folder, tmp_path):
    with serve(f"{tmp_path}/d*/00[0-9]_*.nc") as server, Page(server) as page:
        folder.put(6, *STEPS)
        page.until(is_now(_0=STEPS, _6=STEPS))
        Folder(tmp_path / "data2", tmp_path / "made").put(12, 0)  # another folder that matches; 012_… does not
        Folder(tmp_path / "data2", tmp_path / "made").put(9, *STEPS)
        page.until(is_now(_0=STEPS, _6=STEPS, _9=STEPS))


def test_a_single_file_is_followed(serve, folder):
    with serve(folder.file(0, 1)) as server, Page(server) as page:
        before = edition_of(page.catalog())
        folder.put(0, 1, value=290)
        page.until(lambda catalog: edition_of(catalog) != before)
        assert page.sample(0, 1) == 290


def test_old_runs_are_no_longer_offered_and_their_files_stay(serve, folder):
    with serve(folder.path, "--keep-runs", "2") as server, Page(server) as page:
        folder.put(6, *STEPS)
        page.until(is_now(_0=STEPS, _6=STEPS))
        folder.put(12, 0)
        page.until(is_now(_6=STEPS, _12=[0]))
        assert folder.file(0, 0).exists()


def test_the_newest_run_with_the_step_may_be_the_latest(serve, folder, http_get):
    with serve(folder.path, "--latest", "step") as server, Page(server) as page:
        folder.put(6, 0, 1)
        dataset = page.until(is_now(_0=STEPS, _6=(0, 1)))["datasets"][0]
        assert dataset["latest_rule"] == "step"
        for lead, run in ((1, "06"), (2, "00")):
            answer = http_get(f"{server.url}api/sample?variable=air_temperature&time=T%2B{lead}&lon=-8&lat=58").json()
            assert answer["run"] == f"2026-01-01T{run}:00:00Z", answer


@pytest.mark.parametrize("limit", [("max_inotify_instances", 0), ("max_inotify_watches", 1)])
def test_without_news_a_look_now_and_then_finds_what_changed(virga, folder, tmp_path, limit):
    with in_a_namespace(virga, tmp_path, folder.path, limit, "--scan-seconds", "0.2") as server, Page(server) as page:
        folder.put(6, *STEPS)
        page.until(is_now(_0=STEPS, _6=STEPS))
        folder.file(0, 1).unlink()
        page.until(is_now(_0=[0, 2], _6=STEPS))
        assert server.stderr.count("every 0.2 s only") == 1  # said once


def test_temporary_names_are_passed_over(serve, folder):
    with serve(folder.path) as server, Page(server) as page:
        part = folder.path / "006_000.nc.part"
        part.write_bytes(folder.content(6, 0))
        folder.put(0, 3)
        page.until(is_now(_0=[0, 1, 2, 3]))
        part.rename(folder.file(6, 0))
        page.until(is_now(_0=[0, 1, 2, 3], _6=[0]))


def test_many_changes_leave_nothing_behind(serve, folder):
    with serve(folder.path) as server, Page(server) as page:
        for turn in range(24):
            folder.put(6, turn % 3)
            if turn % 4 == 3:
                folder.file(6, turn % 3).unlink()
        wanted = {0: [0, 1, 2]}
        left = [step for step in STEPS if folder.file(6, step).exists()]
        if left:
            wanted[6] = left
        page.until(lambda catalog: runs_of(catalog) == wanted)
