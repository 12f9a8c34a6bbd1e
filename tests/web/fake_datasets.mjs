// SPDX-License-Identifier: Apache-2.0
// Known fields for the page's tests: ramps in i, j and height, a sphere, a slab, holes, and something like weather.
import {coarseLevelMap, flatLevelMap, hybridLevelMap, makeVolume} from './fake_volume.mjs';

const latticeOf = (epsilon, v0 = 0) => ({v0, step: 2 * epsilon * (1 - 2 ** -10), epsilon});
const RUN = {time: '2026-06-21T06:00:00Z'};

// A grid of metres: scene kilometres are axis metres / 1000.
function metreGrid(nx, ny, spacing) {
    return {proj: '+proj=laea +lat_0=55 +lon_0=-3 +R=6371229 +units=m +no_defs', angular: false, wraps: false,
        centre: [(nx - 1) * spacing / 2, (ny - 1) * spacing / 2], km_per_unit: [0.001, 0.001], x: {n: nx, start: 0, step: spacing}, y: {n: ny, start: 0, step: spacing}};
}

function variable(id, n, geometry, lattice, heights, value, extra = {}) {
    const [nx, ny, nz] = n;
    return {id, n, geometry, lattice, heights, units: '1', times: 1, volume: (step, run) => makeVolume({nx, ny, nz, lattice, cubicFrom: extra.cubicFrom, wraps: extra.wraps, value: (i, j, k) => value(i, j, k, step, run)}), ...extra};
}

function knownDataset() {
    const nx = 75, ny = 70, nz = 21, n = [nx, ny, nz], heights = Array.from({length: nz}, (_, k) => 500 * k), lattice = latticeOf(0.05);
    const hole = (i, j, k) => (i >= 20 && i < 28 && j >= 20 && j < 28) || (i + j + k) % 97 === 0;
    return {id: 'known', title: 'Known volumes', runs: [RUN], grid: metreGrid(nx, ny, 1000), ground: null, geometries: {flat: {map: flatLevelMap(heights)}, surface: {map: null}},
        variables: [
            variable('ramp_i', n, 'flat', lattice, heights, (i) => i),
            variable('ramp_j', n, 'flat', lattice, heights, (i, j) => j),
            variable('ramp_h', n, 'flat', lattice, heights, (i, j, k) => heights[k] / 100),
            variable('constant', n, 'flat', lattice, heights, () => 5),
            variable('sphere', n, 'flat', lattice, heights, (i, j, k) => Math.max(0, 20 - Math.hypot(i - 37, j - 35, 1.5 * (k - 10)))),
            variable('slab', n, 'flat', lattice, heights, (i, j, k) => k >= 4 && k <= 8 ? 10 : 0),
            variable('holes', n, 'flat', lattice, heights, (i, j, k) => hole(i, j, k) ? NaN : i + j / 10),
            variable('wide', n, 'flat', latticeOf(0.0005), heights, (i, j, k) => 300 + 40 * Math.sin(i / 9) * Math.cos(j / 11) - k),
            variable('surface', [nx, ny, 1], null, lattice, null, (i, j) => i + j),
        ]};
}

const RIDGE = (i, j, nx, ny) => Math.max(0, 900 * Math.exp(-(((i / nx - 0.4) / 0.12) ** 2)) * (0.6 + 0.4 * Math.sin(9 * j / ny)) - 60);

function hybridDataset() {
    const nx = 70, ny = 66, nz = 24, spacing = 2000;
    const a = Array.from({length: nz}, (_, k) => 10 + 14000 * (k / (nz - 1)) ** 2), b = a.map((h) => Math.max(0, 1 - h / 15000) ** 2);
    const ground = [];
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) ground.push(RIDGE(i, j, nx, ny));
    const lattice = latticeOf(0.5), height = (i, j, k) => a[k] + b[k] * ground[j * nx + i];
    return {id: 'hybrid', title: 'Hybrid heights over a ridge', runs: [RUN], grid: metreGrid(nx, ny, spacing), ground, geometries: {hybrid: {map: hybridLevelMap(a, b, ground)}},
        variables: [variable('height', [nx, ny, nz], 'hybrid', lattice, a, height, {units: 'm'}), variable('level', [nx, ny, nz], 'hybrid', latticeOf(0.005), a, (i, j, k) => k)]};
}

function pressureDataset() {
    const nx = 37, ny = 29, nz = 9, height = (i, j, k) => 100 + 1200 * k + 60 * k * Math.sin(i / 9) + 40 * k * Math.cos(j / 7), lattice = latticeOf(0.005);
    return {id: 'pressure', title: 'Pressure levels whose heights vary', runs: [RUN], grid: metreGrid(nx, ny, 5000), ground: null, geometries: {coarse: {map: coarseLevelMap(nx, ny, nz, 8, height)}},
        variables: [variable('level', [nx, ny, nz], 'coarse', lattice, Array.from({length: nz}, (_, k) => 100 + 1200 * k), (i, j, k) => k),
            variable('moving', [nx, ny, nz], 'coarse', lattice, Array.from({length: nz}, (_, k) => 100 + 1200 * k), (i, j, k, step) => 10 * step + 0.1 * i, {times: 3})]};
}

// Around the globe, over levels whose distances change from place to place in their own way.
function wavesDataset() {
    const nx = 96, ny = 49, nz = 9, lattice = latticeOf(0.005), at = (k) => 100 + 800 * k + 120 * k * k;
    const height = (i, j, k) => at(k) + (200 + 60 * k * (nz - k)) * Math.sin(2 * Math.PI * i / nx) * Math.cos(j / 9) + 30 * k * Math.cos(4 * Math.PI * i / nx);
    const grid = {proj: '+proj=longlat +R=6371229 +no_defs', angular: true, wraps: true, centre: [180, 0], km_per_unit: [111.2, 111.2],
        x: {n: nx, start: 0, step: 3.75}, y: {n: ny, start: -90, step: 3.75}};
    const map = coarseLevelMap(nx, ny, nz, 4, height);
    return {id: 'waves', title: 'Levels in waves around the globe', runs: [RUN], grid, ground: null, geometries: {waves: {map}},
        variables: [variable('level', [nx, ny, nz], 'waves', lattice, Array.from({length: nz}, (_, k) => at(k)), (i, j, k) => k, {wraps: true})]};
}

function globalDataset() {
    const nx = 96, ny = 49, nz = 7, heights = [100, 1500, 3000, 5500, 9000, 12000, 16000], step = 3.75;
    const grid = {proj: '+proj=longlat +R=6371229 +no_defs', angular: true, wraps: true, centre: [180, 0], km_per_unit: [111.2, 111.2],
        x: {n: nx, start: 0, step}, y: {n: ny, values: Array.from({length: ny}, (_, j) => -90 + 180 * j / (ny - 1) + 0.4 * Math.sin(j))}};
    return {id: 'global', title: 'The globe', runs: [RUN], grid, ground: null, geometries: {flat: {map: flatLevelMap(heights)}},
        variables: [variable('wave', [nx, ny, nz], 'flat', latticeOf(0.01), heights, (i, j, k) => 10 * Math.cos(2 * Math.PI * i / nx * 3) * Math.cos((j / (ny - 1) - 0.5) * Math.PI) + k, {wraps: true, times: 3})]};
}

const smooth = (x) => x * x * (3 - 2 * x);
function noise(x, y, z) {
    const hash = (a, b, c) => { let h = Math.imul(a, 374761393) ^ Math.imul(b, 668265263) ^ Math.imul(c, 2147483647); h = Math.imul(h ^ h >>> 13, 1274126177); return ((h ^ h >>> 16) >>> 0) / 4294967296; };
    const X = Math.floor(x), Y = Math.floor(y), Z = Math.floor(z), u = smooth(x - X), v = smooth(y - Y), w = smooth(z - Z);
    let sum = 0;
    for (let corner = 0; corner < 8; corner++) {
        const a = corner & 1, b = corner >> 1 & 1, c = corner >> 2;
        sum += (a ? u : 1 - u) * (b ? v : 1 - v) * (c ? w : 1 - w) * hash(X + a, Y + b, Z + c);
    }
    return sum;
}
const fractal = (x, y, z) => 0.5 * noise(x, y, z) + 0.25 * noise(2 * x, 2 * y, 2 * z) + 0.125 * noise(4 * x, 4 * y, 4 * z) + 0.07 * noise(8 * x, 8 * y, 8 * z);

// Clouds and temperature on a rotated grid over hills. size: [nx, ny].
function weatherDataset(id, nx, ny, nz, times, degrees) {
    const a = Array.from({length: nz}, (_, k) => 5 + 16000 * ((k + 0.3) / nz) ** 1.8), b = a.map((h) => Math.max(0, 1 - h / 17000) ** 2);
    const start = [-degrees * (nx - 1) / 2 - 0.5, -degrees * (ny - 1) / 2 + 1];
    const grid = {proj: '+proj=ob_tran +o_proj=longlat +o_lat_p=37.5 +o_lon_p=0 +lon_0=357.5 +to_meter=0.0174532925199433 +R=6371229 +no_defs', angular: true, wraps: false,
        centre: [start[0] + degrees * (nx - 1) / 2, start[1] + degrees * (ny - 1) / 2], km_per_unit: [111.2, 111.2], x: {n: nx, start: start[0], step: degrees}, y: {n: ny, start: start[1], step: degrees}};
    const ground = [];
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) {
        const e = fractal(i * degrees * 0.9 + 7, j * degrees * 0.9, 0.5);
        ground.push(Math.max(0, Math.round((e - 0.47) * 4200)));
    }
    const cloud = (i, j, k, step) => {
        const x = i * degrees - step * 0.12, y = j * degrees, z = a[k] / 1000;
        const cx = degrees * nx * 0.5, cy = degrees * ny * 0.55, r = Math.hypot(x - cx, y - cy) / (degrees * nx), angle = Math.atan2(y - cy, x - cx);
        const spiral = 0.5 + 0.5 * Math.cos(2 * angle - 14 * Math.sqrt(r) + 1);
        const band = spiral * Math.exp(-((r - 0.25) ** 2) / 0.04);
        const shape = fractal(x * 1.3, y * 1.3, z * 0.55 + step * 0.05);
        const vertical = Math.exp(-(((z - 2 - 6 * band) / (0.8 + 3.5 * band)) ** 2));
        return Math.min(1, Math.max(0, (shape * (0.5 + 1.1 * band) - 0.33) * 3.2 * vertical));
    };
    const temperature = (i, j, k, step) => 288 - 6.5 * (a[k] / 1000) - 0.4 * (j * degrees) + 3 * fractal(i * degrees * 0.5 - step * 0.05, j * degrees * 0.5, a[k] / 4000);
    const n = [nx, ny, nz], extra = {times, cubicFrom: 2};
    return {id, title: `Weather ${nx} × ${ny} × ${nz}`, runs: [RUN], grid, ground, terrain: 'orography', geometries: {hybrid: {map: hybridLevelMap(a, b, ground)}, surface: {map: null}},
        variables: [
            variable('cloud', n, 'hybrid', latticeOf(0.005), a, cloud, {...extra, standard_name: 'cloud_area_fraction_in_atmosphere_layer', title: 'Cloud cover'}),
            variable('temperature', n, 'hybrid', latticeOf(0.05), a, temperature, {...extra, standard_name: 'air_temperature', units: 'K', title: 'Air temperature'}),
            variable('orography', [nx, ny, 1], null, latticeOf(1), null, (i, j) => ground[j * nx + i], {standard_name: 'surface_altitude', units: 'm'}),
            variable('rain', [nx, ny, 1], null, latticeOf(0.01), null, (i, j, k, step) => Math.max(0, cloud(i, j, Math.floor(nz / 3), step) * 8 - 2), {...extra, units: 'mm h-1'}),
        ]};
}

export function fakeDatasets({ukv = false} = {}) {
    const all = [knownDataset(), hybridDataset(), pressureDataset(), wavesDataset(), globalDataset(), weatherDataset('weather', 150, 180, 30, 6, 0.08)];
    if (ukv) all.push(weatherDataset('ukv', 621, 810, 37, 4, 0.0135 * 1.5));
    return Object.fromEntries(all.map((dataset) => [dataset.id, dataset]));
}
