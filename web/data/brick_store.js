// SPDX-License-Identifier: Apache-2.0
// Decoded bricks by name, capped in bytes; what was used longest ago goes first. Nothing here knows of the GPU.

export function brickKey(field, level, b) { return `${field}|${level}|${b[0]}|${b[1]}|${b[2]}`; }

export class BrickStore {
    // evicted(key): told of each brick that makes room for another.
    constructor(capacity, evicted = () => {}) {
        this.capacity = capacity;
        this.evicted = evicted;
        this.bytes = 0;
        this.entries = new Map();   // key → {brick, cells, bytes}, the oldest first
        this.protectedKeys = null;  // Set of keys that stay
    }

    get(key) {
        const entry = this.entries.get(key);
        if (entry) { this.entries.delete(key); this.entries.set(key, entry); }
        return entry || null;
    }

    peek(key) { return this.entries.get(key) || null; }
    has(key) { return this.entries.has(key); }

    // entry: {brick: compact()'s answer, cells: cellRanges()' answer, texels: brickTexels()' answer or null}
    put(key, entry) {
        this.remove(key);
        entry.bytes = entry.brick.d.byteLength + (entry.brick.mask ? entry.brick.mask.byteLength : 0) + entry.cells.min.byteLength * 2 + (entry.texels ? entry.texels.texels.byteLength : 0) + 200;
        this.entries.set(key, entry);
        this.bytes += entry.bytes;
        if (this.bytes <= this.capacity) return;
        for (const old of this.entries.keys()) {
            if (this.bytes <= this.capacity) break;
            if (old !== key && !(this.protectedKeys && this.protectedKeys.has(old))) { this.remove(old); this.evicted(old); }
        }
    }

    remove(key) {
        const entry = this.entries.get(key);
        if (!entry) return;
        this.bytes -= entry.bytes;
        this.entries.delete(key);
    }

    // The texels are needed until they are on the GPU; later they can be made again from the integers.
    dropTexels(key) {
        const entry = this.entries.get(key);
        if (!entry || !entry.texels) return;
        entry.bytes -= entry.texels.texels.byteLength;
        this.bytes -= entry.texels.texels.byteLength;
        entry.texels = null;
    }

    clear() { this.entries.clear(); this.bytes = 0; }
}
