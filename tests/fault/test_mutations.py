# SPDX-License-Identifier: Apache-2.0
"""A fixed sample of cuts and byte changes of the real forecasts, in the build under test. test_mutations_long does the full counts."""
import mutation_rounds


def test_a_sample_of_cuts_and_changes(virga, forecasts, tmp_path):
    mutation_rounds.run(virga, forecasts, tmp_path, cuts=24, changes=96)
