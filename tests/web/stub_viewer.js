// SPDX-License-Identifier: Apache-2.0
// Stands in for web/viewer.js in tests of the page's controls: the same interface, no data, and a record of every call. It draws
// a sky and a slab so that screenshots show the controls over something.

const CAMERA = {mode: "orbit", eye: [0, -1400, 950], target: [0, 0, 100], up: [0, 0, 1], fov: 40};

export class Viewer extends EventTarget {
  constructor(canvas, options = {}) {
    super();
    this.canvas = canvas;
    this.options = options;
    this.calls = [];
    this.catalog = null;
    this.view = null;
    this.camera_ = structuredClone(CAMERA);
    this.playing_ = false;
    this.times_ = [];
    this.timeIndex_ = 0;
    new ResizeObserver(() => this.paint()).observe(canvas);
  }

  record(name, ...values) {
    this.calls.push([name, ...structuredClone(values)]);
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }

  async loadCatalog() {
    const answer = await fetch(`${this.options.base}api/catalog`);
    if (!answer.ok) throw new Error(`api/catalog: HTTP ${answer.status}`);
    this.catalog = await answer.json();
    this.emit("catalog", {catalog: this.catalog});
    this.emit("connection", {state: "open", message: "", transport: "websocket"});
    return this.catalog;
  }

  setColourMaps(maps) {
    this.maps = maps;
  }

  setView(view) {
    this.record("setView", view);
    const dataset = this.catalog.datasets.find((d) => d.id === view.dataset);
    const run = view.run === "latest" ? dataset.runs.at(-1) : dataset.runs.find((r) => r.time === view.run);
    const times = run.series[view.layers[0]?.variable]?.times ?? [];
    this.times_ = times.map((iso, index) => ({index, iso, seconds: Date.parse(iso) / 1000}));
    this.view = view;
    if (view.camera) this.camera_ = structuredClone(view.camera);
    const lead = /^T([+-].*)$/.exec(view.time);
    const wanted = lead ? Date.parse(run.time) + Number(lead[1]) * 3600e3 : Date.parse(view.time);
    const found = this.times_.findIndex((t) => Date.parse(t.iso) === wanted || t.iso === view.time);
    this.timeIndex_ = Math.max(0, found);
    this.arrive();
  }

  // What the real viewer says once data is here.
  arrive() {
    const time = this.times_[this.timeIndex_];
    if (time) this.emit("step", {...time, run: {time: ""}, lead: null});
    this.emit("steps", {ready: this.times_.map((_, i) => i < this.timeIndex_ + 9)});
    const variables = this.view.layers.map((layer) => ({variable: layer.variable, epsilon: layer.variable === "cloud_fraction" ? 0.005 : 0.05, units: layer.variable === "cloud_fraction" ? "1" : "K"}));
    this.emit("badge", {level: 0, levels: 3, levelByLayer: [0], epsilon: variables.slice(0, 1), share: 1, state: "final", resolution: 1, blended: false, degraded: false, droppedBits: 0, simplified: false, night: false});
    this.paint();
  }

  get times() { return this.times_; }
  get timeIndex() { return this.timeIndex_; }
  setTime(index, hint) {
    this.record("setTime", index, hint);
    this.timeIndex_ = index;
    this.arrive();
  }

  play(options) {
    this.record("play", options);
    this.playing_ = true;
  }

  watchExports(on) { this.record("watchExports", on); }
  watchPins(on) { this.record("watchPins", on); }
  signedIn() { this.record("signedIn"); }
  get told() { return !this.deaf; }

  // Tests move a playing stub by hand.
  advance() {
    this.timeIndex_ = (this.timeIndex_ + 1) % this.times_.length;
    this.arrive();
  }

  pause() {
    this.record("pause");
    this.playing_ = false;
  }

  get playing() { return this.playing_; }

  probe(x, y) {
    const box = this.canvas.getBoundingClientRect();
    if (y - box.top < box.height * 0.2) return null;
    return {on: "volume", lon: -2.513 + (x - box.left) / 1e3, lat: 53.25, height: 3240, datum: "sea", ground: 120, i: 3, j: 4, x: 0, y: 0,
      layers: this.view.layers.filter((l) => l.visible).map((l, i) => ({variable: l.variable, value: i ? null : 0.4352, units: "1", epsilon: 0.005, level: 0}))};
  }

  moveCamera(name, mode, eye) {
    this.record(name);
    this.camera_ = {...structuredClone(CAMERA), mode, eye};
    this.emit("camera", this.camera_);
  }

  resetCamera() { this.moveCamera("resetCamera", "orbit", CAMERA.eye); }
  topDown() { this.moveCamera("topDown", "top", [0, 0, 1800]); }
  fly(on) {
    this.record("fly", on);
    this.camera_.mode = on ? "fly" : "orbit";
    this.emit("camera", this.camera_);
  }

  get camera() { return structuredClone(this.camera_); }
  get geometry() { return null; }
  stats() { return {}; }
  async settled() {}
  async screenshot() { return new Promise((resolve) => this.canvas.toBlob(resolve)); }
  dispose() {}

  paint() {
    const canvas = this.canvas;
    canvas.width = canvas.clientWidth;
    canvas.height = canvas.clientHeight;
    const context = canvas.getContext("2d");
    const {width, height} = canvas;
    const sky = context.createLinearGradient(0, 0, 0, height);
    sky.addColorStop(0, "#1b2b3c");
    sky.addColorStop(1, "#0f1820");
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#3f5a4b";
    context.beginPath();
    context.moveTo(width * 0.3, height * 0.4);
    context.lineTo(width * 0.72, height * 0.4);
    context.lineTo(width * 0.95, height * 0.86);
    context.lineTo(width * 0.08, height * 0.86);
    context.fill();
    for (let i = 0; i < 16; i++) {
      const x = width * (0.3 + 0.45 * ((i * 0.618) % 1));
      const y = height * (0.4 + 0.3 * ((i * 0.377) % 1));
      const radius = height * 0.08;
      const cloud = context.createRadialGradient(x, y, 0, x, y, radius);
      cloud.addColorStop(0, "rgb(250 252 255 / 0.6)");
      cloud.addColorStop(1, "rgb(250 252 255 / 0)");
      context.fillStyle = cloud;
      context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    }
  }
}
