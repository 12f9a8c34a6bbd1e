// SPDX-License-Identifier: Apache-2.0
// The flat map as one class, as viewer.js is for the picture in 3D: it is told what to show and at which step, and says when that is on screen.
//
//   const map = new FlatMap(host, maps);
//   map.setLayers([{id, what(iso) → what net/maps.js takes, or null where the step is not there, stamp(iso): changes with its files, lines: above the coasts, opacity}], times: [ISO])
//   map.setTime(index, {rate}); map.play({rate, loop}); map.pause();
// Events: "step" {iso} on screen, "steps" {ready: [bool]}, "view" {at}, "pick" {lat, lon}, "error" {error}.
import {Control, CRS, LatLng, Map as LeafletMap} from "../node_modules/leaflet/dist/leaflet-src.esm.js";
import {FieldTiles} from "./field_tiles.js";
import {CoastTiles, LandTiles} from "./world_tiles.js";

const CRSES = {mercator: CRS.EPSG3857, lonlat: CRS.EPSG4326};
const LONGEST_WAIT = 20000; // ms: a step whose tiles do not come is shown as far as it is there

export class FlatMap extends EventTarget {
  #maps;
  #map = null;
  #layers = [];
  #frames = new Map(); // ISO → {tiles: [FieldTiles], waiting: those of them that are not whole, since: ms, stamp}
  #ready = new Set();  // ISO of steps that were whole with the layers and the place as they are
  #shown = null;       // ISO; "" for layers that are no more
  #told = null;        // the frame whose step was told of last
  #timer = 0;
  #lines = {coastlines: true, graticule: true};
  #coasts = null;

  constructor(host, maps) {
    super();
    this.host = host;
    this.#maps = maps;
    this.times = []; // [{iso}]
    this.timeIndex = 0;
    this.playing = false;
    this.rate = 4;
    this.loop = true;
    this.#build("mercator");
  }

  get projection() { return this.#map.options.crs === CRSES.mercator ? "mercator" : "lonlat"; }
  get at() { const {lat, lng} = this.#map.getCenter(); return [lat, lng, this.#map.getZoom()]; }
  get bounds() { const box = this.#map.getBounds(); return {south: box.getSouth(), north: box.getNorth(), west: box.getWest(), east: box.getEast()}; }
  get leaflet() { return this.#map; }

  #build(projection) {
    this.#map?.remove();
    const place = document.createElement("div");
    place.className = "flat-map";
    this.host.replaceChildren(place);
    const map = new LeafletMap(place, {crs: CRSES[projection], zoomControl: false, attributionControl: false, keyboard: false, fadeAnimation: false, worldCopyJump: true, minZoom: 1, maxZoom: 16, zoomSnap: 1, center: [0, 0], zoom: 2});
    new Control.Zoom({position: "topright"}).addTo(map);
    new Control.Scale({position: "bottomleft", imperial: false}).addTo(map);
    const credit = new Control.Attribution({position: "bottomleft", prefix: false}).addTo(map);
    credit.addAttribution("Leaflet · coasts: Natural Earth");
    for (const [name, order] of [["land", 150], ["fields", 300], ["coasts", 400], ["lines", 450]]) map.createPane(name).style.setProperty("z-index", order);
    map.getPane("coasts").style.setProperty("pointer-events", "none");
    map.on("moveend", () => { this.#ready.clear(); this.#tellSteps(); this.#tell("view", {at: this.at}); });
    map.on("click", ({latlng}) => { const {lat, lng} = latlng.wrap(); this.#tell("pick", {lat, lon: lng}); });
    this.#map = map;
    this.#frames.clear();
    new LandTiles({pane: "land", projection, noWrap: false}).addTo(map);
    this.#coasts = null;
    this.#drawLines();
  }

  #drawLines() {
    this.#coasts?.remove();
    this.#coasts = null;
    if (this.#lines.coastlines || this.#lines.graticule) this.#coasts = new CoastTiles({pane: "coasts", projection: this.projection, graticule: this.#lines.graticule, coasts: this.#lines.coastlines}).addTo(this.#map);
  }

  setLines(lines) {
    if (lines.coastlines === this.#lines.coastlines && lines.graticule === this.#lines.graticule) return;
    this.#lines = {...lines};
    this.#drawLines();
  }

  setProjection(projection) {
    if (projection === this.projection) return;
    const at = this.at;
    this.#build(projection);
    this.#shown = null;
    this.goTo(at);
    this.setTime(this.timeIndex);
  }

  goTo([lat, lon, zoom]) { this.#map.setView([lat, lon], zoom, {animate: false}); }
  fit([[south, west], [north, east]]) { this.#map.fitBounds([[south, west], [north, east]], {animate: false, padding: [8, 8]}); }
  zoomBy(by) { this.#map.setZoom(this.#map.getZoom() + by); }
  panBy(x, y) { this.#map.panBy([x, y]); }
  resized() { this.#map.invalidateSize({animate: false}); }

  /** Where a place is on screen, in pixels of the host; null where it is out of sight. */
  screenOf({lat, lon}) {
    const {lng} = this.#map.getCenter(), turned = lon + 360 * Math.round((lng - lon) / 360), {x, y} = this.#map.latLngToContainerPoint(new LatLng(lat, turned)), size = this.#map.getSize();
    return x >= 0 && y >= 0 && x <= size.x && y <= size.y ? [x, y] : null;
  }

  /** Tiles [{z, x, y}] of Mercator that together show what is in sight, at most `most`. */
  tilesInSight(most) {
    const {south, north, west, east} = this.bounds, row = (lat) => (1 - Math.asinh(Math.tan((Math.min(85.05, Math.max(-85.05, lat)) * Math.PI) / 180)) / Math.PI) / 2;
    for (let z = Math.round(this.at[2]); ; z--) {
      const side = 2 ** z, at = (share) => Math.min(side - 1, Math.max(0, Math.floor(share * side))), tiles = [];
      const columns = new Set();
      for (let x = Math.floor(((west + 180) / 360) * side); x <= Math.floor(((east + 180) / 360) * side) && columns.size < side; x++) columns.add(((x % side) + side) % side);
      for (const x of columns) for (let y = at(row(north)); y <= at(row(south)); y++) tiles.push({z, x, y});
      if (tiles.length <= most || z === 0) return tiles;
    }
  }

  /** What is shown, from the bottom to the top. What stays the same (by `id`, and at each step by `stamp`) keeps its tiles. */
  setLayers(layers, times) {
    const key = (list) => list.map(({id}) => id).join("\n"), same = key(layers) === key(this.#layers);
    this.#layers = layers;
    this.times = times.map((iso) => ({iso}));
    for (const [iso, frame] of [...this.#frames]) if (iso !== "" && (!same || frame.stamp !== this.#stampOf(iso))) this.#leave(iso, frame);
    if (!same) this.#ready.clear();
    this.#paint();
  }

  // A step that is no more as it was stays in sight until another is whole.
  #leave(iso, frame) {
    this.#ready.delete(iso);
    if (iso !== this.#shown) return this.#drop(iso);
    this.#drop("");
    this.#frames.delete(iso);
    this.#frames.set("", frame);
    this.#shown = "";
    return undefined;
  }

  #stampOf(iso) { return this.#layers.map((layer) => layer.stamp?.(iso) ?? "").join(" "); }

  setTime(index) {
    this.timeIndex = Math.min(this.times.length - 1, Math.max(0, index));
    const iso = this.times[this.timeIndex]?.iso;
    if (iso === undefined) return;
    this.#want(iso);
    this.#trim();
    this.#look();
  }

  play({rate, loop}) {
    Object.assign(this, {rate, loop});
    if (!this.playing) { this.playing = true; this.#next(); }
  }

  pause() {
    this.playing = false;
    clearTimeout(this.#timer);
    this.#trim();
  }

  /** Resolves when what is wanted is on screen. */
  settled() {
    const wanted = () => this.#shown === (this.times[this.timeIndex]?.iso ?? null);
    return wanted() ? Promise.resolve() : new Promise((resolve) => { const look = () => { if (wanted()) { this.removeEventListener("step", look); resolve(); } }; this.addEventListener("step", look); });
  }

  // ---- Steps: each has its own tile layers, hidden until all are whole.

  #want(iso) {
    if (this.#frames.has(iso)) return;
    const frame = {tiles: [], waiting: new Set(), since: performance.now(), stamp: this.#stampOf(iso)};
    this.#frames.set(iso, frame);
    this.#layers.forEach((layer, order) => {
      const what = layer.what(iso);
      if (!what) return;
      const tiles = new FieldTiles({pane: layer.lines ? "lines" : "fields", opacity: 0, zIndex: 10 + order, maps: this.#maps, lonlat: this.projection === "lonlat", keepBuffer: 1, updateWhenZooming: false, maxZoom: 24,
        what: this.#maps.fixed(what), failed: (error) => this.#tell("error", {error, layer})});
      frame.tiles.push(tiles);
      frame.waiting.add(tiles);
      tiles.on("loading", () => frame.waiting.add(tiles));
      tiles.on("load", () => { frame.waiting.delete(tiles); if (!frame.waiting.size) { this.#ready.add(iso); this.#tellSteps(); this.#look(); } });
      tiles.options.what.catch((error) => { this.#tell("error", {error, layer}); frame.waiting.delete(tiles); this.#look(); });
      tiles.addTo(this.#map);
    });
    if (!frame.waiting.size) this.#ready.add(iso);
    else setTimeout(() => this.#look(), LONGEST_WAIT + 1);
  }

  // Shows the step that is wanted as soon as it is whole; the very first while it comes.
  #look() {
    const iso = this.times[this.timeIndex]?.iso, frame = this.#frames.get(iso);
    if (!frame) return;
    const whole = !frame.waiting.size || performance.now() - frame.since > LONGEST_WAIT;
    if (this.#shown !== iso && (whole || this.#shown === null)) {
      const before = this.#shown;
      this.#shown = iso;
      this.#paint();
      if (before === "") this.#drop("");
      this.#trim();
    }
    if (whole && this.#told !== frame) {
      this.#told = frame;
      this.#tell("step", {iso});
    }
  }

  #paint() {
    for (const [iso, {tiles}] of this.#frames) tiles.forEach((one) => one.show(iso === this.#shown ? this.#layers[one.options.zIndex - 10]?.opacity ?? 1 : 0));
  }

  // Keeps what is shown, what is wanted and, while playing, what comes next.
  #trim() {
    const next = this.#nextIndex(), keep = new Set([this.#shown, this.times[this.timeIndex]?.iso, this.playing && next !== null ? this.times[next].iso : null]);
    for (const iso of [...this.#frames.keys()]) if (!keep.has(iso)) this.#drop(iso);
  }

  #drop(iso) {
    for (const tiles of this.#frames.get(iso)?.tiles ?? []) tiles.remove();
    this.#frames.delete(iso);
  }

  #nextIndex() {
    if (this.timeIndex + 1 < this.times.length) return this.timeIndex + 1;
    return this.loop && this.times.length > 1 ? 0 : null;
  }

  // Playing waits for tiles: no step is passed over, and none is shown that is not whole.
  #next() {
    clearTimeout(this.#timer);
    const next = this.#nextIndex();
    if (!this.playing) return;
    if (next === null) { this.pause(); this.#tell("steps", {ready: this.#readySteps()}); return; }
    this.#want(this.times[next].iso);
    this.#timer = setTimeout(() => {
      const frame = this.#frames.get(this.times[next]?.iso);
      if (this.#shown === this.times[this.timeIndex]?.iso && frame && (!frame.waiting.size || performance.now() - frame.since > LONGEST_WAIT)) this.setTime(next);
      this.#next();
    }, 1000 / this.rate);
  }

  #readySteps() { return this.times.map(({iso}) => this.#ready.has(iso)); }
  #tellSteps() { this.#tell("steps", {ready: this.#readySteps()}); }
  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, {detail})); }
}
