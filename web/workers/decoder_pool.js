// SPDX-License-Identifier: Apache-2.0
// A few decoder workers. decode() resolves with {brick, texels, cells, ms} or rejects with the reason.

export class DecoderPool {
    constructor(count = Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1))) {
        this.waiting = new Map();
        this.next = 1;
        this.turn = 0;
        this.totalMs = 0;
        this.decoded = 0;
        this.workers = Array.from({length: count}, () => {
            const worker = new Worker(new URL('./brick_decoder.js', import.meta.url), {type: 'module'});
            worker.inFlight = 0;
            worker.onmessage = ({data}) => this.#answer(worker, data);
            worker.onerror = (event) => this.#failAll(worker, event.message || 'decoder worker failed');
            return worker;
        });
    }

    decode(job) {
        const id = this.next++;
        const worker = this.workers.reduce((least, one) => one.inFlight < least.inFlight ? one : least);
        worker.inFlight++;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, {resolve, reject, worker});
            worker.postMessage({...job, id}, [job.bytes.buffer]);
        });
    }

    #answer(worker, data) {
        const waiting = this.waiting.get(data.id);
        if (!waiting) return;
        this.waiting.delete(data.id);
        worker.inFlight--;
        if (data.error) { waiting.reject(new Error(data.error)); return; }
        this.totalMs += data.ms;
        this.decoded++;
        waiting.resolve(data);
    }

    #failAll(worker, message) {
        for (const [id, waiting] of this.waiting) {
            if (waiting.worker !== worker) continue;
            this.waiting.delete(id);
            waiting.reject(new Error(message));
        }
        worker.inFlight = 0;
    }

    get busy() { return this.waiting.size; }
    dispose() { for (const worker of this.workers) worker.terminate(); this.waiting.clear(); }
}
