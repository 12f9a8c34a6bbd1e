// SPDX-License-Identifier: Apache-2.0
// Two people changed one pin: whose is it to be?
import {formatTime} from "../view/times.js";
import {dialog, h} from "./dom.js";

/** {ask(pin as it is now) → Promise of "theirs", "mine" or null for neither} */
export function createPinConflict() {
  const words = h("p", {});
  const button = (text, answer, more = "") => h("button", {type: "button", class: `big-button ${more}`, onclick: () => element.close(answer)}, text);
  const element = dialog("This pin was changed", [words, h("div", {class: "pin-actions"}, button("Show theirs", "theirs", "primary"), button("Save mine over it", "mine"), button("Not now", ""))]);

  function ask({title, changed, changed_by: by}) {
    words.textContent = `${by || "Somebody"} changed “${title}”${changed ? ` on ${formatTime(changed)}` : ""}, after you opened it. Your changes are not saved. Whichever goes can be brought back from the history.`;
    element.returnValue = "";
    element.showModal();
    return new Promise((resolve) => element.addEventListener("close", () => resolve(element.returnValue || null), {once: true}));
  }

  return {ask};
}
