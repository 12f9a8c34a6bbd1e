# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the server at a hundred random moments of pin writes, rolls and exports."""
from conftest import release
from state_kills import kill_often


def test_a_hundred_kills(demo_forecast, tmp_path):
    kill_often(release(), demo_forecast, tmp_path, 100, seed=4)
