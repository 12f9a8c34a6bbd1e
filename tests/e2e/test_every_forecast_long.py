# SPDX-License-Identifier: Apache-2.0
"""test_every_forecast at 200 places a variable, with the release build where there is one."""
import pytest

import conftest
from test_every_forecast import asked, test_values_heights_and_times  # noqa: F401 - run here, too


@pytest.fixture(scope="module")
def places():
    return 200


@pytest.fixture(scope="module")
def virga():
    return conftest.release()
