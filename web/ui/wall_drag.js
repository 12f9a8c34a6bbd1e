// SPDX-License-Identifier: Apache-2.0
// Tiles of the wall moved by pointer: the one that is held follows its place among the others; where it is let go is told.

/** place(id, group, at): where the tile should stand, group's name and index among the others. Returns grab(id, event). */
export function createWallDrag(host, place) {
  return function grab(id, event) {
    if (event.button) return;
    event.preventDefault();
    const tile = host.querySelector(`.tile[data-id="${id}"]`);
    let moved = false;
    host.setPointerCapture(event.pointerId); // not the tile, which moves about

    const move = (at) => {
      if (!moved && Math.hypot(at.clientX - event.clientX, at.clientY - event.clientY) < 6) return;
      moved = true;
      tile.classList.add("held");
      const over = document.elementsFromPoint(at.clientX, at.clientY).map((one) => one.closest?.(".tile, .wall-group")).find((one) => one && one !== tile);
      if (!over) return;
      if (over.classList.contains("wall-group")) {
        if (!over.querySelector(`.tile[data-id="${id}"]`)) over.querySelector("ul").append(tile);
      } else {
        const box = over.getBoundingClientRect();
        over[at.clientX < box.left + box.width / 2 ? "before" : "after"](tile);
      }
    };
    const end = (at) => {
      for (const [name, listener] of listeners) host.removeEventListener(name, listener);
      tile.classList.remove("held");
      if (!moved) return;
      const group = tile.closest(".wall-group");
      place(id, group.dataset.group, [...group.querySelectorAll(".tile")].indexOf(tile), at.type === "pointercancel");
    };
    const listeners = [["pointermove", move], ["pointerup", end], ["pointercancel", end]];
    for (const [name, listener] of listeners) host.addEventListener(name, listener);
  };
}
