// SPDX-License-Identifier: Apache-2.0
// The opacity curve of a layer: points to drag over an axis in real units. Upward is opacity per km of true height on a
// square-root scale, because thin air is where the art is. Each point is a slider for keyboards: arrows move it, Delete
// removes it, Enter on the curve adds one.
import {interpolate} from "../view/transfer_function.js";
import {displayUnits, shortNumber} from "../view/units.js";
import {h, s} from "./dom.js";
import {paintScale, scaleTicks} from "./legend.js";

const WIDTH = 280; // of the SVG's own coordinates; it stretches with its place
const HEIGHT = 96;
const MARGIN = 8;
const GRID = [0.01, 0.1, 0.5, 1];
const MOST_POINTS = 32;

/** change(points, final): called while dragging (final false) and at the end of each change (final true). */
export function createOpacityEditor(change) {
  const grid = s("g", {class: "curve-grid"});
  const area = s("path", {class: "curve-area"});
  const line = s("path", {class: "curve-line"});
  const handles = s("g", {});
  const svg = s("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "group", preserveAspectRatio: "none",
    "aria-label": "Opacity curve. Click to add a point."}, grid, area, line, handles);
  const scale = h("canvas", {class: "scale", "aria-hidden": "true"});
  const ticks = h("div", {class: "ticks", "aria-hidden": "true"});
  const readout = h("output", {class: "curve-readout"});
  const element = h("div", {class: "opacity-editor"}, h("div", {class: "curve-head"}, h("span", {class: "label"}, "Opacity"), readout), svg, scale, ticks);
  let layer = null;
  let units = null;
  let perKm = true;
  let domain = [0, 1];
  let selected = -1;
  let drag = null;

  const toX = (value) => MARGIN + ((value - domain[0]) / (domain[1] - domain[0])) * (WIDTH - 2 * MARGIN);
  const toValue = (x) => domain[0] + ((x - MARGIN) / (WIDTH - 2 * MARGIN)) * (domain[1] - domain[0]);
  const toY = (opacity) => HEIGHT - MARGIN - Math.sqrt(opacity) * (HEIGHT - 2 * MARGIN);
  const toOpacity = (y) => Math.min(1, Math.max(0, (HEIGHT - MARGIN - y) / (HEIGHT - 2 * MARGIN))) ** 2;

  for (const opacity of GRID) {
    grid.append(s("line", {x1: 0, x2: WIDTH, y1: toY(opacity), y2: toY(opacity)}));
  }
  svg.addEventListener("pointerdown", start);
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerup", end);
  svg.addEventListener("pointercancel", end);
  svg.addEventListener("dblclick", (event) => {
    const index = Number(event.target.dataset?.index ?? -1);
    if (index >= 0) remove(index);
  });
  const observer = new ResizeObserver(() => paint());
  observer.observe(scale);

  function place(event) {
    const box = svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT];
  }

  function start(event) {
    if (!layer || event.button > 0) return;
    event.preventDefault();
    const [x, y] = place(event);
    let index = nearestPoint(x, y);
    const points = layer.opacity.map((point) => [...point]);
    if (index < 0) {
      if (points.length >= MOST_POINTS) return;
      const value = toValue(Math.min(WIDTH - MARGIN, Math.max(MARGIN, x)));
      index = points.filter((point) => point[0] <= value).length;
      points.splice(index, 0, [value, toOpacity(y)]);
      apply(points, index, false);
    }
    drag = {index, pointer: event.pointerId};
    svg.setPointerCapture(event.pointerId);
    select(index);
    handles.children[index]?.focus({preventScroll: true});
  }

  function nearestPoint(x, y) {
    const box = svg.getBoundingClientRect();
    let best = -1;
    let distance = 14; // pixels
    layer.opacity.forEach(([value, opacity], i) => {
      const away = Math.hypot(((toX(value) - x) * box.width) / WIDTH, ((toY(opacity) - y) * box.height) / HEIGHT);
      if (away < distance) [best, distance] = [i, away];
    });
    return best;
  }

  function move(event) {
    if (!drag || event.pointerId !== drag.pointer) return;
    const [x, y] = place(event);
    moveTo(drag.index, toValue(x), toOpacity(y), false);
  }

  function end(event) {
    if (!drag || event.pointerId !== drag.pointer) return;
    drag = null;
    change(layer.opacity, true);
  }

  // A point stays between its neighbours and within the axis.
  function moveTo(index, value, opacity, final) {
    const points = layer.opacity.map((point) => [...point]);
    const low = index > 0 ? points[index - 1][0] : domain[0];
    const high = index < points.length - 1 ? points[index + 1][0] : domain[1];
    points[index] = [tidy(Math.min(high, Math.max(low, value))), Number(Math.min(1, Math.max(0, opacity)).toPrecision(3))];
    apply(points, index, final);
  }

  function tidy(value) {
    const digits = Math.max(0, Math.ceil(-Math.log10((domain[1] - domain[0]) / 1000)));
    return Number(value.toFixed(Math.min(12, digits)));
  }

  function remove(index) {
    if (layer.opacity.length <= 1) return;
    apply(layer.opacity.filter((_, i) => i !== index), Math.min(index, layer.opacity.length - 2), true);
    handles.children[selected]?.focus({preventScroll: true});
  }

  function apply(points, index, final) {
    layer = {...layer, opacity: points};
    selected = index;
    draw();
    change(points, final);
  }

  function key(event, index) {
    const stepValue = (domain[1] - domain[0]) / (event.shiftKey ? 10 : 100);
    const stepOpacity = event.shiftKey ? 0.1 : 0.02;
    const [value, opacity] = layer.opacity[index];
    const root = Math.sqrt(opacity);
    const moves = {
      ArrowLeft: [value - stepValue, opacity],
      ArrowRight: [value + stepValue, opacity],
      ArrowUp: [value, Math.min(1, root + stepOpacity) ** 2],
      ArrowDown: [value, Math.max(0, root - stepOpacity) ** 2],
    };
    if (moves[event.key]) moveTo(index, ...moves[event.key], true);
    else if (event.key === "Delete" || event.key === "Backspace") remove(index);
    else if (event.key === "Enter" && layer.opacity.length < MOST_POINTS) addAfter(index);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function addAfter(index) {
    const points = layer.opacity.map((point) => [...point]);
    const next = points[index + 1]?.[0] ?? domain[1];
    const value = (points[index][0] + next) / 2;
    points.splice(index + 1, 0, [value, interpolate(points, value)]);
    apply(points, index + 1, true);
    handles.children[index + 1]?.focus({preventScroll: true});
  }

  function select(index) {
    selected = index;
    const point = layer?.opacity[index];
    readout.textContent = point ? describe(point) : "";
    [...handles.children].forEach((handle, i) => handle.classList.toggle("selected", i === index));
  }

  function describe([value, opacity]) {
    const label = units.label ? ` ${units.label}` : "";
    return `${shortNumber(units.toShown(value), 4)}${label}: ${shortNumber(opacity * 100, 3)} %${perKm ? " per km" : ""}`;
  }

  function draw() {
    const points = layer.opacity;
    const path = [`M0 ${toY(points[0][1])}`, ...points.map(([value, opacity]) => `L${toX(value)} ${toY(opacity)}`), `L${WIDTH} ${toY(points.at(-1)[1])}`].join(" ");
    line.setAttribute("d", path);
    area.setAttribute("d", `${path} L${WIDTH} ${HEIGHT} L0 ${HEIGHT} Z`);
    while (handles.children.length > points.length) handles.lastChild.remove();
    while (handles.children.length < points.length) handles.append(makeHandle(handles.children.length));
    points.forEach((point, i) => {
      const handle = handles.children[i];
      handle.setAttribute("x1", toX(point[0]));
      handle.setAttribute("x2", toX(point[0]));
      handle.setAttribute("y1", toY(point[1]));
      handle.setAttribute("y2", toY(point[1]));
      handle.setAttribute("aria-valuenow", point[1]);
      handle.setAttribute("aria-valuetext", describe(point));
    });
    select(selected);
    paint();
  }

  // A line of no length with a round cap: a dot that stays round however the curve is stretched.
  function makeHandle(index) {
    return s("line", {class: "curve-point", tabindex: 0, role: "slider", "data-index": index, "aria-label": `Point ${index + 1}`, "aria-valuemin": 0,
      "aria-valuemax": 1, "vector-effect": "non-scaling-stroke", onkeydown: (event) => key(event, index), onfocus: () => select(index)});
  }

  function paint() {
    if (layer) paintScale(scale, layer, [toValue(0), toValue(WIDTH)], false);
  }

  function update(newLayer, variable) {
    if (drag) return;
    layer = newLayer;
    perKm = Boolean(variable.vertical) && !layer.level;
    units = displayUnits(variable, layer.units);
    const values = [...layer.range, ...layer.opacity.map((point) => point[0])];
    domain = [Math.min(...values), Math.max(...values)];
    selected = Math.min(selected, layer.opacity.length - 1);
    draw();
    const wide = [toValue(0), toValue(WIDTH)];
    ticks.replaceChildren(...scaleTicks(wide, units, 4).map(({position, text}) =>
      h("span", {class: position < 0.02 ? "start" : position > 0.98 ? "end" : "", style: {left: `${position * 100}%`}}, text)));
  }

  return {element, update};
}
