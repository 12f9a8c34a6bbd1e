// SPDX-License-Identifier: Apache-2.0
// A place that was clicked in one of the views: what the files of both hold there, as a profile or through time.
import {profileAt, seriesAt} from "../net/samples.js";
import {formatPlace} from "../ui/probe_readout.js";
import {createSamplePanel} from "../ui/sample_panel.js";
import {formatTimeShort} from "../view/times.js";
import {displayUnits} from "../view/units.js";
import {findVariable, memberLabels} from "../view/view_resolve.js";

const MOST_TIMES = 60;

/** page: {host, base, catalog(), sides(): [{name, about, shown}]}. Returns {at(place {lon, lat, height or null}), again() for another time or view}. */
export function createCompareSamples({host, base, catalog, sides}) {
  const panel = createSamplePanel({kind: (to) => { kind = to; run(); }, closed: () => cancel.abort()});
  let kind = "profile", place = null, cancel = new AbortController(), last = "";
  host.append(panel.element);

  function at(where) {
    place = where;
    run();
  }

  function again() {
    if (panel.isOpen && keyNow() !== last) run();
  }

  const keyNow = () => JSON.stringify([kind, sides().map(({about, shown}) => [about?.view.layers, about?.run, kind === "profile" ? shown : 0])]);

  async function run() {
    cancel.abort();
    const {signal} = cancel = new AbortController();
    last = keyNow();
    panel.begin(`${formatPlace(place.lon, place.lat)}${kind === "series" && place.height !== null ? `  ${Math.round(place.height)} m` : ""}`, kind);
    try {
      const asked = sides().map(questionOf).filter(Boolean);
      if (kind === "profile") await profiles(asked, signal);
      else await series(asked, signal);
    } catch (error) {
      if (!signal.aborted) panel.say(error.message);
    }
  }

  /** Of a side: {name, label, what} as net/samples.js takes it; null where nothing is shown. */
  function questionOf({name, about, shown}) {
    const dataset = about && catalog().datasets.find(({id}) => id === about.dataset), layer = about?.view.layers.find(({visible}) => visible !== false);
    const variable = dataset && layer && findVariable(dataset, layer.variable);
    if (!variable) return null;
    const labels = memberLabels(variable), member = labels.length > 1 ? labels[about.view.member] ?? labels[0] : null;
    return {name, shown, times: about.times, calendar: about.calendar, vertical: Boolean(variable.vertical), label: `${name === "left" ? "Left" : "Right"}: ${about.names[0] ?? variable.name}, run ${formatTimeShort(about.run, about.calendar)}`,
      what: {dataset: dataset.id, variable: variable.id, run: about.run, member, units: displayUnits(variable, layer.units).units}};
  }

  async function profiles(asked, signal) {
    const tall = asked.filter(({vertical}) => vertical);
    if (!tall.length) return panel.say("There is no profile of fields on the ground; see them through time.");
    const found = await Promise.all(tall.map(({what, shown}) => profileAt(base, what, shown, place)));
    if (signal.aborted) return;
    panel.show({lines: found.map(({values, heights, units}, i) => ({side: tall[i].name, label: tall[i].label, units, points: values.map((value, k) => [value, heights[k]])}))});
  }

  async function series(asked, signal) {
    const times = thin(asked[0]?.times ?? []);
    const lines = asked.map(({name, label, what}) => ({side: name, label, units: what.units, points: times.map((_, i) => [i, null])}));
    const all = asked.map(async ({what, times: own, vertical}, n) => {
      const there = times.filter((time) => own.includes(time));
      const got = await seriesAt(base, what, there, {...place, height: vertical ? place.height ?? 0 : null}, {signal});
      got.values.forEach((value, i) => { lines[n].points[times.indexOf(there[i])][1] = value; });
      lines[n].units = got.units;
      if (!signal.aborted) panel.show({lines, times, calendar: asked[n].calendar});
    });
    await Promise.all(all);
  }

  return {at, again};
}

// Every second, third, … of many.
function thin(times) {
  const every = Math.ceil(times.length / MOST_TIMES);
  return times.filter((_, i) => i % every === 0);
}
