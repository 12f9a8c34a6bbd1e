# SPDX-License-Identifier: Apache-2.0
"""200 cuts and 2,000 byte changes of the real forecasts, half of the changes in metadata; with the release build where there is one."""
import conftest
import mutation_rounds


def test_every_cut_and_change(forecasts, tmp_path):
    mutation_rounds.run(conftest.release(), forecasts, tmp_path, cuts=200, changes=2000)
