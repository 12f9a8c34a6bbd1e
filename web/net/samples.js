// SPDX-License-Identifier: Apache-2.0
// The file's own numbers at a place (GET /api/sample, server/PROTOCOL.md).
import {JsonApi} from "./json_api.js";

const AT_ONCE = 4;

/** what: {dataset, variable, run, member (its label) or null, units or null}. place: {lon, lat}. {heights, values (null: missing), units, epsilon}, upward. */
export async function profileAt(base, what, time, {lon, lat}) {
  const {height, source, units, epsilon} = await sample(base, what, {time, lon, lat, profile: 1});
  return {heights: height, values: source, units, epsilon};
}

/** The value at one height at each of the times: {values (null: missing or no such step), units}. onValue(index) as they come. */
export async function seriesAt(base, what, times, {lon, lat, height}, {onValue = () => {}, signal = null} = {}) {
  const series = {values: times.map(() => null), units: what.units ?? ""};
  let next = 0;
  async function work() {
    while (next < times.length && !signal?.aborted) {
      const at = next++;
      const answer = await sample(base, what, {time: times[at], lon, lat, ...(height === null ? {} : {height})}, signal);
      series.values[at] = answer.source;
      series.units = answer.units;
      onValue(at);
    }
  }
  await Promise.all(Array.from({length: AT_ONCE}, work));
  return series;
}

async function sample(base, what, more, signal) {
  const said = Object.entries({...what, ...more}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return new JsonApi(base, "api/sample").json("GET", `?${new URLSearchParams(said)}`, {signal, cache: "default"});
}
