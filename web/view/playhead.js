// SPDX-License-Identifier: Apache-2.0
// Which step is asked for, and when play goes on to the next. No clock and no picture of its own: it is told the time (ms) and what is ready.

export class Playhead {
    index = 0;   // of the step that is asked for
    blend = 0;   // while playing: how much of the next step is shown over the last, 0…1
    hint = {direction: 0, rate: 0};  // what is likely to be asked for next: -1, 0 or 1, in steps a second
    #play = null;

    // hint.direction may be any number; its sign counts.
    seek(index, hint) {
        this.index = index;
        this.hint = {direction: Math.sign(hint.direction || 0), rate: hint.rate || 0};
        this.blend = 0;
    }

    play({rate = 4, loop = true, direction = 1}, now) {
        this.#play = {rate, loop, direction: direction < 0 ? -1 : 1, at: now, phase: 0};
        this.hint = {direction: this.#play.direction, rate};
    }

    pause() {
        this.#play = null;
        this.blend = 0;
        this.hint = {direction: 0, rate: 0};
    }

    get playing() { return this.#play !== null; }
    get rate() { return this.#play?.rate ?? 0; }

    // While playing: goes on when the next step's turn has come and isReady(index). Between, where `blends`, the next is blended in; behind(index) has
    // it there first. shown: the index on screen. 'moved': another index is asked for; 'ended': there is no next, and nobody wants it from the start; else ''.
    advance(now, {count, shown, isReady, blends, behind}) {
        const play = this.#play;
        if (!play) return '';
        if (count < 2 || shown !== this.index) { play.at = now; return ''; }
        let next = this.index + play.direction;
        if (next < 0 || next >= count) {
            if (!play.loop) return 'ended';
            next = play.direction > 0 ? 0 : count - 1;
        }
        play.phase += (now - play.at) / 1000 * play.rate;
        play.at = now;
        const ready = isReady(next), jump = Math.abs(next - this.index) > 1, smooth = blends && ready && !jump && play.rate <= 8;
        if (smooth) behind(next);
        this.blend = smooth && play.phase < 1 ? play.phase : 0;
        if (play.phase < 1) return '';
        if (!ready) { play.phase = 1; return ''; }
        play.phase = Math.min(play.phase - 1, 0.9);
        this.blend = 0;
        this.index = next;
        return 'moved';
    }
}
