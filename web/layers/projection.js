// SPDX-License-Identifier: Apache-2.0
// PROJ strings to functions between lon/lat and a grid's axis coordinates. Rotated poles are turned here, the rest by proj4; grids
// without a projection by the longitude and latitude of their columns.
import {curvilinear} from './curvilinear.js';
import {orthographic, sphericalTransverseMercator, verticalPerspective} from './own_projections.js';
import * as proj4Module from '../node_modules/proj4/dist/proj4-src.js';

// The package's file sets a global in browsers and a default export in Node.
const proj4 = proj4Module.default ?? globalThis.proj4;

const RAD = Math.PI / 180;

function words(proj) {
    const out = {};
    for (const [, name, value] of proj.matchAll(/\+(\w+)(?:=(\S+))?/g)) out[name] = value === undefined ? true : Number.isFinite(+value) ? +value : value;
    return out;
}

// → {forward(lon, lat) → [x, y] or null, inverse(x, y) → [lon, lat] or null}; degrees for angular grids, else metres.
export function projection(text) {
    // proj4 takes the sign of an exponent for the beginning of a word.
    const proj = (text || '').replace(/=(\S+e\+\d+)/gi, (_, number) => `=${Number(number)}`), p = words(proj);
    if (!p.proj || p.proj === 'longlat' || p.proj === 'latlong') return {forward: (lon, lat) => [lon, lat], inverse: (x, y) => [wrap(x), y]};
    if (p.proj === 'ob_tran') return rotated(p);
    if (p.proj === 'ortho') return orthographic(p);
    if (p.proj === 'nsper') return verticalPerspective(p);
    if (p.proj === 'cea' && 'k_0' in p && !('lat_ts' in p)) return stretched(projection(`${proj.replace(/\+k_0=\S+/, '')} +lat_ts=0`), p.k_0);
    if (p.proj === 'tmerc' && 'R' in p) return sphericalTransverseMercator(p);
    // proj4's laea makes NaN of offsets that are not written out.
    const converter = proj4(['x_0', 'y_0'].reduce((text, name) => name in p ? text : `${text} +${name}=0`, proj));
    const safe = (turn) => (a, b) => {
        try {
            const [x, y] = turn([a, b]);
            return Number.isFinite(x) && Number.isFinite(y) ? [x, y] : null;
        } catch { return null; }
    };
    const turn = {forward: safe(converter.forward), inverse: safe(converter.inverse)};
    return p.proj === 'merc' || p.proj === 'cea' ? periodic(turn, p.lon_0 ?? 0) : turn;
}

// How far x goes once around the globe, where it grows with longitude alone: an axis may cross the meridian where the map is cut.
function periodic(turn, lon0) {
    const a = turn.forward(lon0, 0), b = turn.forward(wrap(lon0 + 1), 0);
    return a && b ? {...turn, period: 360 * (b[0] - a[0])} : turn;
}

// A cylindrical equal-area map with a scale along the equator: as much wider as it is lower.
function stretched(turn, k) {
    return {period: turn.period * k, forward(lon, lat) { const at = turn.forward(lon, lat); return at && [at[0] * k, at[1] / k]; }, inverse: (x, y) => turn.inverse(x / k, y * k)};
}

// The new pole stands at o_lat_p, o_lon_p as seen in the new frame; lon_0 turns the old one. As PROJ's ob_tran with o_proj=longlat.
function rotated(p) {
    const phi = (p.o_lat_p ?? 90) * RAD, lamp = (p.o_lon_p ?? 0) * RAD, lam0 = (p.lon_0 ?? 0) * RAD, sin = Math.sin(phi), cos = Math.cos(phi);
    return {
        forward(lon, lat) {
            const l = lon * RAD - lam0, f = lat * RAD, cl = Math.cos(l), sf = Math.sin(f), cf = Math.cos(f);
            const x = Math.atan2(cf * Math.sin(l), sin * cf * cl + cos * sf) + lamp;
            return [wrap(x / RAD), Math.asin(clamp(sin * sf - cos * cf * cl)) / RAD];
        },
        inverse(x, y) {
            const l = x * RAD - lamp, f = y * RAD, cl = Math.cos(l), sf = Math.sin(f), cf = Math.cos(f);
            const lon = Math.atan2(cf * Math.sin(l), sin * cf * cl - cos * sf) + lam0;
            return [wrap(lon / RAD), Math.asin(clamp(sin * sf + cos * cf * cl)) / RAD];
        },
    };
}

const clamp = (value) => Math.min(1, Math.max(-1, value));
// Into −180 … 180.
export const wrap = (degrees) => degrees >= -180 && degrees <= 180 ? degrees : ((degrees + 180) % 360 + 360) % 360 - 180;

// The projection of a geometry document. around: how far beyond the data the world is drawn, as a share of its longer side.
export function projectionOf(geometry, around = 0) {
    if (!geometry.lonlat) return onAxes(projection(geometry.proj), geometry);
    const {nx, ny, wraps, kmPerUnit} = geometry, far = 1.05 * around * Math.max((nx - 1) * kmPerUnit[0], (ny - 1) * kmPerUnit[1]);
    const [lon, lat] = geometry.lonlat;
    return curvilinear({nx, ny, wraps, lon, lat, reach: wraps ? [0, 0] : kmPerUnit.map((km) => far / km)});
}

// A projection whose angles run on where the grid's axes do (0 … 360, or across the date line).
export function onAxes(turn, {angular, domain}) {
    const middle = (domain.x[0] + domain.x[1]) / 2, {period} = turn;
    if (!angular && !period) return turn;
    const near = angular ? wrap : (x) => x - period * Math.round(x / period);
    return {inverse: turn.inverse, forward(lon, lat) { const place = turn.forward(lon, lat); return place && [middle + near(place[0] - middle), place[1]]; }};
}
