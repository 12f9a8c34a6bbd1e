// SPDX-License-Identifier: Apache-2.0
// Pictures made by the program and by the page begin with the same numbers: transfer functions, cameras, lights, colour maps. The
// program's are asked of render_probe (VIRGA_RENDER_PROBE), which CMake builds beside the tests.
import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {readFileSync} from "node:fs";
import test from "node:test";
import {lightOf} from "../../web/layers/light.js";
import {Transfer} from "../../web/gl/transfer_texture.js";
import {Camera} from "../../web/view/camera.js";
import {validateView} from "../../web/view/view_state.js";

const program = process.env.VIRGA_RENDER_PROBE;
const skip = program ? false : "VIRGA_RENDER_PROBE names no program";
const assets = new URL("../../assets/", import.meta.url);
const json = (name) => JSON.parse(readFileSync(new URL(name, assets), "utf8"));

function probe(requests) {
  const {status, stdout, stderr} = spawnSync(program, {input: requests.map((request) => JSON.stringify(request)).join("\n"), encoding: "utf8", maxBuffer: 1 << 28});
  assert.equal(status, 0, stderr);
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

// Numbers of the same calculation, by two libraries of sines and logarithms.
function close(actual, expected, what, tolerance = 1e-11) {
  assert.equal(actual.length, expected.length, what);
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  expected.forEach((value, i) => assert.ok(Math.abs(actual[i] - value) <= tolerance * scale, `${what}[${i}]: ${actual[i]} is not ${value}`));
}

// Deterministic numbers from 0 to 1.
function chances(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const view = (rest = {}) => validateView({version: 1, dataset: "d", layers: [], ...rest});

test("the program's colour maps are those of assets, in the page's order", {skip}, () => {
  const [maps] = probe([{what: "colour maps"}]);
  assert.deepEqual(maps.map(({name}) => name), json("colour_maps/index.json").colour_maps);
  for (const map of maps) {
    const {name, title, points} = json(`colour_maps/${map.name}.json`);
    assert.deepEqual(map, {name, title, points});
  }
});

function transfers() {
  const next = chances(7);
  const random = Array.from({length: 12}, (_, n) => {
    const low = (next() - 0.5) * 10 ** (n - 6), width = next() * 10 ** (n - 6) + 1e-9;
    const points = Array.from({length: 1 + n % 5}, () => [low + (next() * 1.6 - 0.3) * width, next() < 0.3 ? 0 : next()]).sort((a, b) => a[0] - b[0]);
    return {map: ["cloud", "thermal", "grey"][n % 3], range: [low, low + width], opacity: points};
  });
  return [
    {map: "cloud", range: [0, 1], opacity: [[0, 0], [0.12, 0], [0.35, 0.12], [0.7, 0.5], [1, 0.85]]},
    {map: "temperature", range: [210, 310], opacity: [[273.15, 0], [273.15, 1], [285, 1], [285, 0]]},
    {map: "rain", range: [0, 3e-6], opacity: []},
    {map: "blue_white_red", range: [-50, 50], opacity: [[-80, 1], [120, 0]]},
    {map: "unheard_of", range: [0, 1], opacity: [[0.5, 0.3]]},
    ...random,
  ];
}

test("transfer functions are the same tables", {skip}, () => {
  const next = chances(11);
  const requests = transfers().map((one) => {
    const at = () => one.range[0] + (next() * 3 - 1) * (one.range[1] - one.range[0]);
    return {what: "transfer", v0: 0.25 * one.range[0], step: (one.range[1] - one.range[0]) / 777, pairs: Array.from({length: 200}, () => [at(), at()].sort((a, b) => a - b)), ...one};
  });
  const known = Object.fromEntries(json("colour_maps/index.json").colour_maps.map((name) => [name, json(`colour_maps/${name}.json`).points]));
  probe(requests).forEach((answer, n) => {
    const {map, range, opacity, v0, step, pairs} = requests[n], what = `${n}: ${map}`;
    const transfer = new Transfer(known[map], range, opacity);
    assert.deepEqual([answer.low, answer.high], [transfer.low, transfer.high], what);
    close(answer.data, [...transfer.data], `${what} data`, 1e-7);
    close(answer.integral, [...transfer.integral], `${what} integral`, 2e-7);
    assert.deepEqual(answer.visibleBefore, [...transfer.visibleBefore], what);
    close(answer.lookup, transfer.lookup({v0, step}), `${what} lookup`, 1e-14);
    assert.deepEqual(answer.visible, pairs.map(([low, high]) => transfer.visible(low, high)), `${what} visible`);
    close(answer.tau, pairs.map(([low]) => transfer.tau(low)), `${what} tau`, 1e-7);
  });
});

function cameras() {
  const next = chances(3);
  const boxes = [[[-800, -600, 0], [800, 600, 20]], [[-20000, -10000, -0.2], [20000, 10000, 48]], [[-1.5, -900, 0], [1.5, 900, 4]]];
  const random = Array.from({length: 24}, (_, n) => {
    const [low, high] = boxes[n % 3], place = () => low.map((v, axis) => v + (next() * 3 - 1) * (high[axis] - v));
    return {camera: {mode: ["orbit", "fly", "top"][n % 3], eye: place(), target: place(), up: [next() - 0.5, next() - 0.5, next()], fov: 1 + next() * 119}, low, high, exaggeration: 1 + next() * 40, aspect: 0.4 + 2 * next()};
  });
  const straight = {camera: {mode: "top", eye: [3, 4, 90], target: [3, 4, 0], up: [0, 0, 1], fov: 8}, low: boxes[0][0], high: boxes[0][1], exaggeration: 10, aspect: 1.5};
  const noUp = {...straight, camera: {...straight.camera, eye: [3, -400, 90], up: [0, 0, 0]}};
  const framed = boxes.flatMap(([low, high]) => ["south", "top"].flatMap((frame) => [0.5, 16 / 9, 3].map((aspect, n) => ({frame, low, high, aspect, exaggeration: [1, 15, 60][n]}))));
  return [...random, straight, noUp, ...framed];
}

test("cameras frame and project alike", {skip}, () => {
  const next = chances(5);
  const requests = cameras().map(({camera, exaggeration, ...rest}) => ({what: "camera", view: view({exaggeration, ...(camera ? {camera} : {})}), ...rest,
    places: Array.from({length: 20}, () => rest.low.map((v, axis) => v + (next() * 2 - 0.5) * (rest.high[axis] - v)))}));
  probe(requests).forEach((answer, n) => {
    const {view: {camera, exaggeration}, frame, low, high, aspect, places} = requests[n], mine = new Camera();
    Object.assign(mine, {box: {low, high}, exaggeration});
    if (frame === "top") mine.topDown(aspect);
    else if (frame) mine.reset(aspect);
    else mine.set(camera);
    const matrices = mine.matrices(aspect), size = Math.hypot(...high.map((v, axis) => v - low[axis]));
    close(answer.eye, mine.eye, `${n} eye`);
    close(answer.target.map((v) => v / size), mine.target.map((v) => v / size), `${n} target`, 1e-8);
    if (frame) assert.deepEqual([answer.up, answer.fov], [mine.up, mine.fov]);
    close(answer.shownEye, matrices.eye, `${n} shown eye`);
    for (const name of ["view", "projection", "all"]) close(answer[name], [...matrices[name]], `${n} ${name}`, 1e-9);
    for (let column = 0; column < 4; column++) close(answer.relative.slice(4 * column, 4 * column + 4), [...matrices.relative].slice(4 * column, 4 * column + 4), `${n} relative`, 1e-8);
    close([answer.near, answer.far], [matrices.near, matrices.far], `${n} near and far`);
    places.forEach((place, p) => {
      const at = mine.project(place, matrices);
      assert.equal(answer.projected[p] === null, at === null, `${n}: behind the eye or not`);
      if (at) close(answer.projected[p], at, `${n} place ${p}`, 1e-7);
    });
  });
});

test("the same sun shines, with the same colours", {skip}, () => {
  const next = chances(9);
  const requests = Array.from({length: 300}, (_, n) => ({what: "light", seconds: (next() * 2 - 0.5) * 2e9, lon: next() * 720 - 360, lat: next() * 180 - 90, north: next() * 360 - 180,
    view: view({light: {sun: n % 4 ? "time" : {azimuth: next() * 360, elevation: next() * 180 - 90}, shadows: n % 3 > 0, ambient: next()}})}));
  probe(requests).forEach((answer, n) => {
    const {view: {light}, ...place} = requests[n], mine = lightOf(light, place);
    close([answer.elevation], [mine.elevation], `${n} elevation`, 1e-7);
    const apart = Math.abs(answer.azimuth - mine.azimuth);
    assert.ok(Math.min(apart, 360 - apart) < 1e-5, `${n} azimuth`);
    for (const name of ["direction", "colour", "ambient"]) close(answer[name], mine[name], `${n} ${name}`, 1e-7);
    for (const name of ["top", "low"]) close(answer[name], mine.sky[name], `${n} sky`, 1e-7);
    assert.deepEqual([answer.shadows, answer.night], [mine.shadows, mine.night], `${n}`);
  });
});
