// SPDX-License-Identifier: Apache-2.0
// Where other programs find what is on the map: addresses of WMS, of tiles and of OGC's interfaces, to be copied.
import {layerQuery} from "../view/map_view.js";
import {memberLabels} from "../view/view_resolve.js";
import {dialog, h} from "./dom.js";

/** page: {state, copy(text) → whether, base}. */
export function createMapUse({state, copy, base}) {
  const list = h("div", {class: "use-list"});
  const element = dialog("This forecast in another program", [h("p", {class: "note"}, "QGIS, ArcGIS, Leaflet, OpenLayers, MapLibre, Cesium, GDAL and others show it at these addresses. Times, surfaces and styles can be chosen there, too."), list]);
  const root = new URL(base, document.baseURI);

  function row(title, text, note) {
    const button = h("button", {type: "button", class: "small-button", onclick: async () => { button.textContent = await copy(text) ? "Copied" : "Mark and copy it"; }}, "Copy");
    return h("div", {}, h("h3", {}, title), h("div", {class: "row"}, h("code", {}, text), button), note ? h("p", {class: "note"}, note) : null);
  }

  function tilesOf({layer, variable, member, fade}) {
    const {view, resolved} = state, url = new URL(`tiles/${encodeURIComponent(resolved.dataset.id)}/${encodeURIComponent(variable.id)}/`, root);
    const query = new URLSearchParams({run: view.run, time: view.time, ...Object.fromEntries(Object.entries(layerQuery(layer, memberLabels(variable)[member] ?? "", fade)).filter(([, value]) => value !== ""))});
    return [`${url.href}{z}/{x}/{y}.png?${query}`, `${url.href}tilejson.json?${query}`];
  }

  function open() {
    if (!state.resolved) return;
    const {dataset, layers} = state.resolved, id = encodeURIComponent(dataset.id), top = layers.findLast(({layer}) => layer.visible !== false) ?? layers.at(-1);
    const [tiles, tilejson] = top ? tilesOf(top) : [];
    list.replaceChildren(
      row("WMS", `${new URL(`wms/${id}`, root).href}?service=WMS&request=GetCapabilities`, "Versions 1.3.0 and 1.1.1; TIME, ELEVATION and DIM_REFERENCE_TIME choose time, surface and run."),
      ...(top ? [row(`Tiles of ${top.title}`, tiles, "Web Mercator; with tms=WorldCRS84Quad in longitude and latitude."), row("The same as TileJSON", tilejson)] : []),
      row("OGC API – Tiles and EDR", new URL("ogc", root).href));
    element.showModal();
  }

  return {open};
}
