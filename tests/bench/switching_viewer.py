# SPDX-License-Identifier: Apache-2.0
"""A viewer that changes the time, one step after the other, and waits for all bricks of it."""
import time

from ws_client import Stream

STRIDE = 7  # steps from one switch to the next: none is met again soon


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


class Viewer:
    """Of the run that is the latest when it comes, of the server of an Api."""

    def __init__(self, api):
        self.stream = Stream(api.server.url)
        dataset = api.catalog()["datasets"][0]
        run = next(run for run in dataset["runs"] if run["time"] == dataset["latest"])
        self.dataset, self.variable, self.run, self.step = dataset["id"], "air_temperature", run["time"], 0
        self.steps = len(run["series"][self.variable]["times"])
        for _ in range(self.steps):
            self.switch()

    def switch(self):
        """Milliseconds until all of another step is there."""
        self.step = (self.step + STRIDE) % self.steps
        began = time.monotonic()
        self.stream.interest(self.dataset, [self.variable], time=self.step, run=self.run, have="none")
        self.stream.until_done()
        took = time.monotonic() - began
        assert self.stream.bricks
        self.stream.forget()
        return 1000 * took
