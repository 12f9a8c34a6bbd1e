// SPDX-License-Identifier: Apache-2.0
// The websocket's bytes (server/PROTOCOL.md), no sockets.

const BATCH = 0x54414256; // "VBAT"
export const PART_TABLE = 1, PART_BRICK = 2;

// ArrayBuffer → {generation, parts: [{kind, layer, level, step, b: [x,y,z], bytes}], payload: bytes of all parts}. The
// bytes are copies. Throws Error when it does not fit.
export function parseBatch(buffer) {
    const view = new DataView(buffer);
    if (buffer.byteLength < 12 || view.getUint32(0, true) !== BATCH) throw new Error('not a batch');
    const generation = view.getUint32(4, true), count = view.getUint32(8, true), parts = [];
    let at = 12, payload = 0;
    for (let part = 0; part < count; part++) {
        if (at + 20 > buffer.byteLength) throw new Error('batch is cut short');
        const bytes = view.getUint32(at + 16, true);
        if (bytes > buffer.byteLength - at - 20) throw new Error('batch is cut short');
        parts.push({kind: view.getUint8(at), layer: view.getUint8(at + 1), level: view.getUint16(at + 2, true), step: view.getUint32(at + 4, true),
            b: [view.getUint16(at + 8, true), view.getUint16(at + 10, true), view.getUint16(at + 12, true)],
            bytes: new Uint8Array(buffer.slice(at + 20, at + 20 + bytes))});
        at += 20 + bytes;
        payload += bytes;
    }
    return {generation, parts, payload};
}

// The other way, for tests.
export function writeBatch(generation, parts) {
    const total = parts.reduce((sum, part) => sum + 20 + part.bytes.length, 12);
    const out = new Uint8Array(total), view = new DataView(out.buffer);
    view.setUint32(0, BATCH, true); view.setUint32(4, generation, true); view.setUint32(8, parts.length, true);
    let at = 12;
    for (const part of parts) {
        view.setUint8(at, part.kind); view.setUint8(at + 1, part.layer); view.setUint16(at + 2, part.level, true);
        view.setUint32(at + 4, part.step, true);
        part.b.forEach((value, axis) => view.setUint16(at + 8 + 2 * axis, value, true));
        view.setUint32(at + 16, part.bytes.length, true);
        out.set(part.bytes, at + 20);
        at += 20 + part.bytes.length;
    }
    return out;
}
