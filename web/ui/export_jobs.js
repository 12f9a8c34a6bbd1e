// SPDX-License-Identifier: Apache-2.0
// The list of exports: what each is at, and what can be done with it.
import {describeJob, isActive} from "../view/export_words.js";
import {h} from "./dom.js";

/** on: {cancel(id), remove(id)} (promises); urls: {zipUrl(id), frameUrl(id, n)}. {element, update(Map id → job)} */
export function createExportJobs(urls, on) {
  const list = h("ul", {class: "export-jobs"});
  const none = h("p", {class: "note"}, "There are none yet.");
  const element = h("section", {"aria-label": "Exports"}, h("h3", {}, "Exports"), none, list);
  const rows = new Map(); // id → row

  function update(jobs) {
    for (const [id, row] of rows) {
      if (jobs.has(id)) continue;
      moveFocusFrom(row.element);
      row.element.remove();
      rows.delete(id);
    }
    let before = null;
    for (const job of jobs.values()) {
      if (!rows.has(job.id)) rows.set(job.id, createRow(job.id, urls, on));
      const row = rows.get(job.id);
      row.update(job);
      const place = before ? before.nextSibling : list.firstChild;
      if (row.element !== place) list.insertBefore(row.element, place);
      before = row.element;
    }
    none.hidden = jobs.size > 0;
  }

  // A row that goes away with the focus in it gives it to the next one.
  function moveFocusFrom(row) {
    if (!row.contains(document.activeElement)) return;
    const next = row.nextSibling ?? row.previousSibling;
    const usable = next ? [...next.querySelectorAll("a, button")].find((one) => one.offsetParent) : element.closest("dialog")?.querySelector("button");
    usable?.focus();
  }

  return {element, update};
}

function createRow(id, urls, on) {
  const name = h("span", {class: "export-name"});
  const state = h("span", {class: "export-state"});
  const bar = h("progress", {max: 1});
  const progress = h("div", {class: "note export-progress"});
  const error = h("div", {class: "export-error", role: "alert", hidden: true});
  const zip = h("a", {class: "small-button export-zip", href: urls.zipUrl(id), download: ""}, "Download all");
  const frame = h("input", {type: "number", min: 1, step: 1, value: "1", "aria-label": "Number of a frame"});
  const one = h("a", {class: "small-button", download: ""}, "Download");
  const single = h("span", {class: "export-single"}, h("label", {class: "label"}, "Frame ", frame), one);
  const cancel = h("button", {type: "button", class: "small-button"}, "Cancel");
  const remove = h("button", {type: "button", class: "small-button"}, "Delete");
  const really = h("span", {class: "export-really", hidden: true}, h("span", {}, "Delete its frames for good?"));
  const yes = h("button", {type: "button", class: "small-button danger"}, "Delete");
  const no = h("button", {type: "button", class: "small-button"}, "Keep");
  really.append(yes, no);
  const element = h("li", {class: "export-job"}, h("div", {class: "row between"}, name, state), bar, progress, error, h("div", {class: "export-actions"}, zip, cancel, remove, really, single));
  let job = null;
  let busy = false;

  // One order at a time; what it fails with is said by the dialog. Buttons stay enabled, which keeps the focus where it is.
  const order = (act) => {
    if (busy) return;
    busy = true;
    act(id).finally(() => { busy = false; });
  };
  const ask = (open) => {
    really.hidden = !open;
    remove.hidden = open;
    (open ? no : remove).focus();
  };
  cancel.addEventListener("click", () => order(on.cancel));
  remove.addEventListener("click", () => (job.done > 0 ? ask(true) : order(on.remove)));
  no.addEventListener("click", () => ask(false));
  yes.addEventListener("click", () => order(on.remove));
  frame.addEventListener("input", pointAtFrame);

  function pointAtFrame() {
    const wanted = Math.min(Math.max(1, Math.round(Number(frame.value)) || 1), Math.max(1, job.done));
    one.href = urls.frameUrl(id, wanted - 1);
    one.setAttribute("aria-label", `Download frame ${wanted}`);
  }

  function update(newJob) {
    job = newJob;
    const words = describeJob(job);
    element.dataset.id = id;
    element.dataset.state = job.state;
    name.textContent = job.name || "Export";
    element.setAttribute("aria-label", `${job.name || "Export"}: ${words.state}`);
    state.textContent = words.state;
    progress.textContent = [words.progress, `${job.size?.join(" × ") ?? ""} ${job.format?.toUpperCase() ?? ""}`.trim()].filter(Boolean).join(" · ");
    bar.hidden = !isActive(job);
    if (words.share === null) bar.removeAttribute("value");
    else bar.value = words.share;
    bar.setAttribute("aria-label", words.progress);
    error.hidden = !job.error;
    error.textContent = job.error ?? "";
    zip.hidden = single.hidden = !(job.done > 0);
    zip.textContent = isActive(job) ? "Download so far" : "Download all";
    if (!isActive(job) && document.activeElement === cancel) remove.focus();
    cancel.hidden = !isActive(job);
    frame.max = String(Math.max(1, job.done));
    pointAtFrame();
  }

  return {element, update};
}
