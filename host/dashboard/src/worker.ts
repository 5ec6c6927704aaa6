/** What can be told of a worker. */

import type { Worker } from "./api/types";

/** Whether its lease has run out: then the others take its jobs. */
export function workerIsLost(worker: Worker, now: number): boolean {
  return Date.parse(worker.lease_until) < now;
}
