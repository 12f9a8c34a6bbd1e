# SPDX-License-Identifier: Apache-2.0
from conftest import launched
from export_client import Exports


class Restartable:
    """A server that may be killed and started again with the same state."""

    def __init__(self, virga, folder, paths, *flags, environment=None):
        folder.mkdir(exist_ok=True)
        self.arguments, self.environment, self.folder = (virga, folder, paths, *flags), dict(environment or {}), folder
        self.server = None

    def launch(self):
        self.server = launched(*self.arguments, environment=self.environment)
        return self.server

    def start(self):
        return Exports(self.launch())

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()

    def stop(self):
        if self.server:
            assert self.server.stop() == 0, self.server.stderr
