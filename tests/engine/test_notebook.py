# SPDX-License-Identifier: Apache-2.0
"""virga.show: what is shown is what the object holds, only to whoever has a code, and nothing is left when it is over."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import virga
from processes import alive, until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("VIRGA_RELEASE") or str(ROOT / "build" / "release" / "virga")
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason="the program is not built")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    for name in ("VIRGA_URL", "VIRGA_TOKEN", "VIRGA_PROXY", "JUPYTERHUB_SERVICE_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIRGA_PROGRAM", PROGRAM)
    yield
    virga.close()


def forecast(lazy: bool = False) -> xr.Dataset:
    """A small forecast on a regular grid and pressure levels; its numbers say where they are."""
    shape = (2, 4, 12, 16)
    values = np.arange(np.prod(shape), dtype="f4").reshape(shape) / 100 + 250
    numbers = da.from_array(values, chunks=(1, 4, 12, 16)) if lazy else values
    return xr.Dataset(
        {"t": (("time", "level", "lat", "lon"), numbers, {"units": "K", "standard_name": "air_temperature", "long_name": "temperature"})},
        coords={"time": pd.date_range("2026-01-01", periods=2, freq="6h"),
                "level": ("level", np.array([1000.0, 850, 700, 500]), {"units": "hPa", "standard_name": "air_pressure", "positive": "down"}),
                "lat": ("lat", np.linspace(40, 51, 12), {"units": "degrees_north", "standard_name": "latitude"}),
                "lon": ("lon", np.linspace(0, 15, 16), {"units": "degrees_east", "standard_name": "longitude"})}, attrs={"title": "a small forecast"})


def ask(view: virga.View, path: str, session: str | None = None, body: object = None):
    headers = {"Content-Type": "application/json", "Origin": view.server.url.rstrip("/")}
    if session:
        headers["X-Virga-Session"] = session
    request = urllib.request.Request(view.server.url + path, None if body is None else json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def code_of(url: str) -> str:
    return url.partition("#code=")[2]


def enter(view: virga.View, url: str | None = None) -> str:
    """A browser's session, by the code in an address."""
    return ask(view, "api/session", body={"code": code_of(url or view.url)})["token"]


def names(view: virga.View, session: str | None) -> list[str]:
    return [variable["name"] for dataset in ask(view, "api/catalog", session)["datasets"] for variable in dataset["variables"]]


def value(view: virga.View, session: str) -> float:
    """At one column, level and time, as the page's probe reads it."""
    found = ask(view, f"api/sample?dataset={view.dataset}&variable=t&at=45,7&time=2026-01-01T06:00:00Z&level=2", session)
    return found


def as_array(dataset: xr.Dataset) -> xr.DataArray:
    return dataset["t"]


def as_cube(dataset: xr.Dataset):
    ncdata = pytest.importorskip("ncdata.iris_xarray")
    return ncdata.cubes_from_xarray(dataset)[0]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("shape", [lambda d: d, as_array, as_cube, lambda d: [as_cube(d)]])
def test_without_a_cluster_this_process_answers(lazy, shape):
    view = virga.show(shape(forecast(lazy)))
    session = enter(view)
    assert any(name in ("t", "air_temperature") for name in names(view, session))
    pid = view.server.pid
    view.close()
    view.close()
    assert not view.is_open and not alive({pid}) and "closed" in view._repr_html_()


def test_a_code_lets_one_browser_in_and_nobody_else_sees_it():
    view = virga.show(forecast())
    first, second = view.url, view.url
    assert code_of(first) and code_of(first) != code_of(second)
    assert "t" in names(view, enter(view, first)) and "t" in names(view, enter(view, second))
    for wrong in (code_of(first), "x" * 43):
        with pytest.raises(urllib.error.HTTPError):
            ask(view, "api/session", body={"code": wrong})
    assert names(view, None) == [] and names(view, ask(view, "api/session", body={})["token"]) == []


def test_several_views_share_a_server_until_the_last_is_closed():
    one, two = virga.show(forecast(), title="one"), virga.show(forecast(True), title="two")
    assert one.server is two.server
    one.close()
    assert "t" in names(two, enter(two))
    pid = two.server.pid
    virga.close()
    assert not two.is_open and not alive({pid})


def test_what_a_notebook_displays():
    view = virga.show(forecast(), title='<a "title">', height=400)
    shown = view._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"} and "<a" not in shown["text/plain"].replace("<a \"title\">", "")
    frame = re.search(r'<iframe src="([^"]+)"', shown["text/html"])[1]
    link = re.search(r'<a href="([^"]+)"', shown["text/html"])[1]
    assert frame.startswith(view.server.url) and code_of(frame) != code_of(link) and 'height="400"' in shown["text/html"]
    assert "<a &quot" not in shown["text/html"] and "&lt;a &quot;title&quot;&gt;" in shown["text/html"]
    with urllib.request.urlopen(view.server.url, timeout=30) as page:
        assert "http://localhost:*" in page.headers["Content-Security-Policy"]


def test_the_page_behind_a_hub_and_a_proxy(monkeypatch):
    view = virga.show(forecast())
    port = view.server.url.rstrip("/").rpartition(":")[2]
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/somebody/")
    assert virga.show(forecast()).url.startswith(f"/user/somebody/proxy/{port}/?dataset=")
    monkeypatch.setenv("VIRGA_PROXY", "https://example.org/{port}")
    assert virga.show(forecast()).url.startswith(f"https://example.org/{port}/?dataset=")


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as made, distributed.Client(made) as client:
        yield client


def test_with_a_client_it_is_published_on_its_scheduler(cluster):
    view = virga.show(forecast(True).persist())
    (name,) = cluster.list_datasets()
    assert name.startswith("virga-") and len(name) >= 30
    assert "t" in names(view, enter(view))
    view.close()
    assert not cluster.list_datasets() and not alive({view.server.pid})


def test_with_a_client_what_is_in_memory_stays_here(cluster):
    view = virga.show(forecast())
    assert not cluster.list_datasets() and "t" in names(view, enter(view))


def test_a_cluster_inside_of_this_process_is_asked_by_this_process():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as made, distributed.Client(made) as client:
        view = virga.show(forecast(True), client=client)
        assert not client.list_datasets() and "t" in names(view, enter(view))
        view.close()


def test_on_a_server_that_runs(cluster, tmp_path, monkeypatch):
    token = "a-token-that-is-long-enough-to-be-one"
    (tmp_path / "token").write_text(token)
    command = [PROGRAM, "serve", "--allow-empty", "--listen", "127.0.0.1:0", "--state", str(tmp_path), "--publish-token-file", str(tmp_path / "token"),
               "--engine", cluster.scheduler.address, "--engine-python", sys.executable]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = next(line for line in server.stdout if line.startswith("listening on ")).removeprefix("listening on ").strip()
        monkeypatch.setenv("VIRGA_URL", url)
        with pytest.raises(RuntimeError, match="VIRGA_TOKEN"):
            virga.show(forecast(True))
        with pytest.raises(RuntimeError, match="publish-token-file"):
            virga.show(forecast(True), token="another-token-that-is-long-enough-to-be")
        monkeypatch.setenv("VIRGA_TOKEN", token)
        for lazy in (True, False):  # what is in memory this process answers for
            view = virga.show(forecast(lazy))
            assert len(cluster.list_datasets()) == lazy and view.url.startswith(url) and "t" in names(view, enter(view))
            session = enter(view)
            view.close()
            assert not cluster.list_datasets() and server.poll() is None
            until(lambda: not names(view, session), "the server shows it no longer")
    finally:
        server.terminate()
        server.wait(20)


def test_a_server_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr("virga.showing._current_client", lambda: None)
    with pytest.raises(RuntimeError, match="does not answer"):
        virga.show(forecast(), server="http://127.0.0.1:1/", token="x" * 40)


@pytest.mark.parametrize("thing", [3, np.arange(3), "text", [], None])
def test_other_objects_are_refused(thing):
    with pytest.raises(TypeError, match="xarray"):
        virga.show(thing)


def test_what_has_no_place_says_what_it_lacks():
    with pytest.raises(RuntimeError, match="virga cannot show it: "):
        virga.show(xr.DataArray(np.zeros((3, 4)), dims=("a", "b")))
    assert virga.show(forecast()).is_open  # and nothing is broken by it


def test_a_missing_program_says_what_to_do(monkeypatch):
    monkeypatch.setenv("VIRGA_PROGRAM", "/nowhere/virga")
    with pytest.raises(RuntimeError, match="no program /nowhere/virga"):
        virga.show(forecast())


def test_a_killed_kernel_takes_its_server_along(tmp_path):
    text = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nimport virga, test_notebook as t, threading\n" \
           "def run():\n    v = virga.show(t.forecast()); print(v.server.pid, v.server.url, flush=True)\n" \
           "thread = threading.Thread(target=run); thread.start(); thread.join()\nimport time; time.sleep(600)\n"
    kernel = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, env={**os.environ, "VIRGA_PROGRAM": PROGRAM})
    try:
        pid, url = kernel.stdout.readline().split()
        assert urllib.request.urlopen(url, timeout=30).status == 200  # the thread that called show() is over, and it is still there
    finally:
        kernel.send_signal(signal.SIGKILL)
        kernel.wait()
    until(lambda: not alive({int(pid)}), "the private server ends with its kernel")


def test_the_example_notebook_runs(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    example = ROOT / "assets" / "notebook" / "forecast.ipynb"
    notebook = nbformat.read(example, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    html = [output["data"]["text/html"] for cell in notebook.cells for output in cell.get("outputs", ()) if "text/html" in output.get("data", {})]
    assert sum("<iframe" in text and "#code=" in text for text in html) >= 2
