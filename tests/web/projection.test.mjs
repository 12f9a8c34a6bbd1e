// SPDX-License-Identifier: Apache-2.0
// Every kind of projection that a grid may have, on the page as PROJ has it.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {onAxes, projection, wrap} from '../../web/layers/projection.js';
import {python} from './virga_server.mjs';

const GLOBES = ['+R=6371229', '+R=6.37e+06', '+a=6378137 +rf=298.257223563', '+a=6378273 +b=6356889.449'];
const KINDS = ['+proj=lcc +lat_1=30 +lat_2=60 +lat_0=45 +lon_0=10', '+proj=lcc +lat_1=25 +lat_2=25 +lat_0=25 +lon_0=-95', '+proj=lcc +lat_1=-30 +lat_2=-60 +lat_0=-45 +lon_0=170 +x_0=1000 +y_0=-2000',
    '+proj=lcc +lat_1=45 +lat_2=45 +lat_0=45 +lon_0=10 +k_0=0.999', '+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96', '+proj=laea +lat_0=54.9 +lon_0=-2.5', '+proj=laea +lat_0=90 +lon_0=20',
    '+proj=laea +lat_0=0 +lon_0=20', '+proj=aeqd +lat_0=40 +lon_0=20', '+proj=aeqd +lat_0=-90 +lon_0=20', '+proj=ortho +lat_0=40 +lon_0=20', '+proj=ortho +lat_0=-90 +lon_0=20 +x_0=100 +y_0=200',
    '+proj=stere +lat_0=90 +lon_0=-45 +lat_ts=60', '+proj=stere +lat_0=-90 +lon_0=0 +lat_ts=-71', '+proj=stere +lat_0=-90 +lon_0=0 +k_0=0.97', '+proj=stere +lat_0=52 +lon_0=5 +k_0=0.9999',
    '+proj=geos +h=35785831 +lon_0=0 +sweep=y', '+proj=geos +h=35786023 +lon_0=-75 +sweep=x', '+proj=nsper +h=35785831 +lon_0=10 +lat_0=30', '+proj=nsper +h=300000 +lon_0=10 +lat_0=-30 +x_0=100 +y_0=200',
    '+proj=merc +lon_0=10 +lat_ts=20', '+proj=merc +lon_0=170 +k_0=0.9', '+proj=tmerc +lat_0=49 +lon_0=-2 +k_0=0.9996012717 +x_0=400000 +y_0=-100000', '+proj=cea +lon_0=20 +lat_ts=30', '+proj=cea +lon_0=20 +k_0=0.9',
    '+proj=sinu +lon_0=20', '+proj=omerc +lat_0=57 +lonc=-133 +alpha=323 +k_0=0.9999', '+proj=omerc +lat_0=4 +lonc=115 +alpha=53.3158 +k_0=0.99984 +x_0=590000 +y_0=442000',
    '+proj=omerc +lat_0=57 +lonc=-133 +alpha=323 +gamma=0 +k_0=0.9999'];

// PROJ's own numbers: 30 places about the middle of each.
const PLACES = `
import pyproj, random, math
dice, out = random.Random(1), []
for text in json.loads(sys.argv[1]):
    to_xy = pyproj.Transformer.from_pipeline("+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step " + text).transform
    words = dict(word.split("=") for word in text.replace("+", "").split() if "=" in word)
    lon, lat = float(words.get("lon_0", words.get("lonc"))), float(words.get("lat_0", words.get("lat_ts", 0)))
    places = []
    while len(places) < 30:
        place = (lon + dice.uniform(-14, 14), max(-89.5, min(89.5, lat + dice.uniform(-14, 14))))
        there = to_xy(*place)
        if all(map(math.isfinite, there)):
            places.append(place + there)
    out.append(places)
print(json.dumps(out))`;

const all = KINDS.flatMap((kind) => GLOBES.map((globe) => `${kind} ${globe}`));
let answers = null;
try { answers = JSON.parse(python(PLACES, JSON.stringify(all))); } catch (error) { if (!/No such file|ENOENT|No module/.test(error.message)) throw error; }

for (const kind of KINDS) test(kind, {skip: !answers && 'no Python with pyproj'}, () => {
    all.forEach((text, n) => {
        if (!text.startsWith(`${kind} +`) || !GLOBES.includes(text.slice(kind.length + 1))) return;
        const turn = projection(`${text} +units=m +no_defs`);
        for (const [lon, lat, x, y] of answers[n]) {
            const there = turn.forward(lon, lat), back = turn.inverse(x, y), here = `${text} at ${lon} ${lat}`;
            assert.ok(there && Math.hypot(there[0] - x, there[1] - y) < 0.01, `${here}: ${there}, PROJ has ${x} ${y}`);
            assert.ok(back && Math.hypot(wrap(back[0] - lon) * Math.cos(lat * Math.PI / 180), back[1] - lat) < 2e-7, `${here} and back: ${back}`);
        }
    });
});

test('what is out of sight is nowhere', () => {
    for (const kind of ['+proj=ortho +lat_0=40 +lon_0=20', '+proj=nsper +h=35785831 +lat_0=40 +lon_0=20', '+proj=geos +h=35785831 +lon_0=20 +sweep=y']) {
        const turn = projection(`${kind} +a=6378137 +rf=298.257223563 +units=m +no_defs`);
        assert.equal(turn.forward(-160, -40), null);
        assert.equal(turn.inverse(9e6, 9e6), null);
    }
});

test('an axis may cross the meridian where a cylinder is cut', () => {
    const degree = 6371229 * Math.PI / 180, turn = onAxes(projection('+proj=merc +lon_0=0 +lat_ts=0 +R=6371229 +units=m +no_defs'), {angular: false, domain: {x: [170 * degree, 190 * degree]}});
    for (const lon of [171, 179.9, 180, -179.9, -171]) {
        const [x] = turn.forward(lon, 10);
        assert.ok(Math.abs(x / degree - (lon + 360) % 360) < 1e-9);
        assert.ok(Math.abs(wrap(turn.inverse(x, 0)[0] - lon)) < 1e-9);
    }
});
