// SPDX-License-Identifier: Apache-2.0
// Pointer, wheel and keys to camera movements. Dragging orbits, right button or shift or two fingers pan, wheel or pinch zooms;
// in flight the keys W A S D Q E move.

const FLY_KEYS = {w: [0, 1, 0], s: [0, -1, 0], a: [-1, 0, 0], d: [1, 0, 0], e: [0, 0, 1], q: [0, 0, -1]};

export class Controls {
    // on: {moved(), placeAt(clientX, clientY) → exaggerated scene place or null}
    constructor(element, camera, on) {
        this.element = element;
        this.camera = camera;
        this.on = on;
        this.pointers = new Map();
        this.keys = new Set();
        this.stop = new AbortController();
        const listen = (target, type, handler, options = {}) => target.addEventListener(type, handler, {signal: this.stop.signal, ...options});
        element.style.touchAction = 'none';
        listen(element, 'pointerdown', (event) => this.#down(event));
        listen(element, 'pointermove', (event) => this.#move(event));
        for (const type of ['pointerup', 'pointercancel', 'lostpointercapture']) listen(element, type, (event) => this.pointers.delete(event.pointerId));
        listen(element, 'wheel', (event) => this.#wheel(event), {passive: false});
        listen(element, 'contextmenu', (event) => event.preventDefault());
        listen(window, 'keydown', (event) => this.#key(event, true));
        listen(window, 'keyup', (event) => this.#key(event, false));
        listen(window, 'blur', () => this.keys.clear());
    }

    get dragging() { return this.pointers.size > 0; }
    get flying() { return this.camera.mode === 'fly' && this.keys.size > 0; }

    #down(event) {
        this.element.setPointerCapture?.(event.pointerId);
        this.pointers.set(event.pointerId, {x: event.clientX, y: event.clientY, pan: event.button === 2 || event.button === 1 || event.shiftKey});
    }

    #move(event) {
        const pointer = this.pointers.get(event.pointerId);
        if (!pointer) return;
        const height = this.element.clientHeight || 1, dx = (event.clientX - pointer.x) / height, dy = (event.clientY - pointer.y) / height;
        if (this.pointers.size === 2) this.#pinch(event, pointer, height);
        else if (pointer.pan) this.camera.pan(dx, dy);
        else if (this.camera.mode === 'top') this.camera.pan(dx, dy);
        else this.camera.orbit(dx, dy);
        pointer.x = event.clientX;
        pointer.y = event.clientY;
        if (dx || dy) this.on.moved();
    }

    #pinch(event, pointer, height) {
        const other = [...this.pointers.values()].find((one) => one !== pointer);
        const before = Math.hypot(pointer.x - other.x, pointer.y - other.y), after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
        if (before > 0 && after > 0) this.camera.zoom(before / after);
        this.camera.pan((event.clientX - pointer.x) / height / 2, (event.clientY - pointer.y) / height / 2);
    }

    #wheel(event) {
        event.preventDefault();
        const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
        this.camera.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY * lines * 0.0012))), this.camera.mode === 'fly' ? null : this.on.placeAt(event.clientX, event.clientY));
        this.on.moved();
    }

    #key(event, down) {
        const key = event.key.toLowerCase();
        if (!FLY_KEYS[key]) return;
        const typing = event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]');
        if (!down) { this.keys.delete(key); return; }
        if (this.camera.mode !== 'fly' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
        this.keys.add(key);
        this.fast = event.shiftKey;
        this.on.moved();
    }

    // Flight for some milliseconds. true when the camera moved.
    fly(ms) {
        if (!this.flying) return false;
        const step = Math.min(ms, 100) / 1000 * (this.fast ? 0.6 : 0.2), sum = [0, 0, 0];
        for (const key of this.keys) FLY_KEYS[key].forEach((value, axis) => { sum[axis] += value * step; });
        this.camera.fly(...sum);
        return true;
    }

    dispose() { this.stop.abort(); }
}
