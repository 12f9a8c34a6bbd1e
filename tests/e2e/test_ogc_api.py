# SPDX-License-Identifier: Apache-2.0
"""OGC API Common, Tiles and EDR: documents that lead to one another, values that are those of `virga sample`, refusals."""
import datetime
import json
import re
import urllib.parse

import pytest

import make_files
import place
import png
from conftest import running

SPEC = "http://www.opengis.net/spec/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecasts")
    for name, make, more in (("hills", make_files.hybrid_height, {"steps": 4}), ("pressure", make_files.pressure_levels, {}), ("surface", make_files.surface, {}),
                             ("members", make_files.ensemble, {})):
        (folder / name).mkdir()
        make(folder / name / "a.nc", **more)
    return folder


@pytest.fixture(scope="module")
def server(virga, folder, tmp_path_factory):
    with running(virga, tmp_path_factory.mktemp("server") / "one", sorted(folder.iterdir())) as server:
        yield server


@pytest.fixture
def ask(server, http_get):
    """ask("collections", offset=1): the answer at that address below ogc/, which must be JSON."""
    def call(path, status=200, **query):
        query = {key.replace("_", "-"): value for key, value in query.items()}
        answer = http_get(server.url + "ogc/" + path + ("?" + urllib.parse.urlencode(query) if query else ""))
        assert answer.status == status, (path, query, answer.status, answer.body[:400])
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        if status != 200:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == status and answer.json()["code"] and answer.json()["description"]
        return answer.json()
    return call


@pytest.fixture(scope="module")
def datasets(server):
    """Name of the file → the dataset in the catalog."""
    import urllib.request
    with urllib.request.urlopen(server.url + "api/catalog") as answer:
        return {re.sub(r"-[0-9a-f]+$", "", d["id"]): d for d in json.load(answer)["datasets"]}


def links(document):
    """All links anywhere in a document."""
    if isinstance(document, dict):
        if "href" in document:
            yield document
        for value in document.values():
            yield from links(value)
    if isinstance(document, list):
        for value in document:
            yield from links(value)


def variable_of(dataset, name="air_temperature"):
    return next(v for v in dataset["variables"] if v["name"] == name)


def coverage_of(document, **counts):
    """Checks what CoverageJSON asks of a coverage: axes, shapes, parameters."""
    assert document["type"] == "Coverage"
    domain = document["domain"]
    sizes = {name: len(axis["values"]) for name, axis in domain["axes"].items()}
    for axis in domain["axes"].values():
        assert axis.get("dataType", "") in ("", "tuple")
        assert all(len(value) == len(axis["coordinates"]) for value in axis["values"]) if "coordinates" in axis else True
    composite = domain["axes"].get("composite", {}).get("coordinates", [])
    named = {name for system in domain["referencing"] for name in system["coordinates"]}
    assert named == (set(sizes) - {"composite"}) | set(composite)
    assert document["parameters"].keys() == document["ranges"].keys() and document["ranges"]
    for key, values in document["ranges"].items():
        shape = [sizes[name] for name in values.get("axisNames", [])]
        assert values["type"] == "NdArray" and values["dataType"] == "float" and values.get("shape", []) == shape
        count = 1
        for size in shape:
            count *= size
        assert len(values["values"]) == count
        assert document["parameters"][key]["observedProperty"]["label"]["en"]
    for name, count in counts.items():
        assert sizes[name] == count
    return domain


def close(got, wanted):
    return got is None and wanted is None or got is not None and wanted is not None and abs(got - wanted) <= 1e-7 * max(1, abs(wanted))


# Documents.

def test_the_landing_page_leads_to_all_and_every_link_is_answered(server, ask, http_get):
    seen, waiting = set(), [server.url + "ogc"]
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = http_get(url)
        wanted = 400 if url.endswith(("/position", "/trajectory")) else 200  # these want coords
        assert answer.status == wanted, url
        if wanted == 200:
            waiting += [link["href"] for link in links(answer.json()) if not link.get("templated")]
    paths = {url[len(server.url) + 3:] for url in seen}
    assert {"/conformance", "/api", "/collections", "/tileMatrixSets", "/tileMatrixSets/WebMercatorQuad"} <= paths
    assert any("/instances/" in path for path in paths) and any(path.endswith("/map/tiles/WorldCRS84Quad") for path in paths)


def test_the_landing_page_and_conformance_say_what_the_standards_ask_for(ask):
    landing, conformance = ask(""), ask("conformance")
    assert {"self", "service-desc", "conformance", "data"} <= {link["rel"] for link in landing["links"]}
    claimed = set(conformance["conformsTo"])
    assert {SPEC + "ogcapi-common-1/1.0/conf/core", SPEC + "ogcapi-edr-1/1.1/conf/core", SPEC + "ogcapi-edr-1/1.1/conf/covjson", SPEC + "ogcapi-tiles-1/1.0/conf/core"} <= claimed
    assert not any("html" in uri or "geojson" in uri or "dataset-tilesets" in uri for uri in claimed)  # there are none


def test_the_openapi_document_holds_together_and_describes_what_is_answered(ask, datasets):
    api = ask("api")
    assert api["openapi"].startswith("3.0") and api["info"]["title"] and api["info"]["version"]
    text = json.dumps(api)
    for pointer in re.findall(r'"\$ref": "#/([^"]+)"', text):
        at = api
        for part in pointer.split("/"):
            at = at[part]
    dataset = datasets["hills"]
    names = {"collectionId": f"{dataset['id']}:air_temperature", "instanceId": dataset["runs"][-1]["time"], "tileMatrixSetId": "WebMercatorQuad", "tileMatrix": "0", "tileRow": "0",
             "tileCol": "0"}
    for path, item in api["paths"].items():
        parameters = [api["components"]["parameters"][p["$ref"].rsplit("/", 1)[1]] for p in item["get"]["parameters"]]
        assert set(re.findall(r"{(\w+)}", path)) == {p["name"] for p in parameters if p["in"] == "path"}
        if path.endswith("{tileCol}"):
            continue  # a picture
        ask(path[1:].format(**names), 400 if path.endswith(("/position", "/trajectory")) else 200)
        ask(path[1:].format(**names), 400, f="nothing")


def test_a_collection_says_where_when_and_what(ask, datasets):
    dataset = datasets["hills"]
    every = ask("collections")
    assert every["numberMatched"] == len(every["collections"])
    ids = [c["id"] for c in every["collections"]]
    assert dataset["id"] in ids and f"{dataset['id']}:air_temperature" in ids and len(set(ids)) == len(ids)
    whole, one = ask(f"collections/{dataset['id']}"), ask(f"collections/{dataset['id']}:air_temperature")
    west, south, east, north = one["extent"]["spatial"]["bbox"][0]
    for lon, lat in dataset["grid"]["corners"]:
        assert west - 1e-6 <= lon <= east + 1e-6 and south - 1e-6 <= lat <= north + 1e-6
    assert one["extent"]["spatial"]["crs"] == CRS84 and one["crs"] == ["CRS84"]
    series = dataset["runs"][-1]["series"]["air_temperature"]["times"]
    assert one["extent"]["temporal"]["interval"] == [[series[0], series[-1]]]
    assert one["extent"]["temporal"]["values"] == [f"R{len(series)}/{series[0]}/PT1H"]
    assert list(one["parameter_names"]) == ["air_temperature"] and "air_temperature" in whole["parameter_names"]
    assert one["parameter_names"]["air_temperature"]["observedProperty"]["id"].endswith("/air_temperature/")
    low, high = map(float, one["extent"]["vertical"]["interval"][0])
    assert low < high and "vertical" not in ask(f"collections/{datasets['surface']['id']}")["extent"]
    assert {"position", "trajectory", "instances"} == set(one["data_queries"])
    for name in ("position", "trajectory"):
        assert one["data_queries"][name]["link"]["variables"]["query_type"] == name


def test_collections_come_in_pages(ask, http_get):
    every = [c["id"] for c in ask("collections")["collections"]]
    page, found = ask("collections", limit=3), []
    while True:
        found += [c["id"] for c in page["collections"]]
        assert len(page["collections"]) <= 3
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        page = http_get(following[0]).json()
    assert found == every
    for query in ({"limit": "0"}, {"limit": "x"}, {"offset": "-1"}, {"limit": "1e3x"}, {"bbox": "1,2,3"}, {"bbox": "1,60,2,50"}, {"datetime": "today"}):
        ask("collections", 400, **query)


def test_collections_are_chosen_by_place_and_time(ask, http_get, datasets):
    every = ask("collections")["collections"]
    lon, lat = inside(datasets["hills"])
    here = ask("collections", bbox=f"{lon - 0.1},{lat - 0.1},{lon + 0.1},{lat + 0.1}", limit=2)
    assert here["numberMatched"] >= 2 and here["numberMatched"] <= len(every)
    following = next(link["href"] for link in here["links"] if link["rel"] == "next")
    assert http_get(following).json()["numberMatched"] == here["numberMatched"]
    assert ask("collections", bbox="-170,-80,-160,-70")["collections"] == []
    time = datasets["hills"]["runs"][-1]["series"]["air_temperature"]["times"][1]
    assert f"{datasets['hills']['id']}:air_temperature" in [c["id"] for c in ask("collections", datetime=f"../{time}")["collections"]]
    found = ask("collections", datetime="1999-01-01T00:00:00Z/1999-12-31T00:00:00Z")["collections"]  # what has no times is for all
    assert f"{datasets['hills']['id']}:air_temperature" not in [c["id"] for c in found]
    assert ask(f"collections/{datasets['hills']['id']}:air_temperature/instances", datetime="1999-01-01T00:00:00Z")["instances"] == []


# Values.

@pytest.fixture
def sampled(run, folder):
    def call(file, *arguments, variable="air_temperature", time="T+6"):
        done = run("sample", folder / file / "a.nc", "--variable", variable, "--time", time, "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return call


def inside(dataset):
    """A place well inside."""
    lons, lats = zip(*dataset["grid"]["corners"])
    return round(sum(lons) / 4 + 0.013, 6), round(sum(lats) / 4 + 0.017, 6)


@pytest.mark.parametrize("file,height", (("hills", 1500), ("pressure", 3000), ("surface", None)))
def test_a_time_series_is_what_virga_sample_says(ask, sampled, datasets, folder, file, height):
    dataset = datasets[file]
    variable = next(v["id"] for v in dataset["variables"] if not v.get("constant"))
    lon, lat = inside(dataset)
    query = {} if height is None else {"z": height}
    document = ask(f"collections/{dataset['id']}/position", coords=f"POINT({lon} {lat})", parameter_name=variable, **query)
    times = dataset["runs"][-1]["series"][variable]["times"]
    domain = coverage_of(document, x=1, y=1, t=len(times))
    assert domain["domainType"] == ("PointSeries" if len(times) > 1 else "Point") and domain["axes"]["t"]["values"] == times
    assert domain["axes"]["x"]["values"] == [lon] and domain["axes"]["y"]["values"] == [lat]
    height_arguments = () if height is None else ("--height", height)
    for time, value in zip(times, document["ranges"][variable]["values"]):
        assert close(value, sampled(file, "--lon", lon, "--lat", lat, *height_arguments, variable=variable, time=time)["bricks"])
    assert value is not None


def test_a_profile_is_what_virga_sample_says(ask, sampled, datasets):
    dataset = datasets["hills"]
    lon, lat = inside(dataset)
    time = dataset["runs"][-1]["series"]["air_temperature"]["times"][1]
    wanted = sampled("hills", "--lon", lon, "--lat", lat, "--profile", time=time)
    document = ask(f"collections/{dataset['id']}:air_temperature/position", coords=f"POINT({lon} {lat})", datetime=time)
    domain = coverage_of(document, t=1)
    assert domain["domainType"] == "VerticalProfile"
    assert all(map(close, domain["axes"]["z"]["values"], wanted["height"])) and len(wanted["height"]) == len(domain["axes"]["z"]["values"])
    assert all(map(close, document["ranges"]["air_temperature"]["values"], wanted["bricks"]))
    low, high = wanted["height"][2] - 1, wanted["height"][5] + 1
    some = ask(f"collections/{dataset['id']}:air_temperature/position", coords=f"POINT({lon} {lat})", datetime=time, z=f"{low}/{high}")
    assert some["domain"]["axes"]["z"]["values"] == domain["axes"]["z"]["values"][2:6]
    assert some["ranges"]["air_temperature"]["values"] == document["ranges"]["air_temperature"]["values"][2:6]
    ask(f"collections/{dataset['id']}:air_temperature/position", 404, coords=f"POINT({lon} {lat})", datetime=time, z="900000/900001")


def test_heights_and_times_make_a_grid_and_places_a_collection(ask, datasets):
    dataset = datasets["hills"]
    lon, lat = inside(dataset)
    document = ask(f"collections/{dataset['id']}:air_temperature/position", coords=f"MULTIPOINT(({lon} {lat}),({lon + 0.1} {lat}))", z="R3/1000/500", datetime="../..")
    assert document["type"] == "CoverageCollection" and len(document["coverages"]) == 2
    for place_number, coverage in enumerate(document["coverages"]):
        assert coverage_of(coverage, x=1, y=1, z=3, t=4)["domainType"] == "Grid"
        values = coverage["ranges"]["air_temperature"]
        assert values["axisNames"] == ["t", "z", "y", "x"] and values["shape"] == [4, 3, 1, 1]
        own = ask(f"collections/{dataset['id']}:air_temperature/position", coords=f"POINT({lon + 0.1 * place_number} {lat})", z="1500",
                  datetime=coverage["domain"]["axes"]["t"]["values"][2])
        assert own["domain"]["domainType"] == "Point" and own["ranges"]["air_temperature"]["values"] == [values["values"][2 * 3 + 1]]


def test_values_agree_with_a_plain_computation_from_the_file(ask, datasets, folder):
    dataset = datasets["hills"]
    volume = place.load(folder / "hills" / "a.nc", "air_temperature", 0)
    variable = variable_of(dataset)
    lon, lat = inside(dataset)
    time = dataset["runs"][-1]["series"]["air_temperature"]["times"][0]
    heights = list(range(-200, 20000, 700))
    answer = ask(f"collections/{dataset['id']}:air_temperature/position", coords=f"POINT({lon} {lat})", datetime=time, z=",".join(map(str, heights)))
    i, j = volume.locate(lon, lat)
    levels = volume.column_heights(i, j)
    seen = 0
    for height, got in zip(heights, answer["ranges"]["air_temperature"]["values"]):
        wanted = volume.value(lon, lat, height)
        near = min(abs(height - volume.ground_at(i, j)), abs(height - levels[-1])) < 5
        if near:
            continue
        assert (got is None) == (wanted is None or wanted != wanted), height
        if got is not None:
            seen += 1
            assert abs(got - wanted) <= variable["lattice"]["epsilon"] + 0.05
    assert seen > 10


@pytest.mark.parametrize("coords,kind,names", (
    ("LINESTRING({a},{b})", "Section", ["t", "x", "y"]), ("LINESTRINGZ({a} 1500,{b} 2500)", "Trajectory", ["t", "x", "y", "z"]),
    ("LINESTRINGM({a} {t0},{b} {t1})", "Section", ["t", "x", "y"]), ("LINESTRINGZM({a} 1500 {t0},{b} 2500 {t1})", "Trajectory", ["t", "x", "y", "z"])))
def test_a_line_has_values_at_its_ends_and_between(ask, sampled, datasets, coords, kind, names):
    dataset = datasets["hills"]
    lon, lat = inside(dataset)
    times = dataset["runs"][-1]["series"]["air_temperature"]["times"]
    seconds = [datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp() for t in times]
    text = coords.format(a=f"{lon} {lat}", b=f"{lon + 0.3} {lat - 0.2}", t0=int(seconds[0]), t1=int(seconds[3]))
    query = {} if "M(" in text else {"datetime": times[0]}
    document = ask(f"collections/{dataset['id']}:air_temperature/trajectory", coords=text, **query)
    domain = coverage_of(document)
    places = domain["axes"]["composite"]["values"]
    assert domain["domainType"] == kind and domain["axes"]["composite"]["coordinates"] == names and len(places) > 3
    assert places[0][1:3] == [lon, lat] and places[-1][1:3] == pytest.approx([lon + 0.3, lat - 0.2], abs=1e-7)
    assert {p[0] for p in places} == (set(times) if "M(" in text else {times[0]})
    values = document["ranges"]["air_temperature"]["values"]
    for number in (0, len(places) // 2, len(places) - 1):
        point = ("--lon", places[number][1], "--lat", places[number][2])
        if kind == "Trajectory":
            assert close(values[number], sampled("hills", *point, "--height", places[number][3], time=places[number][0])["bricks"]) or abs(
                values[number] - sampled("hills", *point, "--height", places[number][3], time=places[number][0])["bricks"]) < 1e-5
        else:
            wanted = sampled("hills", *point, "--profile", time=places[number][0])
            count = len(wanted["bricks"])
            got, heights = (document["ranges"][key]["values"][number * count:(number + 1) * count] for key in ("air_temperature", "height"))
            assert all(abs(g - w) < 1e-5 for g, w in zip(got, wanted["bricks"]))
            assert max(abs(g - w) for g, w in zip(heights, wanted["height"])) <= 1.5 * wanted["map_error"] + 1e-3  # which is that of columns


def test_a_section_at_heights(ask, datasets):
    dataset = datasets["hills"]
    lon, lat = inside(dataset)
    time = dataset["runs"][-1]["series"]["air_temperature"]["times"][0]
    document = ask(f"collections/{dataset['id']}:air_temperature/trajectory", coords=f"LINESTRING({lon} {lat},{lon + 0.2} {lat})", z="R5/0/1000", datetime=time)
    domain = coverage_of(document, z=5)
    assert domain["domainType"] == "Section" and document["ranges"]["air_temperature"]["axisNames"] == ["composite", "z"]
    assert document["ranges"]["air_temperature"]["values"][4] is not None
    every = ask(f"collections/{dataset['id']}:air_temperature/trajectory", coords=f"LINESTRING({lon} {lat},{lon + 0.2} {lat})", datetime=time)["ranges"]
    some = ask(f"collections/{dataset['id']}:air_temperature/trajectory", coords=f"LINESTRING({lon} {lat},{lon + 0.2} {lat})", datetime=time, z="1000/3000")["ranges"]
    for height, value, left, its in zip(every["height"]["values"], every["air_temperature"]["values"], some["height"]["values"], some["air_temperature"]["values"]):
        assert (left, its) == ((height, value) if 1000 <= height <= 3000 else (None, None))


def test_runs_are_instances_and_members_can_be_named(ask, datasets):
    dataset, ensemble = datasets["hills"], datasets["members"]
    lon, lat = inside(dataset)
    instances = ask(f"collections/{dataset['id']}/instances")["instances"]
    assert [i["id"] for i in instances] == [r["time"] for r in reversed(dataset["runs"])]
    time = dataset["runs"][-1]["series"]["air_temperature"]["times"][0]
    query = {"coords": f"POINT({lon} {lat})", "z": 1500, "parameter_name": "air_temperature", "datetime": time}
    assert ask(f"collections/{dataset['id']}/instances/{instances[0]['id']}/position", **query) == ask(f"collections/{dataset['id']}/position", **query)
    ask(f"collections/{dataset['id']}/instances/1999-01-01T00:00:00Z", 404)
    ask(f"collections/{dataset['id']}/instances/1999-01-01T00:00:00Z/position", 404, **query)
    lon, lat = inside(ensemble)
    variable = next(v for v in ensemble["variables"] if len(v["members"]) > 1)
    found = {json.dumps(ask(f"collections/{ensemble['id']}:{variable['id']}/position", coords=f"POINT({lon} {lat})", member=m)["ranges"]) for m in variable["members"]}
    assert len(found) == len(variable["members"])
    ask(f"collections/{ensemble['id']}:{variable['id']}/position", 404, coords=f"POINT({lon} {lat})", member="none")


# Map tiles.

def test_tiles_are_those_of_the_servers_own_addresses(server, ask, http_get, datasets):
    dataset = datasets["hills"]
    tileset = ask(f"collections/{dataset['id']}:air_temperature/map/tiles/WebMercatorQuad")
    assert tileset["dataType"] == "map" and tileset["crs"].endswith("/3857")
    template = next(link["href"] for link in tileset["links"] if link["rel"] == "item" and link["type"] == "image/png")
    limits = tileset["tileMatrixSetLimits"][-1]
    numbers = {"tileMatrix": limits["tileMatrix"], "tileRow": limits["minTileRow"], "tileCol": (limits["minTileCol"] + limits["maxTileCol"]) // 2}
    answer = http_get(template.format(**numbers) + "&level=1500m")
    own = http_get(f"{server.url}tiles/{dataset['id']}/air_temperature/{numbers['tileMatrix']}/{numbers['tileCol']}/{numbers['tileRow']}.png?level=1500m")
    assert answer.status == own.status == 200 and answer.body == own.body and answer.headers["Content-Type"] == "image/png"
    assert png.Image(answer.body).width == 256
    assert http_get(template.replace("f=png", "f=jpeg").format(**numbers)).body[:2] == b"\xff\xd8"
    path = f"collections/{dataset['id']}:air_temperature/map/tiles"
    ask(f"{path}/WebMercatorQuad/1/2/0", 404)
    ask(f"{path}/WebMercatorQuad/x/0/0", 404)
    ask(f"{path}/WebMercatorQuad/0/0/0", 400, f="gif")
    ask(f"{path}/WebMercatorQuad/0/0/0", 400, level="upstairs")
    ask(f"{path}/Elsewhere", 404)
    ask(f"collections/{dataset['id']}/map/tiles", 404)


def test_tile_matrices_halve(ask):
    for name, width, corner in (("WebMercatorQuad", 1, 20037508.342789244), ("WorldCRS84Quad", 2, 180)):
        document = ask(f"tileMatrixSets/{name}")
        assert document["id"] == name and document["uri"].endswith(name)
        first = document["tileMatrices"][0]
        assert first["matrixWidth"] == width and first["pointOfOrigin"][0] == pytest.approx(-corner, rel=1e-12)
        assert first["cellSize"] * 256 * width == pytest.approx(2 * corner, rel=1e-12)
        metres = 1 if width == 1 else 111319.49079327358
        for zoom, matrix in enumerate(document["tileMatrices"]):
            assert matrix["id"] == str(zoom) and matrix["matrixWidth"] == width << zoom and matrix["matrixHeight"] == 1 << zoom
            assert matrix["scaleDenominator"] * 0.00028 == pytest.approx(matrix["cellSize"] * metres, rel=1e-9)
    ask("tileMatrixSets/Elsewhere", 404)


# Refusals.

@pytest.mark.parametrize("query", (
    {}, {"coords": ""}, {"coords": "POINT(1)"}, {"coords": "LINESTRING(0 0,1 1)"}, {"coords": "POLYGON((0 0,1 0,1 1,0 0))"}, {"coords": "POINT(0 91)"}, {"coords": "POINT(1e9 0)"},
    {"coords": "POINT M(0 0 0)"}, {"coords": "POINT Z(0 0 0)", "z": "5"}, {"z": "x"}, {"z": "R999/0/1"}, {"datetime": "yesterday"}, {"datetime": "a/b/c"}, {"crs": "EPSG:3857"}, {"crs": "+proj=merc"}, {"crs": "http://127.0.0.1:1/crs"},
    {"f": "GRIB"}, {"parameter_name": "nothing"}, {"parameter_name": "air_temperature,"}, {"parameter_name": "x" * 5000}, {"z": ",".join(["1"] * 257)},
    {"coords": "MULTIPOINT(" + ",".join(["1 1"] * 1001) + ")"}))
def test_what_is_wrong_is_refused_and_why(ask, datasets, query):
    dataset = datasets["hills"]
    lon, lat = inside(dataset)
    query = {"coords": f"POINT({lon} {lat})"} | query if query else {}
    assert len(ask(f"collections/{dataset['id']}/position", 400, **query)["description"]) > 10


def test_what_is_not_there_is_not_found(ask, datasets):
    dataset = datasets["hills"]
    lon, lat = inside(dataset)
    for path in ("nothing", "collections/nothing", "collections/nothing/position", f"collections/{dataset['id']}:nothing", f"collections/{dataset['id']}/area",
                 f"collections/{dataset['id']}/position/more", "a/b/c/d/e/f/g/h/i/j/k/l", "conformance/more"):
        ask(path, 404)
    ask(f"collections/{dataset['id']}/position", 404, coords="POINT(-170 -80)")
    ask(f"collections/{dataset['id']}:air_temperature/position", 404, coords=f"POINT({lon} {lat})", datetime="1999-01-01T00:00:00Z")
    ask(f"collections/{dataset['id']}:air_temperature/trajectory", 404, coords=f"LINESTRINGM({lon} {lat} 0,{lon} {lat} 3600)")
    ask(f"collections/{dataset['id']}:air_temperature/trajectory", 400, coords=f"POINT({lon} {lat})")


def test_too_much_at_once_is_refused_before_it_is_read(ask, datasets):
    dataset = datasets["hills"]
    lon, lat = inside(dataset)
    places = ",".join(f"{lon} {lat}" for _ in range(300))
    message = ask(f"collections/{dataset['id']}:air_temperature/position", 400, coords=f"MULTIPOINT({places})", z="R256/0/10")["description"]
    assert "ask for fewer" in message
