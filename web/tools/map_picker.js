// SPDX-License-Identifier: Apache-2.0
// The values at a place that was clicked on the flat map: of one real step, from the model's own columns, and again for each step that is shown.
import {createMapReadout} from "../ui/map_readout.js";
import {hasWind} from "../view/map_view.js";
import {variableTitle} from "../view/presets.js";
import {formatTime} from "../view/times.js";
import {findSeries} from "../view/view_resolve.js";
import {whatOf} from "./map_layers.js";

/** page: {state, map, maps, host, mark: elements over the map}. */
export function createMapPicker({state, map, maps, host, mark}) {
  const readout = createMapReadout(host, mark, {close});
  let place = null, asking = null;

  function close() {
    place = null;
    asking?.abort();
    readout.hide();
  }

  function pick(where) {
    place = where;
    refresh();
  }

  function pickMiddle() {
    const [lat, lon] = map.at;
    pick({lat, lon: ((((lon + 180) % 360) + 360) % 360) - 180});
  }

  // Of barbs and arrows the direction is told, too.
  function wanted() {
    const {dataset, run, layers} = state.resolved;
    return layers.filter(({layer, series}) => layer.visible !== false && series).reverse().flatMap((entry) => {
      const plain = {...entry, title: variableTitle(entry.variable)};
      if (!["barbs", "arrows"].includes(entry.layer.draw)) return [plain];
      const partner = dataset.variables.find((variable) => /^(wind_(from|to)_direction|northward_wind)$/.test(variable.standard_name ?? "") && hasWind({variables: [variable]}, entry.variable));
      return partner ? [plain, {...entry, variable: partner, shown: partner, series: findSeries(run, partner), layer: {...entry.layer, units: undefined}, title: variableTitle(partner)}] : [plain];
    });
  }

  async function refresh() {
    if (!place || !state.resolved) return;
    asking?.abort();
    const stop = asking = new AbortController(), iso = state.shown ?? state.resolved.times[state.index], {resolved} = state, here = place;
    const entries = wanted().map((entry) => ({entry, title: entry.title, place: entry.place, variable: entry.shown, units: entry.layer.units, epsilon: entry.shown.epsilon, value: undefined}));
    const show = () => { readout.show(here, formatTime(iso, resolved.calendar), entries); readout.move(map.screenOf(here)); };
    show();
    await Promise.all(entries.map(async (row) => {
      const what = whatOf(resolved, row.entry, iso);
      try {
        row.value = what ? await maps.valueAt(what, here, stop.signal) : NaN;
      } catch (error) {
        if (error.name === "AbortError") return;
        row.words = "not known";
      }
      if (!stop.signal.aborted) show();
    }));
  }

  return {pick, pickMiddle, refresh, close, moved: () => { if (place) readout.move(map.screenOf(place)); }};
}
