// SPDX-License-Identifier: Apache-2.0
// Stands in for the server's exports (server/PROTOCOL.md, "Exports") in tests of the page's dialog: jobs that go on as a test says.

/** {jobs: [JOB], views: [VIEW] ordered, previews: [body], refuse: null or {status, message} for what writes, previewBusy: how often a preview is put off}. */
export function fakeExports() {
  return {jobs: [], views: [], previews: [], refuse: null, previewBusy: 0, previewRefuse: null};
}

export function fakeJob(exports, more = {}) {
  const number = exports.jobs.length + 1;
  const job = {id: String(number).padStart(16, "0"), name: `Job ${number}`, state: "queued", frames: null, done: 0, bytes: 0, rate: null, seconds_left: null, error: null,
    created: new Date(Date.UTC(2026, 0, 1, 0, number)).toISOString(), began: null, ended: null, format: "png", size: [1280, 720], files: "%05d.png", ...more};
  exports.jobs.unshift(job);
  return job;
}

// A JPEG of one grey pixel is no use to look at: a PNG of 2 × 1, as a preview of any view.
const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGOwdot7+/YdAAn0A5kM0VLVAAAAAElFTkSuQmCC", "base64");

export async function answerExports(exports, path, request, response) {
  const body = await read(request);
  const send = (status, value, headers = {}) => response.writeHead(status, {"Content-Type": "application/json", "Cache-Control": "no-store", ...headers}).end(value === null ? "" : JSON.stringify(value));
  const fail = (status, message, headers) => send(status, {error: {status, message}}, headers);
  const [, id, action, frame] = /^(?:\/([^/]+))?(?:\/([^/]+))?(?:\/(\d+))?$/.exec(path) ?? [];
  const job = exports.jobs.find((one) => one.id === id);
  if (request.method === "GET" && !id) return send(200, {jobs: exports.jobs, more: false});
  if (request.method !== "GET" && exports.refuse) return fail(exports.refuse.status, exports.refuse.message);
  if (request.method === "POST" && id === "preview") {
    exports.previews.push(body);
    if (exports.previewBusy-- > 0) return fail(503, "one preview at a time", {"Retry-After": "0"});
    if (exports.previewRefuse) return fail(400, exports.previewRefuse);
    return response.writeHead(200, {"Content-Type": "image/png"}).end(PICTURE);
  }
  if (request.method === "POST" && !id) {
    exports.views.push(body.view);
    return send(201, fakeJob(exports, {name: body.name, size: body.view.size, format: body.view.sequence.format}));
  }
  if (!job) return fail(404, "there is no such export");
  if (request.method === "POST" && action === "cancel") {
    if (["done", "failed", "cancelled"].includes(job.state)) return fail(409, "the export has ended already");
    return send(200, Object.assign(job, {state: "cancelled"}));
  }
  if (request.method === "DELETE") {
    exports.jobs.splice(exports.jobs.indexOf(job), 1);
    return send(204, null);
  }
  if (action === "zip") return response.writeHead(200, {"Content-Type": "application/zip", "Content-Disposition": 'attachment; filename="frames.zip"'}).end("PK");
  if (action === "frames" && Number(frame) < job.done) return response.writeHead(200, {"Content-Type": "image/png"}).end(PICTURE);
  return fail(404, "there is no such frame");
}

async function read(request) {
  let text = "";
  for await (const piece of request) text += piece;
  return text ? JSON.parse(text) : null;
}
