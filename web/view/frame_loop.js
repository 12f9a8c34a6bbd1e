// SPDX-License-Identifier: Apache-2.0
// When to draw what: coarse and often while something moves, in full soon after it rests, nothing when nothing changes.
// One picture is in flight at a time, so that a slow machine stays responsive.

const REST_MS = 90;

export class FrameLoop {
    // host: {update(now) → true while things change by themselves, loading, frameBudget: ms or undefined, scene() → {scene, matrices} or null, renderer, begun(), drawn({full, scale, ms, simplified})}
    constructor(host) {
        this.host = host;
        this.dirty = true;
        this.movedAt = -Infinity;
        this.running = false;
        this.stopped = false;
        this.lastStart = 0;
        this.fps = 0;
    }

    // Something the camera or the data did. moving: more of it is likely to come.
    invalidate(moving = false) {
        if (moving) this.movedAt = performance.now();
        this.dirty = true;
        this.wake();
    }

    wake() {
        this.woken = true;
        if (this.running || this.stopped) return;
        this.running = true;
        requestAnimationFrame(() => this.#run());
    }

    get moving() { return performance.now() - this.movedAt < REST_MS; }

    async #run() {
        try {
            for (let again = true; again && !this.stopped;) {
                this.woken = false;
                again = await this.#turn() || this.woken;
                // Between tiles nothing waits for the screen.
                if (again && !(this.host.renderer?.tiles && !this.dirty)) await nextFrame();
            }
        } catch (error) { this.host.failed(error); }
        this.running = false;
    }

    // One picture or some tiles of one. false: nothing more to do until woken.
    async #turn() {
        const {host} = this, now = performance.now();
        const busy = host.update(now), view = host.scene(), {renderer} = host;
        if (!view || !renderer) return busy;
        if (this.dirty && (this.moving || busy || host.loading || !this.drawnOnce)) return this.#quick(view, now);
        if (this.dirty) { this.dirty = false; this.needsFull = true; host.begun(); renderer.beginFull(view.scene, view.matrices); await renderer.finished(now); return true; }
        if (renderer.tiles) return this.#tiles();
        return this.moving || busy;
    }

    async #quick({scene, matrices}, now) {
        const {host} = this, {renderer} = host, scale = renderer.scale;
        this.dirty = false;
        host.begun();
        renderer.drawMoving(scene, matrices);
        const ms = await renderer.finished(now);
        if (now - this.lastStart < 1000) this.fps = 0.8 * this.fps + 0.2 * 1000 / (now - this.lastStart);
        this.lastStart = now;
        if (this.drawnOnce) renderer.adapt(ms, host.frameBudget);   // the first one also compiled its shaders
        this.drawnOnce = true;
        this.needsFull = true;
        host.drawn({full: false, scale, ms, simplified: true});
        if (!this.dirty) this.#fullLater();
        return true;
    }

    // When all rests, the same picture in full.
    #fullLater() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => { if (this.needsFull) { if (this.moving || this.host.loading) this.#fullLater(); else { this.dirty = true; this.wake(); } } }, REST_MS);
    }

    async #tiles() {
        const {host} = this, {renderer} = host, start = performance.now();
        const done = renderer.drawTiles(1), ms = await renderer.finished(start);
        renderer.adaptTiles(ms);
        if (!done) return true;
        this.needsFull = false;
        host.drawn({full: true, scale: 1, ms, simplified: false});
        return false;
    }

    stop() { this.stopped = true; clearTimeout(this.timer); }
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
