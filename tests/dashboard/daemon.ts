/** A daemon for one test: the real binary in a folder of its own, on a port of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const TARGET = fileURLToPath(new URL("../../target/", import.meta.url));

/** Each plugin with its grants. The probe does what its arguments say. */
const PLUGINS: Record<string, { from: string; grants: string }> = {
  hello: { from: "plugins", grants: "" },
  "export-csv": { from: "plugins", grants: '[[directory]]\nhost = "data"\nguest = "/data"\nmode = "read"\n' },
  probe: {
    from: "guests",
    grants:
      'enqueue = ["probe"]\n[env]\nGREETING = "good morning"\n\n[[directory]]\nhost = "shared"\nguest = "/data"\nmode = "write"\n',
  },
};

/** The job as JSON, as far as the tests look at it. */
export interface Job {
  id: string;
  state: string;
  attempt: number;
  args: Record<string, unknown>;
  queue: string;
}

export class Daemon {
  url = "";
  #child: ChildProcess | undefined;

  private constructor(readonly folder: string) {}

  static async start(): Promise<Daemon> {
    const daemon = new Daemon(await mkdtemp(join(tmpdir(), "windlass-dashboard-")));
    for (const place of ["plugins", "data", "shared"]) await mkdir(join(daemon.folder, place));
    for (const [name, { from, grants }] of Object.entries(PLUGINS)) {
      await writeFile(join(daemon.folder, "plugins", `${name}.toml`), grants);
      await copyFile(guest(from, name), join(daemon.folder, "plugins", `${name}.wasm`));
    }
    await daemon.run("127.0.0.1:0");
    return daemon;
  }

  /** Starts the process; the address is known when it is ready. */
  async run(listen: string): Promise<void> {
    const log = openSync(join(this.folder, "log"), "a");
    const flags = ["--listen", listen, "--data-dir", this.folder, "--cache-dir", join(TARGET, "test-cache")];
    const child = spawn(join(TARGET, "debug/windlass"), ["serve", ...flags], { stdio: ["ignore", "pipe", log] });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      this.url = line.trim().split(" ").at(-1) ?? "";
      if (this.url.startsWith("http://")) return;
    }
    throw new Error(`the daemon did not start:\n${await readFile(join(this.folder, "log"), "utf8")}`);
  }

  /** Kills it as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** Starts it again where it was. */
  async startAgain(): Promise<void> {
    await this.run(new URL(this.url).host);
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async get<T>(path: string): Promise<T> {
    return this.#answer(await fetch(`${this.url}/api/v1${path}`));
  }

  async send<T>(method: string, path: string, body: unknown): Promise<T> {
    const headers = { "content-type": "application/json" };
    return this.#answer(await fetch(`${this.url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) }));
  }

  /** Enqueues a job of the probe and returns its id. */
  async enqueue(args: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<string> {
    return (await this.send<Job>("POST", "/jobs", { task: "probe", args, ...more })).id;
  }

  /** Enqueues many and returns their ids. */
  async enqueueAll(jobs: Record<string, unknown>[]): Promise<string[]> {
    const answer = await this.send<{ jobs: string[] }>("POST", "/jobs/batch", jobs);
    return answer.jobs;
  }

  /** Waits until a job is over, and returns it. */
  async finished(id: string): Promise<Job> {
    return this.get<Job>(`/jobs/${id}?wait=60s`);
  }

  async #answer<T>(response: Response): Promise<T> {
    if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}

/** A guest that was built from source. */
export function guest(folder: string, name: string): string {
  return join(TARGET, folder, `${name}.wasm`);
}

/** The same component with other bytes: a section of its own that nobody reads. */
export function anotherVersion(component: Buffer, text: string): Buffer {
  const name = Buffer.from("note");
  const content = Buffer.concat([Buffer.from([name.length]), name, Buffer.from(text)]);
  if (content.length > 127) throw new Error("the note is too long for a length of one byte");
  return Buffer.concat([component, Buffer.from([0, content.length]), content]);
}
