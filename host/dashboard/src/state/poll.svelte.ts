/** What is asked again and again, as long as somebody looks. */

import { untrack } from "svelte";
import { connection } from "./connection.svelte";

/** How long to wait at most while the daemon does not answer. */
const LONGEST_MS = 8_000;

/** The last answer, and what went wrong since. */
export class Poll<T> {
  data = $state.raw<T>();
  fault = $state.raw<Error>();
  #again: () => void = () => {};

  /** Asks now, in place of at the next turn. */
  refresh(): void {
    this.#again();
  }

  /** Starts to ask, and returns what ends it. */
  start(load: (signal: AbortSignal) => Promise<T>, every: number): () => void {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    // A slower answer to an earlier question must not replace the answer to a later one.
    let round = 0;
    const ask = async () => {
      clearTimeout(timer);
      const own = ++round;
      try {
        const data = await load(abort.signal);
        if (abort.signal.aborted || own !== round) return;
        [this.data, this.fault, failures] = [data, undefined, 0];
      } catch (fault) {
        if (abort.signal.aborted || own !== round) return;
        [this.fault, failures] = [fault as Error, failures + 1];
      }
      const wait = connection.lostAt === undefined ? every : Math.min(every * 2 ** failures, LONGEST_MS);
      // A page that nobody sees asks nothing; it asks at once when it is seen again.
      if (!document.hidden) timer = setTimeout(() => void ask(), wait);
    };
    const seen = () => void (document.hidden ? clearTimeout(timer) : ask());
    document.addEventListener("visibilitychange", seen);
    this.#again = () => void ask();
    void ask();
    return () => {
      document.removeEventListener("visibilitychange", seen);
      clearTimeout(timer);
      abort.abort();
    };
  }
}

/**
 * Asks every so many milliseconds while the component that calls it is there. When what `key` returns changes, what was
 * answered before is forgotten.
 */
export function poll<T>(
  load: (signal: AbortSignal) => Promise<T>,
  every: number,
  key: () => unknown = () => null,
): Poll<T> {
  const live = new Poll<T>();
  const last = $derived(key());
  $effect(() => {
    void last;
    return untrack(() => {
      [live.data, live.fault] = [undefined, undefined];
      return live.start(load, every);
    });
  });
  return live;
}
