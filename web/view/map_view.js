// SPDX-License-Identifier: Apache-2.0
// The document of the flat map, and how it stands in an address. Pure.
//
//   {dataset, run, time, member, layers: [LAYER …] from the bottom to the top, at: [latitude, longitude, zoom] or null, projection}
//   LAYER: {variable, level: text of a surface, draw, opacity 0–1, visible, colour_map, range, units, interval or null, fit: the range follows what is on the surface}
//
// map.html#dataset=ID&run=latest&time=T+6&member=0&layer=ID;level=850hPa;draw=fill;…&layer=…&at=51.5,-0.1,5
// The addresses of the 3-D page (view_hash.js) are taken, too: their layers become layers of colours.
import {givesHeights, parseSurface, usualSurface} from "./map_surfaces.js";
import {checkLevel} from "./view_check.js";
import {decodeHash, percentDecode} from "./view_hash.js";
import {ViewError} from "./view_state.js";

export const DRAWS = {fill: "Colours", contours: "Contours", "fill-contours": "Colours, contours", barbs: "Wind barbs", arrows: "Wind arrows"};
export const PROJECTIONS = {mercator: "Mercator", lonlat: "Longitude and latitude"};
export const MOST_LAYERS = 6;
const TIME = /^(T[+-][0-9.]+|nearest to now|-?[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)$/;
const MOST_TEXT = 4096;

/** The document of an address, or null where it holds none. Throws ViewError where it holds one that is no good. */
export async function readMapHash(hash) {
  const text = hash.replace(/^#/, "");
  if (!/(^|&)layer=/.test(text)) return fromView(await decodeHash(hash));
  if (text.length > MOST_TEXT) throw new ViewError("view", `longer than ${MOST_TEXT} letters`);
  const parameters = new Map(), layers = [];
  for (const part of text.split("&")) {
    const [name, value] = [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)];
    if (name === "layer") layers.push(readLayer(value, layers.length));
    else parameters.set(name, percentDecode(value));
  }
  if (!parameters.has("dataset")) throw new ViewError("dataset", "is missing");
  if (layers.length > MOST_LAYERS) throw new ViewError("layer", `at most ${MOST_LAYERS} can be shown`);
  return {
    dataset: parameters.get("dataset"), run: said(parameters, "run", "latest", /^(latest|-?[0-9]{4,6}-.*Z)$/), time: said(parameters, "time", "T+0", TIME),
    member: Number(said(parameters, "member", "0", /^[0-9]{1,5}$/)), layers, at: readPlace(parameters.get("at")), projection: said(parameters, "projection", "mercator", /^(mercator|lonlat)$/),
  };
}

function said(parameters, name, otherwise, pattern) {
  const value = parameters.get(name) ?? otherwise;
  if (!pattern.test(value)) throw new ViewError(name, `"${value}" is none`);
  return value;
}

function readPlace(text) {
  if (!text) return null;
  const place = text.split(",").map(Number);
  if (place.length !== 3 || !place.every(Number.isFinite) || Math.abs(place[0]) > 90 || place[2] < 0 || place[2] > 24) throw new ViewError("at", "expected latitude,longitude,zoom");
  return place;
}

const OPTIONS = {
  level: (value) => (parseSurface(value) ? value : null),
  draw: (value) => (Object.hasOwn(DRAWS, value) ? value : null),
  opacity: (value) => (value !== "" && Number(value) >= 0 && Number(value) <= 1 ? Number(value) : null),
  colours: (value) => (/^[a-z0-9_-]{1,60}$/.test(value) ? value : null),
  range: (value) => { const range = value.split(",").map(Number); return range.length === 2 && range.every(Number.isFinite) && range[1] > range[0] ? range : null; },
  interval: (value) => (Number(value) > 0 ? Number(value) : null),
  units: (value) => (value.length < 60 ? value : null),
  hidden: (value) => value === "true",
  fit: (value) => value === "true",
};
const FIELDS = {colours: "colour_map"};

function readLayer(text, index) {
  const [variable, ...options] = text.split(";").map(percentDecode), layer = {variable};
  if (!variable) throw new ViewError(`layer[${index}]`, "names no variable");
  for (const option of options) {
    const [name, value] = [option.slice(0, option.indexOf("=")), option.slice(option.indexOf("=") + 1)];
    const taken = Object.hasOwn(OPTIONS, name) ? OPTIONS[name](value) : null;
    if (taken === null) throw new ViewError(`layer[${index}].${name || option}`, `"${value}" is none`);
    if (name === "hidden") layer.visible = !taken;
    else layer[FIELDS[name] ?? name] = taken;
  }
  return layer;
}

/** "#dataset=…" of a document. */
export function writeMapHash({dataset, run, time, member, layers, at, projection}) {
  const parts = [`dataset=${plain(dataset)}`, `run=${plain(run)}`, `time=${plain(time)}`];
  if (member) parts.push(`member=${member}`);
  if (projection !== "mercator") parts.push(`projection=${projection}`);
  for (const layer of layers) parts.push(`layer=${writeLayer(layer)}`);
  if (at) parts.push(`at=${at[0].toFixed(4)},${at[1].toFixed(4)},${Number(at[2].toFixed(2))}`);
  return `#${parts.join("&")}`;
}

// An address that can be read: what need not be escaped is not.
function plain(text) {
  return encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2B", "+").replaceAll("%2F", "/");
}

function writeLayer({variable, level, draw, opacity, visible, colour_map, range, units, interval, fit}) {
  const options = {level, draw, opacity: opacity === 1 ? null : opacity, colours: colour_map, range: range?.map((end) => Number(end.toPrecision(7))).join(","), interval, units, fit: fit || null};
  const said = Object.entries(options).filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => `;${name}=${plain(String(value))}`);
  return `${plain(variable)}${said.join("")}${visible === false ? ";hidden=true" : ""}`;
}

/** A view document as a map: its visible layers, which lack what only a map has. */
export function fromView(view) {
  if (!view) return null;
  const {dataset, run = "latest", time = "T+0", member = 0} = view;
  const layers = view.layers.filter(({minus}) => !minus).slice(0, MOST_LAYERS).map(({variable, visible = true, colour_map, range, units, level}) =>
    Object.fromEntries(Object.entries({variable, visible, colour_map, range, units, level}).filter(([, value]) => value !== undefined)));
  return {dataset, run, time, member, layers, at: null, projection: "mercator"};
}

/** The view document of the 3-D page that shows what a map shows: the same surfaces as sheets, and volumes where a map shows something of whole columns. Lines, which 3D has not, are there but hidden, unless there is nothing else. */
export function toView({dataset, run, time, member, layers}) {
  const seen = new Set(), once = layers.filter(({variable}) => !seen.has(variable) && seen.add(variable)), isLine = ({draw}) => !(draw ?? "fill").startsWith("fill"), lines = once.every(isLine);
  return {version: 1, dataset, run, time, member, layers: once.map((layer) => {
    const {variable, level, visible, colour_map, range, units} = layer, shown = visible !== false && (lines || !isLine(layer));
    const own = level && !isSheet(level) && (givesHeights(level) || parseSurface(level)?.kind === "sum"); // of heights and sums neither range nor units are the variable's
    return {variable, visible: shown, ...(isSheet(level) ? {level} : {}), ...(colour_map && !own ? {colour_map} : {}), ...(range && !own ? {range} : {}), ...(units && !own ? {units} : {})};
  })};
}

function isSheet(level) {
  try {
    return Boolean(checkLevel(level, "level"));
  } catch {
    return false;
  }
}

const WINDS = {wind_speed: ["wind_from_direction", "wind_to_direction"], eastward_wind: ["northward_wind"]};

/** Whether barbs can be drawn of a variable: it has a partner on the same levels. */
export function hasWind(dataset, variable) {
  const partners = WINDS[variable.standard_name] ?? [];
  return dataset.variables.some((other) => partners.includes(other.standard_name) && Boolean(other.vertical) === Boolean(variable.vertical) && other.vertical?.levels === variable.vertical?.levels);
}

/** The variable whose barbs go with another: on levels where that has any. undefined where there is none. */
export function windOf(dataset, {vertical}) {
  return dataset.variables.find((variable) => hasWind(dataset, variable) && Boolean(variable.vertical) === Boolean(vertical));
}

/** A layer with what it leaves open; `preset`: of presets.js, for the variable. */
export function completeLayer(layer, variable, dataset, preset) {
  const wind = hasWind(dataset, variable);
  const draw = !layer.draw || (["barbs", "arrows"].includes(layer.draw) && !wind) ? "fill" : layer.draw;
  return {visible: true, opacity: 1, draw, level: variable.vertical ? usualSurface(variable) : "", colour_map: preset.colour_map, range: preset.range, units: preset.units, interval: null, fit: false, ...layer, variable: variable.id,
    ...(draw !== layer.draw ? {draw} : {}), ...(variable.vertical ? {} : {level: ""}), ...(variable.vertical && layer.level === "" ? {level: usualSurface(variable)} : {})};
}

/** What the server is asked for by a layer, but for run and time: {level, style, member}. `fade`: what there is little of lets the map through. */
export function layerQuery({level, draw, colour_map, range, interval}, member, fade) {
  const scale = `range=${range[0]},${range[1]}`, lines = interval ? `;interval=${interval}` : "";
  const style = {fill: `fill/${colour_map};${scale};fade=${fade}`, "fill-contours": `fill-contours/${colour_map};${scale};fade=${fade}${lines}`, contours: `contours${lines}`}[draw] ?? draw;
  return {level, member, style};
}

/** Longitude and latitude of a dataset's outermost corners: [[south, west], [north, east]]; the whole map where it goes around. */
export function boundsOf({grid}) {
  const corners = (grid.corners ?? []).filter((corner) => corner.every(Number.isFinite));
  if (grid.wraps || corners.length < 4) return [[-60, -180], [75, 180]];
  const [[first]] = corners, near = corners.map(([lon, lat]) => [first + ((((lon - first + 180) % 360) + 360) % 360) - 180, lat]);
  const lons = near.map(([lon]) => lon), lats = near.map(([, lat]) => lat);
  return [[Math.max(-85, Math.min(...lats)), Math.min(...lons)], [Math.min(85, Math.max(...lats)), Math.max(...lons)]];
}

