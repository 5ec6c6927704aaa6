// What all peers on Node share: their arguments, the marks that the runner times by, and waiting.

import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    jobs: { type: "string" },
    settings: { type: "string" },
    seconds: { type: "string" },
    payload: { type: "string" },
    built: { type: "string" },
    folder: { type: "string" },
  },
});

/** The database of this run, as a URL. */
export const url = values.url;
/** How many jobs. */
export const jobs = Number(values.jobs);
/** `fast` or `default`. */
export const isFast = values.settings === "fast";
/** What a job carries: the object, and its text. */
export const payload = JSON.parse(values.payload);
export const payloadText = values.payload;
/** Where things were installed, and a folder of this run's own. */
export const { built, folder } = values;

/** Tells the runner that a phase begins or is over; it takes the time and the processor time of that moment. */
export function mark(name) {
  process.stdout.write(JSON.stringify({ mark: name }) + "\n");
}

/** What was found in the database, and how often a handler ran (null if only the peer knows). */
export function report(found) {
  process.stdout.write(JSON.stringify(found) + "\n");
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const deadline = { at: Infinity };

/** From here on the run has its time. */
export function begin() {
  mark("draining");
  deadline.at = performance.now() + Number(values.seconds) * 1000;
}

export const isOver = () => performance.now() >= deadline.at;

/**
 * Waits for the drain to be durable, or for the end of its time. `handled` is asked often, since it costs nothing; `left`, which
 * asks the database, only when all have been handled.
 */
export async function drained(handled, left) {
  while (!isOver()) {
    if (handled() >= jobs && (await left()) === 0) return true;
    await pause(2);
  }
  return false;
}

/** Calls `push(count)` until all jobs are in, in batches of at most `size`. */
export async function inBatches(size, push) {
  for (let sent = 0; sent < jobs; sent += size) await push(Math.min(size, jobs - sent));
}

/** What a handler does: reads its order, which may still be text, and says what it comes to, as the `noop` of the gallery does. */
export function handle(argument) {
  const { customer, lines, note } = typeof argument === "string" ? JSON.parse(argument) : argument;
  const sum = (value) => lines.reduce((total, line) => total + value(line), 0);
  return {
    customer,
    articles: lines.map((line) => line.article),
    pieces: sum((line) => line.pieces),
    cents: sum((line) => line.pieces * line.cents),
    note_bytes: Buffer.byteLength(note),
  };
}
