// SPDX-License-Identifier: Apache-2.0
// One layer's bricks on the GPU: a 3D texture of stacks (34 × 34 columns, all bricks over one brick column of a pyramid
// level above each other) and the page table that says, for each brick of the finest level, which resident brick to read.
import {texture3d} from './program.js';
import {SLOT} from '../workers/decode_brick.js';

const PAGE_NOTHING = 0, PAGE_CONSTANT = 1, PAGE_TEXELS = 2;

export class BrickAtlas {
    // pyramid: [{n, scale, bricks}], channels: 1 or 2, capacity: wanted number of stacks, bytes: upper limit.
    constructor(gl, pyramid, channels, capacity, bytes) {
        this.gl = gl;
        this.channels = channels;
        this.pyramid = pyramid;
        this.depth = Math.max(...pyramid.map((level) => level.n[2] + 2 * level.bricks[2]));
        const largest = Math.min(gl.getParameter(gl.MAX_3D_TEXTURE_SIZE), 2047), across = Math.floor(largest / SLOT);
        if (this.depth > Math.min(largest, 1023)) throw new Error(`a volume of ${pyramid[0].n[2]} levels does not fit a 3D texture`);
        const stackBytes = SLOT * SLOT * this.depth * 2 * channels;
        const stacks = Math.max(4, Math.min(capacity, Math.floor(bytes / stackBytes)));
        this.nx = Math.min(across, Math.ceil(Math.sqrt(stacks)));
        this.ny = Math.min(across, Math.ceil(stacks / this.nx));
        this.nz = Math.max(1, Math.min(Math.floor(Math.min(largest, 1023) / this.depth), Math.ceil(stacks / (this.nx * this.ny))));
        this.size = [this.nx * SLOT, this.ny * SLOT, this.nz * this.depth];
        this.stacks = this.nx * this.ny * this.nz;
        this.bytes = this.stacks * stackBytes;
        this.texture = texture3d(gl, {format: channels === 2 ? gl.RG16F : gl.R16F, size: this.size, filter: gl.LINEAR});
        this.free = Array.from({length: this.stacks}, (_, index) => this.stacks - 1 - index);
        this.used = new Map();   // stack key → {slot, key, bricks: Map bz → {middle, shift}, used: clock}
        const finest = pyramid[0].bricks;
        this.pageSize = [finest[0], finest[1], finest[2] * 2];
        this.page = texture3d(gl, {format: gl.RGBA32UI, size: this.pageSize});
        this.entries = new Uint32Array(finest[0] * finest[1] * finest[2] * 4);
        this.clock = 0;
        this.uploads = 0;
    }

    static stackKey(field, level, bx, by) { return `${field}|${level}|${bx}|${by}`; }

    has(field, level, [bx, by, bz]) {
        const stack = this.used.get(BrickAtlas.stackKey(field, level, bx, by));
        return Boolean(stack && stack.bricks.has(bz));
    }

    // Marks as wanted now, so that it is not given away. Call beginFrame once before the touches of a frame.
    beginFrame() { this.clock++; }
    touch(field, level, [bx, by]) {
        const stack = this.used.get(BrickAtlas.stackKey(field, level, bx, by));
        if (stack) stack.used = this.clock;
    }

    // Uploads one brick. texels: {texels, size, middle, shift} of brickTexels. false when there is no room that is not
    // wanted in this frame.
    put(field, level, [bx, by, bz], texels) {
        const {gl} = this, key = BrickAtlas.stackKey(field, level, bx, by);
        let stack = this.used.get(key);
        if (!stack) {
            const slot = this.#takeSlot();
            if (slot < 0) return false;
            stack = {slot, key, bricks: new Map(), used: this.clock};
            this.used.set(key, stack);
        }
        stack.used = this.clock;
        const [x, y, z] = this.#origin(stack.slot, bz);
        gl.bindTexture(gl.TEXTURE_3D, this.texture);
        gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
        gl.texSubImage3D(gl.TEXTURE_3D, 0, x, y, z, ...texels.size, this.channels === 2 ? gl.RG : gl.RED, gl.HALF_FLOAT, texels.texels);
        stack.bricks.set(bz, {middle: texels.middle, shift: texels.shift});
        this.uploads++;
        return true;
    }

    #takeSlot() {
        if (this.free.length) return this.free.pop();
        let oldest = null;
        for (const stack of this.used.values()) if (stack.used < this.clock && (!oldest || stack.used < oldest.used)) oldest = stack;
        if (!oldest) return -1;
        this.used.delete(oldest.key);
        return oldest.slot;
    }

    #origin(slot, bz) {
        const x = slot % this.nx, y = Math.floor(slot / this.nx) % this.ny, z = Math.floor(slot / (this.nx * this.ny));
        return [x * SLOT, y * SLOT, z * this.depth + bz * SLOT];
    }

    // Writes one time slot (0 or 1) of the page table from what is resident of a field and its step table (or null).
    // → {chosen: level in use for each finest brick, dropped: low bits dropped at most}
    writePage(timeSlot, field, table) {
        const {pyramid, entries, gl} = this, [nx, ny, nz] = pyramid[0].bricks;
        const chosen = new Uint8Array(nx * ny * nz);
        let dropped = 0, at = 0;
        for (let z = 0; z < nz; z++) for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++, at++) {
            let kind = PAGE_NOTHING, packed = 0, middle = 0, shift = 0, level = 0;
            for (; table && level < pyramid.length; level++) {
                const {bricks, scale} = pyramid[level];
                const bx = Math.floor(x / scale[0]), by = Math.floor(y / scale[1]), bz = Math.floor(z / scale[2]);
                const index = (bz * bricks[1] + by) * bricks[0] + bx, what = table.levels[level].kind[index];
                if (what === 0) break;
                if (what === 1) { kind = PAGE_CONSTANT; middle = table.levels[level].min[index]; break; }
                const stack = this.used.get(BrickAtlas.stackKey(field, level, bx, by)), brick = stack && stack.bricks.get(bz);
                if (!brick) continue;
                const [ox, oy, oz] = this.#origin(stack.slot, bz);
                kind = PAGE_TEXELS; packed = (ox | oy << 11 | oz << 22) >>> 0; ({middle, shift} = brick);
                break;
            }
            if (level >= pyramid.length) level = pyramid.length - 1;
            chosen[at] = level;
            dropped = Math.max(dropped, shift);
            entries[4 * at] = packed; entries[4 * at + 1] = kind | level << 8 | shift << 16; entries[4 * at + 2] = middle >>> 0; entries[4 * at + 3] = 0;
        }
        gl.bindTexture(gl.TEXTURE_3D, this.page);
        gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
        gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, timeSlot * nz, nx, ny, nz, gl.RGBA_INTEGER, gl.UNSIGNED_INT, entries);
        return {chosen, dropped};
    }

    delete() { this.gl.deleteTexture(this.texture); this.gl.deleteTexture(this.page); }
}
