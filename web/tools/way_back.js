// SPDX-License-Identifier: Apache-2.0
// Who signs in elsewhere comes back to the page's first address: this remembers, for this tab and some minutes, where they were.

const KEY = "virga-way-back";
const MINUTES = 15;

/** To be called when the reader leaves to sign in. */
export function rememberPlace({location = window.location, store = window.sessionStorage, now = Date.now()} = {}) {
  try { store.setItem(KEY, JSON.stringify({at: now, href: location.href})); } catch { /* then they come to the first address */ }
}

/** Where to go on, or null: an address of this very site, remembered a short while ago, other than this one. It is remembered no more. */
export function placeBefore({location = window.location, store = window.sessionStorage, now = Date.now()} = {}) {
  let at, place;
  try {
    const kept = JSON.parse(store.getItem(KEY));
    store.removeItem(KEY);
    [at, place] = [kept.at, new URL(kept.href)];
  } catch {
    return null; // nothing, or nothing of ours
  }
  if (!(Math.abs(now - at) < MINUTES * 60000) || location.search || location.hash) return null;
  return place.origin === location.origin && place.href !== location.href ? place.href : null;
}
