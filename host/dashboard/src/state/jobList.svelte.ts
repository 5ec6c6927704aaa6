/**
 * A page of jobs that is looked at again and again and never jumps: rows change where they stand, new ones are counted and wait until
 * somebody asks for them, and those that match no longer stay, marked.
 */

import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { getJob } from "../api/calls";
import type { Job, JobPage } from "../api/types";

/** How many of the rows that left are looked up at once. */
const LOOKED_UP = 20;

export class JobList {
  rows = $state.raw<Job[]>([]);
  /** The cursor of the page after this one. */
  next = $state<string | null>(null);
  /** How many jobs came since that are not shown. */
  waiting = $state(0);
  /** Whether there may be more that wait than were counted. */
  waitingIsMore = $state(false);
  isLoaded = $state(false);
  /** Those that do not match any more. */
  readonly left = new SvelteSet<string>();
  readonly selected = new SvelteMap<string, Job>();

  /** Another list. */
  reset(): void {
    this.rows = [];
    this.selected.clear();
    this.#whole({ jobs: [], next: null });
    this.isLoaded = false;
  }

  /** Takes an answer; `isWhole` if it replaces what is shown. */
  take(page: JobPage, isWhole: boolean): void {
    if (isWhole || this.rows.length === 0) return this.#whole(page);
    const answered = new Map(page.jobs.map((job) => [job.id, job]));
    const top = this.rows[0]?.id ?? "";
    const lowest = page.next === null ? "" : (page.jobs.at(-1)?.id ?? "");
    const fresh = page.jobs.filter((job) => job.id > top);
    this.waiting = fresh.length;
    this.waitingIsMore = fresh.length === page.jobs.length && page.next !== null;
    const lost: string[] = [];
    for (const row of this.rows) {
      if (answered.has(row.id)) this.left.delete(row.id);
      // What is below the answer was pushed out of it by new ones.
      else if (row.id >= lowest && !this.left.has(row.id)) lost.push(row.id);
    }
    for (const id of lost) this.left.add(id);
    this.rows = this.rows.map((row) => answered.get(row.id) ?? row);
    void this.#lookUp(lost.slice(0, LOOKED_UP));
  }

  toggle(job: Job): void {
    if (!this.selected.delete(job.id)) this.selected.set(job.id, job);
  }

  #whole(page: JobPage): void {
    this.rows = page.jobs;
    this.next = page.next;
    [this.waiting, this.waitingIsMore, this.isLoaded] = [0, false, true];
    this.left.clear();
  }

  /** What became of those that left. */
  async #lookUp(ids: string[]): Promise<void> {
    const jobs = await Promise.all(ids.map((id) => getJob(id).catch(() => undefined)));
    const found = new Map(jobs.filter((job) => job !== undefined).map((job) => [job.id, job]));
    this.rows = this.rows.map((row) => found.get(row.id) ?? row);
  }
}
