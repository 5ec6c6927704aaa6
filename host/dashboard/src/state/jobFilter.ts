/** What narrows a list of jobs, as it stands in the address. */

import type { JobCounts, JobQuery, JobState, OperationFilter, Queue } from "../api/types";
import { STATES } from "../api/types";
import { count } from "../format";

/** The times that can be chosen by a word. */
export const SINCE = {
  "15m": { ms: 15 * 60_000, text: "last 15 minutes" },
  "1h": { ms: 3_600_000, text: "last hour" },
  "24h": { ms: 86_400_000, text: "last 24 hours" },
  "7d": { ms: 7 * 86_400_000, text: "last 7 days" },
} as const;

export type Since = keyof typeof SINCE;

export interface JobFilter {
  state: JobState[];
  task: string;
  queue: string;
  tag: string;
  id: string;
  since: Since | "";
  from: string;
  before: string;
}

/** Reads it. What no filter can be is left out, so that an old link shows too much rather than nothing. */
export function readFilter(query: URLSearchParams): JobFilter {
  const text = (name: string) => query.get(name)?.trim() ?? "";
  const time = (name: string) => (Number.isNaN(Date.parse(text(name))) ? "" : text(name));
  const since = text("since");
  const states = text("state").split(",");
  return {
    state: STATES.filter((state) => states.includes(state)),
    task: text("task"),
    queue: text("queue"),
    tag: text("tag"),
    id: text("id"),
    since: since in SINCE ? (since as Since) : "",
    from: time("from"),
    before: time("before"),
  };
}

/** As the API takes it, at a time. */
export function toQuery(filter: JobFilter, now: number): JobQuery {
  const query: JobQuery = { state: filter.state };
  if (filter.task) query.task = filter.task;
  if (filter.queue) query.queue = filter.queue;
  if (filter.tag) query.tag = filter.tag;
  if (filter.id) query.id = filter.id;
  const from = filter.since ? new Date(now - SINCE[filter.since].ms).toISOString() : filter.from;
  if (from) query.created_from = from;
  if (filter.before) query.created_before = filter.before;
  return query;
}

/** The same for an operation on all that match; undefined if an operation knows no such filter. */
export function toOperation(filter: JobFilter, now: number): OperationFilter | undefined {
  if (filter.id) return undefined;
  const { state, ...rest } = toQuery(filter, now);
  const narrowed: Omit<OperationFilter, "all"> = { ...rest, ...(state?.length ? { state } : {}) };
  return { ...narrowed, all: Object.keys(narrowed).length === 0 };
}

/** How many jobs match, where that is kept: by states, over all queues or in one. */
export function knownCount(filter: JobFilter, all: JobCounts | undefined, queues: Queue[]): number | undefined {
  if (filter.task || filter.tag || filter.id || filter.since || filter.from || filter.before) return undefined;
  const counts = filter.queue ? queues.find((queue) => queue.name === filter.queue)?.jobs : all;
  const states: readonly JobState[] = filter.state.length > 0 ? filter.state : STATES;
  return counts && states.reduce((sum, state) => sum + counts[state], 0);
}

/** In words: `all discarded jobs of the task hello`. */
export function describe(filter: JobFilter, known: number | undefined): string {
  const many = known === undefined ? "all" : `all ${count(known)}`;
  const parts = [many, filter.state.join(" or "), "jobs"];
  if (filter.task) parts.push(`of the task ${filter.task}`);
  if (filter.queue) parts.push(`in the queue ${filter.queue}`);
  if (filter.tag) parts.push(`with the tag ${filter.tag}`);
  if (filter.since) parts.push(`of the ${SINCE[filter.since].text}`);
  if (filter.from) parts.push(`enqueued from ${new Date(filter.from).toLocaleString()}`);
  if (filter.before) parts.push(`enqueued before ${new Date(filter.before).toLocaleString()}`);
  return parts.filter(Boolean).join(" ");
}
