// SPDX-License-Identifier: Apache-2.0
// Land, coasts, borders and a graticule for the flat map, drawn by the page into tiles of its own from world-atlas.
import {DomUtil, GridLayer} from "../node_modules/leaflet/dist/leaflet-src.esm.js";
import {loadWorld, unrolledRing} from "../layers/coastlines.js";

const PIECE = 64; // points of a line that are drawn or passed over together
const LINES = {coast: {colour: "rgb(20 30 40 / 0.85)", width: 1.1, halo: "rgb(255 255 255 / 0.45)"}, border: {colour: "rgb(50 30 60 / 0.75)", width: 0.9, halo: "rgb(255 255 255 / 0.2)"}};
const SEA = "#c3d1dc", LAND = "#e6e5de", GRATICULE = "rgb(30 40 60 / 0.22)";
const STEPS = [30, 30, 30, 20, 10, 10, 5, 2, 1, 1, 0.5, 0.2, 0.1]; // degrees by zoom

const detailOf = (zoom) => (zoom < 3.5 ? "110m" : zoom < 6.5 ? "50m" : "10m");
const clamp = (lat) => Math.min(85.0511287798, Math.max(-85.0511287798, lat));

// Places as shares of a square world from its upper left corner.
const PROJECTS = {
  mercator: ([lon, lat]) => [(lon + 180) / 360, (1 - Math.asinh(Math.tan((clamp(lat) * Math.PI) / 180)) / Math.PI) / 2],
  lonlat: ([lon, lat]) => [(lon + 180) / 180, (90 - lat) / 180],
};
const WIDTHS = {mercator: 1, lonlat: 2};

const kept = new Map();

// {lines: [{kind, points: Float64Array, box}], land: [{rings: [Float64Array], box}]} of a detail in a projection.
function worldOf(detail, projection) {
  const key = `${detail} ${projection}`;
  if (!kept.has(key)) {
    const promise = loadWorld(detail).then((world) => ({
      lines: [...linesOf(world.borders, "border", projection), ...linesOf(world.coasts, "coast", projection)],
      land: world.polygons.map((polygon) => { const rings = polygon.map((ring) => placed(unrolledRing(ring), projection)); return {rings, box: boxOf(rings[0])}; }),
    }));
    promise.catch(() => kept.delete(key));
    kept.set(key, promise);
  }
  return kept.get(key);
}

function placed(line, projection) {
  const project = PROJECTS[projection];
  return Float64Array.from(line.flatMap((point) => project(point)));
}

function linesOf(lines, kind, projection) {
  return lines.flatMap((line) => {
    const points = placed(unrolled(line), projection), pieces = [];
    for (let from = 0; from < points.length - 2; from += 2 * PIECE) {
      const piece = points.subarray(from, Math.min(points.length, from + 2 * PIECE + 2));
      pieces.push({kind, points: piece, box: boxOf(piece)});
    }
    return pieces;
  });
}

// A line whose longitudes run on across the date line.
function unrolled(line) {
  let turned = 0;
  return line.map(([lon, lat], n) => {
    const step = n ? lon - line[n - 1][0] : 0;
    if (Math.abs(step) > 180) turned -= 360 * Math.sign(step);
    return [lon + turned, lat];
  });
}

function boxOf(points) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let n = 0; n < points.length; n += 2) {
    box[0] = Math.min(box[0], points[n]);
    box[1] = Math.min(box[1], points[n + 1]);
    box[2] = Math.max(box[2], points[n]);
    box[3] = Math.max(box[3], points[n + 1]);
  }
  return box;
}

const World = GridLayer.extend({
  options: {projection: "mercator", keepBuffer: 1, updateWhenZooming: false},

  createTile(coords, done) {
    const size = this.getTileSize(), ratio = window.devicePixelRatio || 1, canvas = DomUtil.create("canvas", "world-tile");
    Object.assign(canvas, {width: Math.round(size.x * ratio), height: Math.round(size.y * ratio)});
    worldOf(detailOf(coords.z), this.options.projection).then((world) => {
      this.draw(canvas.getContext("2d"), world, this.tileFrame(coords, canvas.width), ratio);
      done(null, canvas);
    }, (error) => done(error, canvas));
    return canvas;
  },

  // How shares of the world become pixels of a tile, and which part of the world it shows, with a margin.
  tileFrame({x, y, z}, pixels) {
    const count = 2 ** z, margin = 4 / pixels;
    return {z, scale: count * pixels, x: x * pixels, y: y * pixels, box: [(x - margin) / count, (y - margin) / count, (x + 1 + margin) / count, (y + 1 + margin) / count]};
  },

  // Calls with each whole turn of the world at which a box touches the tile.
  turns(box, frame, act) {
    const width = WIDTHS[this.options.projection];
    if (box[3] < frame.box[1] || box[1] > frame.box[3]) return;
    for (let turn = Math.ceil((frame.box[0] - box[2]) / width); turn * width + box[0] <= frame.box[2]; turn++) act(turn * width);
  },

  trace(context, points, frame, turn) {
    for (let n = 0; n < points.length; n += 2) context[n ? "lineTo" : "moveTo"]((points[n] + turn) * frame.scale - frame.x, points[n + 1] * frame.scale - frame.y);
  },
});

/** Sea and land below the fields. */
export const LandTiles = World.extend({
  draw(context, {land}, frame) {
    context.fillStyle = SEA;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    context.fillStyle = LAND;
    for (const {rings, box} of land) this.turns(box, frame, (turn) => {
      context.beginPath();
      for (const ring of rings) this.trace(context, ring, frame, turn);
      context.fill("evenodd");
    });
  },
});

/** Coasts, borders and, where options.graticule says so, meridians and parallels, above the fields. */
export const CoastTiles = World.extend({
  draw(context, {lines}, frame, ratio) {
    context.lineJoin = "round";
    if (this.options.graticule) this.drawGraticule(context, frame, ratio);
    for (const [kind, style] of this.options.coasts ? Object.entries(LINES).reverse() : []) {
      const shown = [];
      for (const {kind: own, points, box} of lines) if (own === kind) this.turns(box, frame, (turn) => shown.push([points, turn]));
      for (const [colour, width] of [[style.halo, style.width + 1.4], [style.colour, style.width]]) {
        context.beginPath();
        for (const [points, turn] of shown) this.trace(context, points, frame, turn);
        Object.assign(context, {strokeStyle: colour, lineWidth: width * ratio});
        context.stroke();
      }
    }
  },

  drawGraticule(context, frame, ratio) {
    const step = STEPS[Math.min(STEPS.length - 1, Math.floor(frame.z))], project = PROJECTS[this.options.projection], {width, height} = context.canvas;
    Object.assign(context, {strokeStyle: GRATICULE, lineWidth: ratio});
    context.beginPath();
    for (let lon = -180; lon < 180; lon += step) this.turns([project([lon, 0])[0], 0, project([lon, 0])[0], 1], frame, (turn) => {
      const x = (project([lon, 0])[0] + turn) * frame.scale - frame.x;
      context.moveTo(x, 0);
      context.lineTo(x, height);
    });
    for (let lat = -90 + step; lat < 90; lat += step) {
      const y = project([0, lat])[1] * frame.scale - frame.y;
      if (y >= 0 && y < height) { context.moveTo(0, y); context.lineTo(width, y); }
    }
    context.stroke();
  },
});
