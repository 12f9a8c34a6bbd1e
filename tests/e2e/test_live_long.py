# SPDX-License-Identifier: Apache-2.0
"""A thousand changes of a live catalogue leave the server's memory as it was."""
import os
import pathlib

from conftest import release, running

from live import Folder, Page

CHANGES, WARM, ALLOWED = 1000, 100, 8 << 20


def resident(server):
    pages = int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_memory_is_flat(tmp_path):
    folder = Folder(tmp_path / "data", tmp_path / "made")
    for run in range(0, 60, 6):
        folder.put(run, 0, 1, 2)
    with running(release(), tmp_path / "server", folder.path) as server, Page(server) as page:
        for turn in range(CHANGES):
            before = page.edition()
            folder.put(0, turn % 3, value=280 + turn % 7)
            page.until(lambda catalog, before=before: page.edition(catalog) != before)
            page.sample(0, turn % 3)
            if turn == WARM:
                first = resident(server)
        grown = resident(server) - first
    assert grown < ALLOWED, f"{grown} bytes more after {CHANGES} changes"
