// SPDX-License-Identifier: Apache-2.0
// Keys for the whole page. A key typed into a field, or with Ctrl, Alt or Meta, is left alone.

/** actions: key (event.key, letters in lower case) → function. Returns a function that ends it. */
export function listenForKeys(target, actions) {
  function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = actions[key];
    if (!action) return;
    event.preventDefault();
    action(event);
  }
  target.addEventListener("keydown", onKey);
  return () => target.removeEventListener("keydown", onKey);
}

// Does the focused control want this key for itself?
function isTyping(event) {
  const element = event.target;
  if (!(element instanceof Element)) return false;
  if (element.closest("dialog")) return event.key !== "?";
  if (element.matches("input[type=number], input[type=text], textarea")) return true;
  if (element.matches("select, input[type=range], input[type=radio]")) return event.key !== "?";
  return event.key === " " && element.matches("button, input, summary, a");
}
