// SPDX-License-Identifier: Apache-2.0
// What is on screen, said plainly: how fine, how exact, how complete. Never a degraded picture without saying so.
import {displayUnits, shortNumber} from "../view/units.js";
import {h} from "./dom.js";

/**
 * Words for a badge event of the viewer: {state: "final" | "busy" | "degraded" | "idle", text, facts: [text]}.
 * `layers` is the resolved view's; it gives the units that ε is shown in.
 */
export function describeBadge(badge, layers = []) {
  if (!badge || !Number.isFinite(badge.level)) return {state: "idle", text: "nothing drawn yet", facts: ["No data has arrived yet."]};
  const percent = Math.floor(Math.min(1, Math.max(0, badge.share ?? 0)) * 100 + 1e-9);
  const parts = [];
  const facts = [];
  const coarse = Number.isFinite(badge.resolution) && badge.resolution < 0.995;
  if (badge.level === 0) {
    parts.push(coarse ? "finest data" : "full resolution");
    facts.push("Every voxel is one of the model's own grid points.");
  } else {
    parts.push(`level ${badge.level} of ${Math.max(badge.level, (badge.levels ?? 1) - 1)}`);
    facts.push(`Pyramid level ${badge.level}: means over ${2 ** badge.level} × ${2 ** badge.level} columns of the model.`);
  }
  for (const entry of badge.epsilon ?? []) facts.push(describeEpsilon(entry, layers, parts));
  const reduced = describeReductions(badge, parts, facts);
  if (reduced.moving) parts.splice(0, parts.length, ...parts.filter((part) => !part.startsWith("±")));
  if (badge.state === "final") parts.push(`${percent} %`);
  else if (percent === 100) parts.push("all here, still drawing");
  else parts.push(`${badge.state === "loading" ? "loading" : "improving"} ${percent} %`);
  facts.push(badge.state === "final" ? `All that this camera needs is here (${percent} %).` : `${percent} % of what this camera needs is here; ${percent === 100 ? "the picture is still being refined" : "more is on its way"}.`);
  const degraded = reduced.lasting || (badge.state === "final" && badge.level > 0);
  const state = badge.state !== "final" ? "busy" : degraded ? "degraded" : reduced.moving ? "busy" : "final";
  return {state, text: parts.join(" · "), facts};
}

function describeEpsilon({variable, layer, epsilon, units}, layers, parts) {
  const found = layers.find((one) => one.layer === layer) ?? layers.find((one) => one.variable.id === variable || one.variable.name === variable);
  const shown = displayUnits(found?.shown ?? found?.variable ?? {units}, found?.layer.units);
  const amount = `±${shortNumber(shown.spread(epsilon), 2)}${shown.label ? ` ${differenceLabel(shown)}` : ""}`;
  if (!parts.includes(amount)) parts.push(amount);
  return `${variable}${found?.difference ? `, ${found.difference}` : ""}: values are within ${amount} of the file's own numbers.`;
}

// A difference of temperatures in °C is one in K.
function differenceLabel(units) {
  return units.units === "degC" ? "K" : units.label;
}

// What is less than it could be; `moving` ends by itself when the camera rests, `lasting` does not.
function describeReductions(badge, parts, facts) {
  let moving = false;
  let lasting = false;
  if (badge.resolution < 0.995) {
    parts.push(`drawn at ${Math.round(badge.resolution * 100)} %`);
    facts.push(`Drawn at ${Math.round(badge.resolution * 100)} % of the screen's resolution to keep up; full when it rests.`);
    moving = true;
  }
  if (badge.simplified) {
    parts.push("simplified while moving");
    facts.push("While it moves, steps along each ray are longer and shading is left out.");
    moving = true;
  }
  if (badge.blended) {
    parts.push("blended in time");
    facts.push("Two model times are blended for smooth motion; the probe still reads one real step.");
    moving = true;
  }
  if (badge.degraded) {
    parts.push("reduced to fit memory");
    facts.push("The finest data does not fit into this browser's budget; zoom in or hide a layer to see it.");
    lasting = true;
  }
  if (badge.droppedBits > 0) {
    parts.push(`low ${badge.droppedBits === 1 ? "bit" : `${badge.droppedBits} bits`} dropped`);
    facts.push(`Some bricks span many steps and are drawn without their lowest ${badge.droppedBits} bits; probes stay exact.`);
    lasting = true;
  }
  if (badge.night) {
    parts.push("night: sun is down");
    facts.push("By the valid time the sun is below the horizon; the picture is lit as if from a low sun.");
  }
  return {moving, lasting};
}

export function createFidelityBadge(host) {
  const text = h("span", {class: "badge-text"});
  const list = h("ul", {});
  const details = h("details", {class: "badge"}, h("summary", {"aria-label": "Fidelity of the picture"}, h("span", {class: "dot", "aria-hidden": "true"}), text), list);
  host.append(details);
  details.addEventListener("keydown", (event) => {
    if (event.key === "Escape") details.open = false;
  });

  function update(badge, layers) {
    const words = describeBadge(badge, layers);
    details.dataset.state = words.state;
    if (text.textContent !== words.text) text.textContent = words.text;
    details.title = words.facts.join("\n");
    list.replaceChildren(...words.facts.map((fact) => h("li", {}, fact)));
  }

  update(null, []);
  return {update};
}
