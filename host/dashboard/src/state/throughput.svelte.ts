/**
 * How many jobs end, as it is seen from here: the numbers of finished jobs, read again and again, and what they grew by. The daemon keeps
 * no such history, so it begins when the dashboard is opened, and outlives a reload.
 */

import { getStats } from "../api/calls";
import type { JobCounts, Stats } from "../api/types";
import { Poll } from "./poll.svelte";
import { serverNow } from "./clock.svelte";

const EVERY_MS = 2_000;
/** An hour. */
const KEPT = 1_800;
const KEY = "windlass-throughput";

/** The numbers at a time. */
interface Sample {
  at: number;
  completed: number;
  failed: number;
}

/** What was finished within a minute. */
export interface Minute {
  /** Its start, in seconds since the epoch. */
  at: number;
  completed: number;
  failed: number;
}

class Throughput {
  /** The newest numbers. */
  readonly stats = new Poll<Stats>();
  minutes = $state.raw<Minute[]>([]);
  /** How many jobs were finished in the last ten seconds, for each second; undefined before that is known. */
  perSecond = $state<number>();
  #samples: Sample[] = restored();
  #watchers = 0;
  #stop: () => void = () => {};

  /** Reads as long as at least one component wants it. */
  watch(): void {
    $effect(() => {
      if (this.#watchers++ === 0) {
        this.#stop = this.stats.start(async (signal) => {
          const stats = await getStats(signal);
          this.#take(stats.jobs);
          return stats;
        }, EVERY_MS);
      }
      return () => {
        if (--this.#watchers === 0) this.#stop();
      };
    });
  }

  #take(jobs: JobCounts): void {
    this.#samples.push({ at: serverNow(), completed: jobs.completed, failed: jobs.discarded });
    this.#samples = this.#samples.slice(-KEPT);
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.#samples));
    } catch {
      // Then it begins anew after a reload.
    }
    this.minutes = byMinute(this.#samples);
    this.perSecond = rate(this.#samples);
  }
}

function restored(): Sample[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Sample[];
  } catch {
    return [];
  }
}

/** How much was finished between two samples. Less than before means that old jobs were pruned or tried again: of that nothing is known. */
function growth(before: number, after: number): number {
  return Math.max(0, after - before);
}

function byMinute(samples: Sample[]): Minute[] {
  const minutes = new Map<number, Minute>();
  for (const [index, sample] of samples.entries()) {
    const before = samples[index - 1];
    if (!before) continue;
    const at = Math.floor(sample.at / 60_000) * 60;
    const minute = minutes.get(at) ?? { at, completed: 0, failed: 0 };
    minute.completed += growth(before.completed, sample.completed);
    minute.failed += growth(before.failed, sample.failed);
    minutes.set(at, minute);
  }
  return [...minutes.values()];
}

function rate(samples: Sample[]): number | undefined {
  const last = samples.at(-1);
  const recent = samples.filter((sample) => last && last.at - sample.at <= 10_000);
  const first = recent[0];
  if (!first || !last || last.at - first.at < EVERY_MS) return undefined;
  let finished = 0;
  for (const [index, sample] of recent.entries()) {
    const before = recent[index - 1];
    if (before) finished += growth(before.completed, sample.completed) + growth(before.failed, sample.failed);
  }
  return (finished * 1_000) / (last.at - first.at);
}

export const throughput = new Throughput();
