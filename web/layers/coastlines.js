// SPDX-License-Identifier: Apache-2.0
// Coasts, borders and land from world-atlas (Natural Earth), as lines in lon/lat and as a map of where land is.
import {feature, mesh} from '../node_modules/topojson-client/src/index.js';

const loaded = new Map();

// detail: '10m', '50m' or '110m' → {coasts: [[lon, lat] …] …, borders, land: GeoJSON polygons}
export function loadWorld(detail) {
    if (!loaded.has(detail)) {
        const promise = fetch(new URL(`../node_modules/world-atlas/countries-${detail}.json`, import.meta.url)).then(async (response) => {
            if (!response.ok) throw new Error(`coastlines: HTTP ${response.status}`);
            const world = await response.json(), land = feature(world, world.objects.land);
            const rings = (geometry) => geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
            const polygons = (land.features || [land]).flatMap(({geometry}) => rings(geometry));
            return {coasts: mesh(world, world.objects.land).coordinates, borders: mesh(world, world.objects.countries, (a, b) => a !== b).coordinates, polygons};
        });
        promise.catch(() => loaded.delete(detail));
        loaded.set(detail, promise);
    }
    return loaded.get(detail);
}

// A ring whose longitudes run on across the date line. One that goes around a pole is closed along it.
export function unrolledRing(ring) {
    const out = [];
    let turned = 0;
    for (let n = 0; n < ring.length; n++) {
        const step = n ? ring[n][0] - ring[n - 1][0] : 0;
        if (Math.abs(step) > 180) turned -= 360 * Math.sign(step);
        out.push([ring[n][0] + turned, ring[n][1]]);
    }
    const pole = 90 * Math.sign(ring.reduce((sum, [, lat]) => sum + lat, 0));
    if (turned) out.push([out[out.length - 1][0], pole], [out[0][0], pole]);
    return out;
}

// Draws land white on black. bounds: {west, east, south, north}, unwrapped degrees. → {canvas, of} with texture coordinate = lonlat * of.xy + of.zw
export function landMap({polygons}, {west, east, south, north}, size = 2048) {
    const canvas = document.createElement('canvas'), aspect = (east - west) / (north - south);
    canvas.width = Math.max(16, Math.round(aspect >= 1 ? size : size * aspect));
    canvas.height = Math.max(16, Math.round(aspect >= 1 ? size / aspect : size));
    const context = canvas.getContext('2d');
    context.fillStyle = '#000';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#fff';
    const sx = canvas.width / (east - west), sy = canvas.height / (north - south);
    for (const polygon of polygons) {
        const rings = polygon.map(unrolledRing), all = rings[0].map(([lon]) => lon);
        const least = all.reduce((a, b) => Math.min(a, b)), most = all.reduce((a, b) => Math.max(a, b));
        for (let turn = 360 * Math.ceil((west - most) / 360); least + turn <= east; turn += 360) {
            context.beginPath();
            for (const ring of rings) ring.forEach(([lon, lat], n) => context[n ? 'lineTo' : 'moveTo']((lon + turn - west) * sx, (north - lat) * sy));
            context.fill('evenodd');
        }
    }
    return {canvas, of: [1 / (east - west), 1 / (north - south), -west / (east - west), -south / (north - south)]};
}

// Lines in lon/lat to segments in the scene, cut at the domain. toScene(lon, lat) → [X, Y] or null; inside(X, Y); heightAt(X, Y) km;
// longest, shortest: km of a segment; cell: of the ground's cells, which lines follow.
export function sceneSegments(lines, {toScene, inside, heightAt, near, longest, shortest = 0, cell = Infinity}) {
    const out = [];
    for (const line of lines) {
        let before = null;
        for (let n = 0; n < line.length; n++) {
            const point = line[n], here = near(point[0], point[1]) ? toScene(point[0], point[1]) : null;
            // Points that lie closer than can be seen are passed over.
            if (here && before && n < line.length - 1 && Math.hypot(here[0] - before[0], here[1] - before[1]) < shortest) continue;
            if (here && before && Math.hypot(here[0] - before[0], here[1] - before[1]) < longest) cut(out, before, here, inside, heightAt, cell);
            before = here;
        }
    }
    return Float32Array.from(out);
}

// Adds a segment's part inside the domain, in pieces short enough to follow the ground.
function cut(out, a, b, inside, heightAt, cell) {
    let from = a, to = b;
    const isIn = [inside(...a), inside(...b)];
    if (!isIn[0] && !isIn[1]) return;
    if (!isIn[0] || !isIn[1]) {
        let [good, bad] = isIn[0] ? [a, b] : [b, a];
        for (let turn = 0; turn < 12; turn++) {
            const middle = [(good[0] + bad[0]) / 2, (good[1] + bad[1]) / 2];
            if (inside(...middle)) good = middle; else bad = middle;
        }
        [from, to] = isIn[0] ? [a, good] : [good, b];
    }
    const pieces = Math.min(4096, Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / cell)));
    for (let n = 0, last = from; n < pieces; n++) {
        const next = [0, 1].map((axis) => from[axis] + (n + 1) / pieces * (to[axis] - from[axis]));
        out.push(last[0], last[1], heightAt(...last), next[0], next[1], heightAt(...next));
        last = next;
    }
}
