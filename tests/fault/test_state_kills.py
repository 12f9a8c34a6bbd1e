# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the server at random moments of writes: nothing that was acknowledged is lost."""
from state_kills import kill_often


def test_ten_kills(virga, demo_forecast, tmp_path):
    kill_often(virga, demo_forecast, tmp_path, 10, seed=3)
