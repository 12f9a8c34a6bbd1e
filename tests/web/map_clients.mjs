// SPDX-License-Identifier: Apache-2.0
// Pages of other map programs, each with one map of 512 × 512 pixels and nothing else, on a site of their own. What they are asked for stands in
// the page's query; window.shown is true when all is drawn, and window.box what they show of `window.crs`.
import {readFile} from "node:fs/promises";
import {createServer} from "node:http";
import {extname, join, normalize} from "node:path";
import {fileURLToPath} from "node:url";

const MODULES = fileURLToPath(new URL("node_modules/", import.meta.url));
const TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm", ".png": "image/png", ".jpg": "image/jpeg"};
export const SIZE = 512;

const page = (head, script) => `<!doctype html><meta charset="utf-8"><title>client</title><link rel="icon" href="data:,">
<style>html, body { margin: 0; background: #fff } #map { width: ${SIZE}px; height: ${SIZE}px; background: #fff }</style>${head}<div id="map"></div>
<script type="module">const asked = new URLSearchParams(location.search), server = asked.get("server"), dataset = asked.get("dataset"), variable = "surface_temperature", time = asked.get("time");
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
${script}</script>`;

const LEAFLET = '<link rel="stylesheet" href="leaflet/dist/leaflet.css"><script src="leaflet/dist/leaflet-src.js"></script>';

export const PAGES = {
  // Times from the server's capabilities; the one asked for is gone to step by step, as its player does.
  "leaflet_timedimension.html": page(`${LEAFLET}<script src="iso8601-js-period/iso8601.js"></script><script src="leaflet-timedimension/dist/leaflet.timedimension.src.js"></script>`, `
    const map = L.map("map", {center: [40, 10], zoom: 3, fadeAnimation: false, zoomAnimation: false, zoomControl: false, attributionControl: false, timeDimension: true, timeDimensionOptions: {times: ""}});
    const wms = L.tileLayer.wms(server + "wms/" + dataset, {layers: dataset + "/" + variable, format: "image/png", transparent: true, version: asked.get("how"), styles: "fill/temperature", COLORSCALERANGE: "250,320"});
    const layer = L.timeDimension.layer.wms(wms, {requestTimeFromCapabilities: true, updateTimeDimension: true, updateTimeDimensionMode: "replace", setDefaultTime: true});
    layer.addTo(map);
    while (!map.timeDimension.getAvailableTimes().length) await later(20);
    window.times = map.timeDimension.getAvailableTimes().map((ms) => new Date(ms).toISOString());
    while (map.timeDimension.getCurrentTime() > Date.parse(time)) { map.timeDimension.previousTime(); await later(20); }
    while (map.timeDimension.getCurrentTime() < Date.parse(time)) { map.timeDimension.nextTime(); await later(20); }
    while (map.timeDimension.getCurrentTime() !== Date.parse(time) || layer._currentTime !== Date.parse(time) || !layer._currentLayer?.isReady?.() && layer._currentLayer?._loading) await later(20);
    const {min, max} = map.getPixelBounds(), at = (x, y) => map.options.crs.project(map.options.crs.pointToLatLng(L.point(x, y), 3)), a = at(min.x, max.y), b = at(max.x, min.y);
    Object.assign(window, {crs: "EPSG:3857", box: [a.x, a.y, b.x, b.y], shown: true});`),

  "openlayers_wms.html": page('<script src="ol/dist/ol.js"></script>', `
    const source = new ol.source.TileWMS({url: server + "wms", params: {LAYERS: dataset + "/" + variable, STYLES: "fill/temperature", VERSION: "1.3.0", FORMAT: "image/png", TIME: time, COLORSCALERANGE: "250,320"}, crossOrigin: "anonymous", interpolate: false});
    const map = new ol.Map({target: "map", pixelRatio: 1, controls: [], interactions: [], layers: [new ol.layer.Tile({source})], view: new ol.View({projection: "EPSG:4326", center: [10, 30], resolution: 0.17578125})});
    await new Promise((resolve) => map.once("rendercomplete", resolve));
    Object.assign(window, {crs: "CRS:84", box: map.getView().calculateExtent(map.getSize()), shown: true});`),

  "openlayers_xyz.html": page('<script src="ol/dist/ol.js"></script>', `
    const source = new ol.source.XYZ({url: server + "tiles/" + dataset + "/" + variable + "/{z}/{x}/{y}.png?style=fill/temperature%3Brange%3D250,320&time=" + time, crossOrigin: "anonymous", interpolate: false, transition: 0});
    const map = new ol.Map({target: "map", pixelRatio: 1, controls: [], interactions: [], layers: [new ol.layer.Tile({source})], view: new ol.View({center: [1e6, 5e6], zoom: 3})});
    await new Promise((resolve) => map.once("rendercomplete", resolve));
    Object.assign(window, {crs: "EPSG:3857", box: map.getView().calculateExtent(map.getSize()), shown: true});`),

  // A tileset of OGC API Tiles leads to its tile matrix set and its tiles.
  "openlayers_ogc.html": page('<script src="ol/dist/ol.js"></script>', `
    const source = new ol.source.OGCMapTile({url: server + "ogc/collections/" + dataset + ":" + variable + "/map/tiles/WorldCRS84Quad?f=json&style=fill/temperature%3Brange%3D250,320&datetime=" + time, crossOrigin: "anonymous", interpolate: false, transition: 0});
    const map = new ol.Map({target: "map", pixelRatio: 1, controls: [], interactions: [], layers: [new ol.layer.Tile({source})], view: new ol.View({projection: "EPSG:4326", center: [0, 22.5], resolution: 0.17578125})});
    let loading = 0, still = 0; // what the tileset leads to comes after the first picture is complete
    source.on("tileloadstart", () => { loading++; });
    source.on(["tileloadend", "tileloaderror"], () => { loading--; });
    await new Promise((resolve) => map.once("rendercomplete", resolve));
    for (; still < 10; still = loading === 0 && source.getState() === "ready" ? still + 1 : 0) await later(50);
    await new Promise((resolve) => { map.once("rendercomplete", resolve); map.render(); });
    Object.assign(window, {crs: "CRS:84", box: map.getView().calculateExtent(map.getSize()), shown: true});`),

  // A source by its TileJSON; what MapLibre calls zoom is of tiles of 512 pixels.
  "maplibre.html": page('<link rel="stylesheet" href="maplibre-gl/dist/maplibre-gl.css"><script src="maplibre-gl/dist/maplibre-gl.js"></script>', `
    const map = new maplibregl.Map({container: "map", center: [11.25, 40.979898], zoom: 2, fadeDuration: 0, pixelRatio: 1, interactive: false, attributionControl: false, canvasContextAttributes: {preserveDrawingBuffer: true, antialias: false},
      style: {version: 8, sources: {field: {type: "raster", url: server + "tiles/" + dataset + "/" + variable + "/tilejson.json?style=fill/temperature%3Brange%3D250,320&time=" + time, tileSize: 256}},
        layers: [{id: "paper", type: "background", paint: {"background-color": "#fff"}}, {id: "field", type: "raster", source: "field", paint: {"raster-fade-duration": 0, "raster-resampling": "nearest"}}]}});
    await new Promise((resolve) => map.once("idle", resolve));
    const half = ${SIZE / 2} * 40075016.68557849 / (512 * 4), {x, y} = (({lng, lat}) => ({x: lng * 20037508.342789244 / 180, y: Math.asinh(Math.tan(lat * Math.PI / 180)) * 6378137}))(map.getCenter());
    Object.assign(window, {crs: "EPSG:3857", box: [x - half, y - half, x + half, y + half], shown: true});`),

  // The globe laid flat, so that what is seen is longitudes and latitudes; one pixel of a tile is one of the screen.
  "cesium.html": page('<link rel="stylesheet" href="cesium/Build/Cesium/Widgets/widgets.css"><script>window.CESIUM_BASE_URL = "cesium/Build/Cesium/";</script><script src="cesium/Build/Cesium/Cesium.js"></script>', `
    const options = {tilingScheme: new Cesium.GeographicTilingScheme(), tileWidth: 256, tileHeight: 256, maximumLevel: 2, minimumLevel: 0};
    const imagery = asked.get("how") === "wms"
      ? new Cesium.WebMapServiceImageryProvider({...options, url: server + "wms", layers: dataset + "/" + variable, crs: "CRS:84", parameters: {version: "1.3.0", format: "image/png", transparent: true, styles: "fill/temperature", time, colorscalerange: "250,320"}, enablePickFeatures: false})
      : new Cesium.UrlTemplateImageryProvider({...options, url: server + "tiles/" + dataset + "/" + variable + "/{z}/{x}/{y}.png?tms=WorldCRS84Quad&style=fill/temperature%3Brange%3D250,320&time=" + time, enablePickFeatures: false});
    const credits = document.createElement("div"), widget = new Cesium.CesiumWidget(document.getElementById("map"), {baseLayer: new Cesium.ImageryLayer(imagery, {minificationFilter: Cesium.TextureMinificationFilter.NEAREST, magnificationFilter: Cesium.TextureMagnificationFilter.NEAREST}),
      sceneMode: Cesium.SceneMode.SCENE2D, mapProjection: new Cesium.GeographicProjection(), creditContainer: credits, skyBox: false, skyAtmosphere: false, contextOptions: {webgl: {preserveDrawingBuffer: true, antialias: false}}, msaaSamples: 1, useBrowserRecommendedResolution: true, showRenderLoopErrors: false});
    const {scene} = widget;
    Object.assign(scene, {backgroundColor: Cesium.Color.WHITE, fog: new Cesium.Fog()});
    Object.assign(scene.globe, {baseColor: Cesium.Color.WHITE, showGroundAtmosphere: false, enableLighting: false, maximumScreenSpaceError: 1});
    scene.postProcessStages.fxaa.enabled = false;
    widget.camera.setView({destination: Cesium.Rectangle.fromDegrees(-45, 0, 45, 90)});
    window.widget = widget;
    let still = 0;
    scene.globe.tileLoadProgressEvent.addEventListener(() => { still = 0; });
    while (still < 10) { await later(50); still = scene.globe.tilesLoaded ? still + 1 : 0; }
    Object.assign(window, {crs: "CRS:84", box: [-45, 0, 45, 90], shown: true});`),
};

/** {url, close()} of a site with these pages and the packages. */
export async function serveClients() {
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent(new URL(request.url, "http://x").pathname.slice(1)), send = (status, type, body) => response.writeHead(status, {"Content-Type": type}).end(body);
    if (PAGES[name]) return send(200, TYPES[".html"], PAGES[name]);
    if (normalize(name) !== name || name.startsWith("..")) return send(404, "text/plain", "");
    return readFile(join(MODULES, name)).then((body) => send(200, TYPES[extname(name)] ?? "application/octet-stream", body), () => send(404, "text/plain", ""));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {url: `http://127.0.0.1:${server.address().port}/`, close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); })};
}
