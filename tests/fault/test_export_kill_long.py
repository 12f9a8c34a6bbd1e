# SPDX-License-Identifier: Apache-2.0
"""kill -9 at a hundred random moments of an export."""
from conftest import release
from export_kills import kill_often


def test_a_hundred_kills(demo_forecast, tmp_path):
    kill_often(release(), demo_forecast, tmp_path, 100, seed=2)
