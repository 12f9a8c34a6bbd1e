// SPDX-License-Identifier: Apache-2.0
// The pin that the page follows (?pin=ID): opened, kept up with what others and new runs make of it, changed, undone. What the reader changes on the
// page is the reader's own until "Update pin"; it then stands in the address after the #, which a pin as it is leaves empty.
import {copyText} from "./take_away.js";
import {createPinConflict} from "../ui/pin_conflict.js";
import {createPinDialog} from "../ui/pin_dialog.js";
import {createPinHistory} from "../ui/pin_history.js";
import {createPinPanel} from "../ui/pin_panel.js";
import {createPinsDialog} from "../ui/pins_dialog.js";
import {timeNow} from "../view/clock.js";
import {differences, meaningNow, pinRules, ruleOf, ruleWords} from "../view/pin_rules.js";
import {groupPins} from "../view/wall_order.js";
import {describePin} from "../view/wall_words.js";

const POLL = 60000; // ms, where no websocket tells
const NEEDS = "Making and changing pins needs the role forecaster.";

/**
 * page: {state, pins (net/pins.js), host of the panel, messages, title() of what is shown, show(view) → Promise of whether it could be, change(patch of the view), complete(view) → Promise,
 * changed(): words or warning may be others, write(): the address is due, readAddress(), watch(on), isTold(), signIn(reason) → Promise of whether somebody is, mayPin(),
 * camera() as it is on screen, lookAgain() at the catalog → Promise}.
 */
export function createPinTool(page) {
  const {state, pins, messages} = page;
  const dialog = createPinDialog();
  const conflict = createPinConflict();
  const history = createPinHistory();
  const panel = createPinPanel(page.host, {create, list: () => list.open(), save, back, edit, history: openHistory, remove, link: copyLink, leave});
  const list = createPinsDialog({list: (which) => pins.list(which), open: (id) => open(id, {push: true}), bringBack: (gone) => pins.undo(gone)}, {link: (id) => `?pin=${id}`, picture: (id, width) => pins.pictureUrl(id, {width}), wall: "wall.html"},
    (pin) => { const {valid, lead, age, warning} = describePin(pin, timeNow()); return {text: [lead, valid].filter(Boolean).join(" · "), age, warning}; });
  let pin = null;      // as it was last read
  let baseline = null; // its view as the page has it: filled in by the presets, with the camera that it began with
  let groups = [];     // names, for the next pin
  const known = new Set(); // ids that the server told of, while a pin is followed

  // ---- What the page asks.

  const id = () => pin?.id ?? null;
  const changes = () => (baseline && state.view ? differences(baseline, state.view) : []);
  const isAsSaved = () => Boolean(pin && baseline) && changes().length === 0;

  /** {title, warning} for the caption, or null. */
  function words() {
    return pin && {title: pin.title, warning: describePin(pin, timeNow()).warning};
  }

  // The first camera of a view that came without one is nobody's change.
  function cameraTaken() {
    if (baseline && !baseline.camera) baseline = {...baseline, camera: state.view.camera};
  }

  function refresh() {
    panel.update(pin && {title: pin.title, group: pin.group, owner: pin.owner, rule: ruleWords(pin.view, state.resolved?.calendar), warning: words().warning, changed: changes(), may: pin.may});
  }

  function told() {
    refresh();
    page.changed();
  }

  // ---- Opening and following.

  /** Opens a pin; `own`: a view of the reader's own that stays on screen. Resolves with false where there is no such pin or it cannot be shown. */
  async function open(wanted, {own = false, push = false} = {}) {
    let found;
    try {
      found = await pins.get(wanted);
    } catch (error) {
      messages.show("pin", {kind: "warning", title: "This pin cannot be opened.", text: error.message, action: error.status === 401 ? {label: "Sign in", run: () => signInAnd(() => open(wanted, {push: true}))} : null});
      return false;
    }
    if (push) setAddress(wanted);
    page.watch(true);
    return take(found, {own});
  }

  /** Opens another of the wall's pins, in its order: `by` further on. */
  async function next(by) {
    const order = groupPins(await pins.list().catch(() => [])).flatMap((group) => group.pins);
    if (!order.length) return;
    const at = order.findIndex((one) => one.id === pin?.id), from = at < 0 && by > 0 ? -1 : Math.max(0, at);
    await open(order[(((from + by) % order.length) + order.length) % order.length].id, {push: true});
  }

  // The pin as the server has it now, with its view on screen unless the reader's own is to stay.
  async function take(found, {own = false} = {}) {
    const mine = pin = {live: pin?.id === found.id ? pin.live : null, ...found};
    baseline = null;
    const view = own ? await page.complete(mine.view).catch(() => mine.view) : await page.show(mine.view) && state.view;
    if (pin?.id !== mine.id || pin.revision !== mine.revision) return Boolean(view); // another was opened meanwhile
    baseline = view || null;
    page.write();
    told();
    return Boolean(view);
  }

  /** What the server tells of pins. */
  function onPins({all, pins: list_}) {
    if (all) known.clear();
    for (const one of list_) {
      if (one.deleted || one.state === "deleted") known.delete(one.id);
      else known.add(one.id);
      if (one.group && !groups.includes(one.group)) groups.push(one.group);
    }
    list.told(list_);
    const mine = pin && list_.find((one) => one.id === pin.id);
    if (!mine) return;
    if (mine.deleted || mine.state === "deleted") return lost();
    if (mine.revision > pin.revision) follow();
    else pin = {...pin, live: mine.live ?? pin.live, may: mine.may ?? pin.may};
    told();
  }

  // Somebody changed it.
  async function follow() {
    const found = await pins.get(pin.id).catch(() => null);
    if (!found || found.id !== pin?.id || found.revision <= pin.revision) return;
    const who = found.changed_by || "Somebody";
    if (!baseline || isAsSaved()) {
      await take(found);
      messages.show("pin", {text: `${who} changed this pin. It is shown as it is now.`, seconds: 8});
    } else {
      messages.show("pin", {text: `${who} changed this pin. What you see is your own.`, action: {label: "Show theirs", run: () => { messages.clear("pin"); take(found); }}});
    }
  }

  function lost() {
    messages.show("pin", {kind: "warning", title: "This pin was deleted.", text: "Its view stays here as your own. The list of pins brings it back."});
    leave();
  }

  /** The catalog is another: a pin that could not be shown may be shown now. */
  async function catalogChanged() {
    if (pin && (!baseline || !state.view)) await take(pin);
  }

  async function poll() {
    if (!pin || page.isTold()) return;
    const found = await pins.get(pin.id).catch(() => null);
    if (found && pin) onPins({pins: [found]});
    await page.lookAgain().catch(() => null); // the connection's own line says what is wrong
  }
  setInterval(poll, POLL);

  // Back and Forward: first the pin that the address names, or none, then the view that it has.
  window.addEventListener("popstate", () => {
    const wanted = linkedPin();
    if (wanted === id()) return;
    if (wanted) open(wanted, {own: window.location.hash.length > 1});
    else leave();
    page.readAddress();
  });

  // ---- Changing.

  /** The dialog for a new pin. */
  async function create() {
    if (!state.resolved?.times.length) return;
    if (!page.mayPin() && await page.signIn(NEEDS) && !page.mayPin()) messages.show("pin", {kind: "warning", title: "The view was not pinned.", text: `You may only look here. ${NEEDS}`});
    if (!page.mayPin()) return;
    const rules = offered(state.view);
    dialog.open({heading: "Pin this view", button: "Pin", title: page.title(), group: pin?.group ?? "", groups, rules, rule: ruleOf(state.view), failed,
      save: async (form) => made(await pins.create({title: form.title, group: form.group, view: followed({...state.view, camera: state.view.camera ?? page.camera()}, rules, form.rule)}))});
  }

  // The rules for the step on screen, with what each means now.
  function offered(view) {
    return pinRules(state.resolved, state.index).map((rule) => ({...rule, now: meaningNow(view, rule, state.catalog)}));
  }

  const followed = (view, rules, wanted) => { const {run, time} = rules.find((rule) => rule.id === wanted); return {...view, run, time}; };

  function made(fresh) {
    setAddress(fresh.id);
    page.watch(true);
    messages.show("pin", {text: `“${fresh.title}” is pinned: ${ruleWords(fresh.view, state.resolved?.calendar)}.`, action: {label: "Copy link", run: copyLink}, seconds: 12});
    followHere(fresh.view);
    take(fresh, {own: true});
  }

  // The page's own view follows another rule, or has its camera written down; what is on screen stays.
  function followHere({run, time, camera}) {
    if (run !== state.view.run || time !== state.view.time || !state.view.camera) page.change({run, time, camera: state.view.camera ?? camera});
  }

  // What it follows stays, unless another rule is chosen, for the step on screen.
  function edit() {
    const before = pin, {view} = before;
    const kept = {id: "kept", run: view.run, time: view.time, words: `As it is: ${ruleWords(view, state.resolved?.calendar)}`, now: meaningNow(view, view, state.catalog)};
    const rules = [kept, ...(state.resolved?.times.length ? offered(view) : []).filter(({run, time}) => run !== view.run || time !== view.time)];
    dialog.open({heading: "Edit the pin", button: "Save", title: before.title, group: before.group ?? "", groups, rules, rule: "kept", failed,
      save: (form) => change({...before, title: form.title, group: form.group, view: followed(view, rules, form.rule)}, {own: !isAsSaved()})});
  }

  /** The view on screen becomes the pin's. */
  async function save() {
    await act(() => change({...pin, view: state.view}, {own: true}));
  }

  async function back() {
    if (pin) await take(pin);
  }

  // Writes a pin; where another was faster, asks whose it is to be.
  async function change(wanted, {own}) {
    for (let revision = wanted.revision; ;) {
      try {
        const saved = await pins.update({...wanted, revision});
        await take(saved, {own});
        if (saved.revision === revision) return messages.show("pin", {text: "It is so already.", seconds: 4});
        return sayUndo("Saved.", () => pins.undo(saved));
      } catch (error) {
        if (error.status !== 412) throw error;
        const present = error.pin ?? await pins.get(wanted.id);
        dialog.close();
        const answer = await conflict.ask(present);
        if (answer === "theirs") return take(await pins.get(wanted.id));
        if (answer !== "mine") return null;
        revision = present.revision;
      }
    }
  }

  function sayUndo(text, undo) {
    messages.show("pin", {text, seconds: 20, action: {label: "Undo", run: () => { messages.clear("pin"); act(async () => { await take(await undo()); messages.show("pin", {text: "Undone.", seconds: 4}); }); }}});
  }

  async function remove() {
    const {id: gone, title} = pin;
    await act(async () => {
      const revision = await pins.remove(pin);
      leave();
      sayUndo(`“${title}” is deleted.`, async () => {
        const again = await pins.undo({id: gone, revision});
        setAddress(gone);
        page.watch(true);
        return again;
      });
    });
  }

  function openHistory() {
    const {id: wanted, title, may} = pin;
    history.open({title, may, read: () => pins.history(wanted),
      restore: async (to, revision) => { const saved = await pins.restore({id: wanted, revision}, to); await take(saved); sayUndo("Brought back.", () => pins.undo(saved)); }});
  }

  // ---- Small things.

  const failed = (error) => {
    if (error.status === 401) page.signIn(NEEDS);
    return error.message;
  };

  async function act(what) {
    try {
      await what();
    } catch (error) {
      messages.show("pin", {kind: "warning", title: "The pin was not changed.", text: error.message,
        action: error.status === 401 ? {label: "Sign in", run: () => signInAnd(() => act(what))} : null});
    }
  }

  async function signInAnd(what) {
    if (!(await page.signIn())) return;
    messages.clear("pin");
    await what();
  }

  function setAddress(wanted) {
    const address = new URL(window.location.href);
    if (wanted) address.searchParams.set("pin", wanted);
    else address.searchParams.delete("pin");
    if (wanted) address.hash = "";
    if (address.href !== window.location.href) window.history.pushState(null, "", address);
  }

  /** The view stays, the pin goes. */
  function leave() {
    pin = baseline = null;
    setAddress(null);
    page.watch(false);
    page.write();
    told();
  }

  async function copyLink() {
    const link = pins.linkUrl(pin.id);
    if (await copyText(link)) messages.show("pin", {text: "The link to this pin is copied.", seconds: 4});
    else messages.show("pin", {title: "The link to this pin:", text: link});
  }

  return {open, next, count: () => (pin ? known.size : 0), create, openList: list.open, onPins, catalogChanged, cameraTaken, refresh, words, isAsSaved, id, get shown() { return Boolean(pin && baseline); }};
}

/** The pin that an address names, or null. */
export function linkedPin(search = window.location.search) {
  const id = new URLSearchParams(search).get("pin");
  return /^[0-9a-f]{16}$/.test(id ?? "") ? id : null;
}
