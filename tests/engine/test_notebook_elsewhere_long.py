# SPDX-License-Identifier: Apache-2.0
"""How long a notebook's connection lasts: while its process lives, though nothing is asked of it, and not much longer."""

from __future__ import annotations

import signal
import time
from typing import Any

from processes import until
from test_notebook_elsewhere import another_kernel, datasets, server, surroundings, word  # noqa: F401 - fixtures

SILENT_SECONDS = 60.0  # until the server takes it for dead


def test_an_idle_notebook_stays_and_one_that_hangs_goes(server: Any) -> None:  # noqa: F811
    with another_kernel(server.url) as (kernel, session):
        began = time.monotonic()
        until(lambda: not datasets(server.url, session) or time.monotonic() - began > SILENT_SECONDS + 10, "it is idle", 120)
        assert len(datasets(server.url, session)) == 1
        kernel.send_signal(signal.SIGSTOP)
        until(lambda: not datasets(server.url, session), "the server notices", SILENT_SECONDS + 30)
        assert server.process.poll() is None
