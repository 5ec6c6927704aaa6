/** A job as it happens, by its event stream. A stream that breaks goes on where it stopped. */

import { connection } from "../state/connection.svelte";
import { eventsUrl, getJob, listAttempts } from "./calls";
import { Refusal } from "./client";
import { isFinal, type Attempt, type Job, type LogLine, type ProgressEvent, type StateEvent } from "./types";

/** How many lines of a log are shown: more would make the page slow. */
export const LINES_SHOWN = 5_000;
/** How long to wait before the stream is opened again after it was refused. */
const AGAIN_MS = 2_000;
/** How long what comes is gathered before it is shown: too short to be seen. */
const SHOW_MS = 30;
/** How often a job that is over is looked at: somebody else may retry it. */
const OVER_MS = 5_000;

export class JobStream {
  job = $state.raw<Job>();
  attempts = $state.raw<Attempt[]>([]);
  steps = $state.raw<ProgressEvent[]>([]);
  states = $state.raw<StateEvent[]>([]);
  log = $state.raw<LogLine[]>([]);
  /** How many lines there were, with those that are not shown. */
  lineCount = $state(0);
  fault = $state.raw<Error>();

  readonly #id: string;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #lastEvent = 0;
  #lastLine = 0;
  #lines: LogLine[] = [];
  readonly #steps: ProgressEvent[] = [];
  #isShowing = false;

  constructor(id: string) {
    this.#id = id;
  }

  /** Follows the job until the returned function is called. Each stream takes one of a browser's few connections, so none is open while nobody looks. */
  follow(): () => void {
    const seen = () => (document.hidden ? this.#rest() : void this.look());
    document.addEventListener("visibilitychange", seen);
    void this.look();
    return () => {
      this.#isClosed = true;
      document.removeEventListener("visibilitychange", seen);
      this.#rest();
    };
  }

  /** Looks at the job, and follows it from here unless it is over. */
  async look(): Promise<void> {
    this.#rest();
    try {
      const job = await getJob(this.#id);
      [this.job, this.fault] = [job, undefined];
      // The first time also the history of one that is over is read from the stream.
      if (!isFinal(job.state) || this.#lastEvent === 0) this.#open();
      else this.#later(OVER_MS);
      await this.#readAttempts();
    } catch (fault) {
      this.fault = fault as Error;
      if (!(fault instanceof Refusal && fault.status < 500)) this.#later(AGAIN_MS);
    }
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed && !document.hidden) this.#timer = setTimeout(() => void this.look(), ms);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  async #readAttempts(): Promise<void> {
    this.attempts = (await listAttempts(this.#id)).attempts;
  }

  #open(): void {
    if (this.#isClosed || document.hidden) return;
    this.#source?.close();
    const source = new EventSource(eventsUrl(this.#id, this.#lastEvent));
    this.#source = source;
    const on = <T>(name: string, take: (data: T) => void) =>
      source.addEventListener(name, (event: MessageEvent<string>) => {
        if (event.lastEventId) this.#lastEvent = Number(event.lastEventId);
        take(JSON.parse(event.data) as T);
      });
    on<StateEvent>("state", (state) => this.#takeState(state));
    on<ProgressEvent>("step", (step) => {
      this.#steps.push(step);
      this.#showSoon();
      this.#takeProgress(step);
    });
    on<ProgressEvent>("progress", (progress) => this.#takeProgress(progress));
    on<LogLine>("log", (line) => this.#takeLine(line));
    on<Job>("end", (job) => {
      this.job = job;
      this.#rest();
      this.#later(OVER_MS);
      void this.#readAttempts().catch(() => undefined);
    });
    source.onopen = () => connection.found();
    source.onerror = () => {
      if (this.#source !== source) return;
      connection.lost();
      // Closed: it was refused, and a browser does not ask again by itself.
      if (source.readyState === EventSource.CLOSED) this.#later(AGAIN_MS);
    };
  }

  #takeState(state: StateEvent): void {
    this.states = [...this.states, state];
    // All of the history comes first; only its end is news.
    if (!this.job || isFinal(this.job.state)) return;
    this.job = { ...this.job, state: state.state, attempt: state.attempt };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#refresh(), 50);
  }

  async #refresh(): Promise<void> {
    try {
      const job = await getJob(this.#id);
      if (this.job && !isFinal(this.job.state)) this.job = job;
      await this.#readAttempts();
    } catch {
      // The stream goes on, and what it says next is looked at again.
    }
  }

  #takeProgress({ percent_complete, task_step, status_info, attempt }: ProgressEvent): void {
    if (!this.job || isFinal(this.job.state) || attempt < this.job.attempt) return;
    this.job = { ...this.job, percent_complete, task_step, status_info };
  }

  /** A stream that is opened again sends the log from its first line on. */
  #takeLine(line: LogLine): void {
    if (line.seq <= this.#lastLine) return;
    this.#lastLine = line.seq;
    this.#lines.push(line);
    this.#showSoon();
  }

  /** Thousands of lines and steps may come at once: they are shown together. */
  #showSoon(): void {
    if (this.#isShowing) return;
    this.#isShowing = true;
    setTimeout(() => {
      this.#isShowing = false;
      this.#lines = this.#lines.slice(-LINES_SHOWN);
      [this.log, this.lineCount, this.steps] = [this.#lines.slice(), this.#lastLine, this.#steps.slice()];
    }, SHOW_MS);
  }
}
