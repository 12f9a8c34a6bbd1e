// SPDX-License-Identifier: Apache-2.0
// A layer of the flat map at one time: tiles that the page asks for itself, so that they are asked for in the reader's name, again when the server
// is busy, and no more when they are out of sight.
import {DomUtil, GridLayer} from "../node_modules/leaflet/dist/leaflet-src.esm.js";

export const FieldTiles = GridLayer.extend({
  /** options: {maps (net/maps.js), what: promise of what Maps takes, lonlat, failed(error)} besides GridLayer's. */
  onAdd(map) {
    this.on("tileunload", ({tile}) => tile.stop.abort());
    return GridLayer.prototype.onAdd.call(this, map);
  },

  createTile(coords, done) {
    const image = DomUtil.create("img", "field-tile"), stop = new AbortController();
    image.alt = "";
    image.stop = stop;
    this.fetchTile(image, coords, stop.signal).then(() => done(null, image), (error) => {
      if (error.name !== "AbortError") this.options.failed(error);
      done(error, image);
    });
    return image;
  },

  async fetchTile(image, {x, y, z}, signal) {
    const {maps, lonlat, what} = this.options;
    if (!this.isOnMap({x, y, z})) return;
    const blob = await maps.tile(await what, {z, x, y, dense: window.devicePixelRatio > 1.25, lonlat}, signal);
    signal.throwIfAborted();
    image.src = URL.createObjectURL(blob);
    await image.decode().finally(() => URL.revokeObjectURL(image.src));
  },

  isOnMap({x, y, z}) {
    const rows = 2 ** z, columns = this.options.lonlat ? 2 * rows : rows;
    return y >= 0 && y < rows && x >= 0 && x < columns;
  },

  // Not Leaflet's setOpacity(), which fades each tile in.
  show(opacity) {
    this.options.opacity = opacity;
    DomUtil.setOpacity(this.getContainer(), opacity);
  },
});
