# SPDX-License-Identifier: Apache-2.0
"""How long a notebook's connection lasts: while its process lives, though nothing is asked of it, and not much longer."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import Any

from processes import until
from test_notebook_elsewhere import HERE, WORD, datasets, server, session_of, surroundings, word  # noqa: F401 - fixtures

SILENT_SECONDS = 60.0  # until the server takes it for dead


def test_an_idle_notebook_stays_and_one_that_hangs_goes(server: Any) -> None:  # noqa: F811
    text = f"import sys; sys.path.insert(0, {str(HERE)!r})\nimport virga, test_notebook as t\n" \
           f"v = virga.show(t.forecast(), server={server.url!r}, token={WORD!r}); print(v.url, flush=True)\nimport time; time.sleep(600)\n"
    kernel = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    try:
        session = session_of(server.url, {"code": kernel.stdout.readline().strip().partition("#code=")[2]})
        began = time.monotonic()
        until(lambda: not datasets(server.url, session) or time.monotonic() - began > SILENT_SECONDS + 10, "it is idle", 120)
        assert len(datasets(server.url, session)) == 1
        kernel.send_signal(signal.SIGSTOP)
        until(lambda: not datasets(server.url, session), "the server notices", SILENT_SECONDS + 30)
        assert server.process.poll() is None
    finally:
        kernel.kill()
        kernel.wait()
