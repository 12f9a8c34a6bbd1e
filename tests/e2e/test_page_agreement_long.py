# SPDX-License-Identifier: Apache-2.0
"""The other kinds of picture by the page and by `virga export`, as test_page_agreement.py has the most usual."""
import pytest

import agreement
import cases
import page


@pytest.fixture(scope="module", params=sorted(page.BACK_ENDS, reverse=True))
def drawn(request, virga_call, serve_module, tmp_path_factory):
    kit = cases.Kit(virga_call, tmp_path_factory.mktemp("files"), cases.real_forecasts())
    return agreement.draw(virga_call, serve_module, tmp_path_factory.mktemp("pictures"), request.param, kit, cases.OTHERS)


@pytest.mark.parametrize("name", cases.OTHERS)
def test_the_page_shows_what_is_exported(drawn, name):
    agreement.hold(drawn, name)
