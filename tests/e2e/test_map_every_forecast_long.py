# SPDX-License-Identifier: Apache-2.0
"""test_map_every_forecast of every variable."""
import pytest

from test_map_every_forecast import served, test_every_variable  # noqa: F401 - run here, too


@pytest.fixture(scope="module")
def most():
    return 10 ** 6
