// SPDX-License-Identifier: Apache-2.0
// Worker: bricks in, exact integers, texels and cell ranges out. Messages: {id, bytes, size, b, lo, core, channels, key}
// → {id, brick, texels, cells, ms} or {id, error}.
import {brickTexels, cellRanges, compact, decodeBrick} from './decode_brick.js';

self.onmessage = ({data}) => {
    const start = performance.now();
    try {
        const brick = compact(decodeBrick(data.bytes, data.size, data.key), data.size);
        const texels = brickTexels(brick, data.b, data.lo, data.core, data.channels);
        const cells = cellRanges(brick, data.b, data.lo, data.core);
        const owned = [brick.d.buffer, texels.texels.buffer, cells.min.buffer, cells.max.buffer];
        if (brick.mask) owned.push(brick.mask.buffer);
        self.postMessage({id: data.id, brick, texels, cells, ms: performance.now() - start}, owned);
    } catch (error) {
        self.postMessage({id: data.id, error: error.message});
    }
};
