// SPDX-License-Identifier: Apache-2.0
// An export's job in words.

const STATES = {queued: "waiting", running: "drawing", done: "done", failed: "failed", cancelled: "cancelled"};

export const isActive = ({state}) => state === "queued" || state === "running";

/** "51 s", "3 min 20 s", "2 h 5 min". */
export function durationWords(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return [`${Math.floor(s / 60)} min`, s % 60 ? `${s % 60} s` : ""].filter(Boolean).join(" ");
  const minutes = Math.round(s / 60);
  return [`${Math.floor(minutes / 60)} h`, minutes % 60 ? `${minutes % 60} min` : ""].filter(Boolean).join(" ");
}

/** The same, with tenths where it is short. */
export const filmWords = (seconds) => (seconds < 10 ? `${Number(seconds.toFixed(1))} s` : durationWords(seconds));

/** "820 kB", "1.2 MB". */
export function bytesWords(bytes) {
  if (bytes < 1e3) return `${bytes} bytes`;
  const [unit, size] = bytes < 1e6 ? ["kB", bytes / 1e3] : bytes < 1e9 ? ["MB", bytes / 1e6] : ["GB", bytes / 1e9];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

export const framesWords = (count) => `${count} ${count === 1 ? "frame" : "frames"}`;

/** {state, progress: text, share: 0…1 or null where it is not known}. */
export function describeJob(job) {
  const {frames, done, rate, bytes} = job;
  const parts = [frames === null ? framesWords(done) : `${done} of ${framesWords(frames)}`];
  if (job.state === "running" && rate > 0) parts.push(`${rate < 10 ? Number(rate.toFixed(1)) : Math.round(rate)} a second`);
  if (job.state === "running" && Number.isFinite(job.seconds_left)) parts.push(`${durationWords(job.seconds_left)} left`);
  if (bytes > 0) parts.push(bytesWords(bytes));
  return {state: STATES[job.state] ?? job.state, progress: parts.join(" · "), share: frames ? Math.min(1, done / frames) : null};
}

/** Jobs after a message of the server (PROTOCOL.md, "exports"): a new Map id → job, newest first. */
export function mergeJobs(known, {all, jobs}) {
  const merged = new Map(all ? [] : known);
  for (const job of jobs) {
    if (job.state === "deleted") merged.delete(job.id);
    else merged.set(job.id, {...merged.get(job.id), ...job});
  }
  return new Map([...merged].sort(([, a], [, b]) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0)));
}
