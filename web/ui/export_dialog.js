// SPDX-License-Identifier: Apache-2.0
// Image sequences: what is on screen, drawn by the server for each time, as files. Choices and a preview above, the exports below.
import {countFrames, exportView, formOfView, formProblem, shownTimes} from "../view/export_view.js";
import {filmWords, framesWords, isActive, mergeJobs} from "../view/export_words.js";
import {dialog, h} from "./dom.js";
import {createExportForm} from "./export_form.js";
import {createExportJobs} from "./export_jobs.js";

const PREVIEW_WIDTH = 480;
const PREVIEW_DELAY = 500; // ms after the last choice
const POLL = 2000;         // ms, where no websocket tells

/**
 * exports: of net/exports.js. page: {view(), resolved(), index(), screen() → [width, height], title(), watch(on) asks the server to tell about jobs, isTold() whether it can, signIn()}.
 * {open(), viewChanged(), told({all, jobs})}
 */
export function createExportDialog(exports, page) {
  let jobs = new Map();
  let previewTimer = 0;
  let previewing = null; // AbortController
  let pollTimer = 0;
  let filledFrom = "";   // what the view wanted of the form when it was filled in

  const choices = createExportForm(() => { say(""); refresh(); });
  const picture = h("img", {alt: "", hidden: true});
  const previewWords = h("p", {class: "note", role: "status"});
  const estimate = h("p", {class: "export-estimate", "data-role": "estimate", role: "status"});
  const message = h("p", {class: "export-error", role: "alert", "data-role": "export-message", hidden: true});
  const start = h("button", {type: "button", class: "big-button primary", onclick: () => begin()}, "Start");
  const list = createExportJobs(exports, {
    cancel: (id) => order(async () => take([await exports.cancel(id)])),
    remove: (id) => order(async () => { await exports.remove(id); take([{id, state: "deleted"}]); }),
  });
  const element = dialog("Export pictures", [
    h("p", {class: "note"}, "The server draws this view, with its camera, layers and light, for each time."),
    h("div", {class: "export-columns"}, choices.element,
      h("div", {class: "export-side"}, h("figure", {class: "export-preview", "aria-label": "Preview of the first frame"}, picture, previewWords), estimate, message, start, list.element)),
  ]);
  element.classList.add("wide");
  element.addEventListener("close", stop);

  function open() {
    if (element.open) return element.close();
    say("");
    element.showModal();
    page.watch(true);
    viewChanged();
    fetchJobs();
  }

  // Another view, or a catalog with another run, behind the open dialog.
  function viewChanged() {
    const resolved = page.resolved();
    if (!element.open || !resolved.times.length) return;
    fillFrom(page.view());
    choices.update({times: resolved.times, run: resolved.run, calendar: resolved.calendar, screen: page.screen()});
    refresh();
  }

  // A view that wants something of the form gets it once; what is chosen afterwards stays.
  function fillFrom(view) {
    const wanted = formOfView(view);
    const words = JSON.stringify(wanted);
    if (words === filledFrom) return;
    filledFrom = words;
    choices.fill(wanted);
  }

  function stop() {
    page.watch(false);
    clearTimeout(previewTimer);
    clearTimeout(pollTimer);
    previewing?.abort();
  }

  function say(text) {
    message.hidden = !text;
    message.textContent = text;
  }

  // ---- What would be made.

  // How many times would be shown, and what is wrong with the form: then nothing can be started.
  function check() {
    const shown = shownTimes(choices.form, page.resolved().times.length, page.index()).length;
    const problem = formProblem(choices.form, shown);
    start.disabled = Boolean(problem);
    return {shown, problem};
  }

  function refresh() {
    const {form} = choices;
    const {shown, problem} = check();
    const count = countFrames(form, shown);
    estimate.classList.toggle("export-error", Boolean(problem));
    estimate.textContent = problem || [framesWords(count), form.size.join(" × "), form.film && shown > 1 ? `${filmWords(count / form.fps)} of film` : ""].filter(Boolean).join(" · ");
    clearTimeout(previewTimer);
    previewing?.abort();
    if (!problem) previewTimer = setTimeout(preview, PREVIEW_DELAY);
  }

  function document_() {
    return exportView(page.view(), page.resolved(), page.index(), choices.form);
  }

  async function preview() {
    const mine = previewing = new AbortController();
    previewWords.textContent = "Drawing a preview …";
    picture.classList.add("stale");
    try {
      const view = document_();
      const blob = await exports.preview(view, {width: PREVIEW_WIDTH, time: view.time, signal: mine.signal});
      if (!mine.signal.aborted) showPreview(blob, view);
    } catch (error) {
      if (mine.signal.aborted) return;
      picture.hidden = true;
      previewWords.textContent = `No preview. ${error.message}`;
    }
  }

  function showPreview(blob, view) {
    URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(blob);
    picture.alt = `The first frame, small: ${view.size.join(" by ")} pixels`;
    picture.hidden = false;
    picture.classList.remove("stale");
    picture.classList.toggle("clear", view.transparent);
    previewWords.textContent = "";
  }

  // ---- Jobs.

  async function begin() {
    start.disabled = true;
    await order(async () => {
      take([await exports.create(document_(), choices.form.title.trim() || page.title())]);
      list.element.scrollIntoView({block: "nearest"});
    });
    check();
  }

  // What was ordered by hand: what went wrong before is said no more.
  async function order(what) {
    say("");
    await act(what);
  }

  // Does something that may fail, and says so.
  async function act(what) {
    try {
      await what();
    } catch (error) {
      say(error.message);
      if (error.status === 401) page.signIn();
      if (error.status === 404 || error.status === 409) fetchJobs();
    }
  }

  function take(changed, all = false) {
    jobs = mergeJobs(jobs, {all, jobs: changed});
    list.update(jobs);
    poll();
  }

  async function fetchJobs() {
    await act(async () => take((await exports.list()).jobs, true));
  }

  function poll() {
    clearTimeout(pollTimer);
    if (!element.open || page.isTold() || ![...jobs.values()].some(isActive)) return;
    pollTimer = setTimeout(fetchJobs, POLL);
  }

  return {open, viewChanged, told: ({all, jobs: changed}) => take(changed, all)};
}
