// obelisk: an activity in Wasm, run by its own server. Keeps each job with its result and a log of its events.
//
// Jobs are submitted to a server that knows the function, but expects others to run it; then it is started again with the component. What is timed is from
// the first lock, as its own log has it, to the moment in which its database has no job that is not finished.

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";

import { begin, built, folder, isFast, isOver, jobs, mark, pause, payloadText, report, url } from "./stage.mjs";

const FUNCTION = "windlass:peers/noop.execute";
const CONNECTIONS = 64;

/**
 * Bigger batches at shorter intervals, and nothing of the guest's output in the database: `obelisk-help-deployment.toml`. No more at
 * once than its pool of instances holds, since one that finds no room waits for a tenth of a second. Of batches of 32, 100, 200, 500
 * and 1,000, the last two with a larger pool, this was the fastest on SQLite, and none was clearly faster on PostgreSQL.
 */
const FAST = `
exec.batch_size = 200
exec.instance_limiter = 200
exec.tick_sleep.milliseconds = 1
exec.lock_expiry.seconds = 30
forward_stdout = "none"
forward_stderr = "none"
logs_store_min_level = "off"
`;

/** Set for PostgreSQL, absent for its SQLite. */
const postgres = url ? new URL(url) : undefined;
const directory = join(folder, "sqlite");

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function settings(port) {
  const database = postgres
    ? `database.postgres.host = "${postgres.searchParams.get("host")}"
database.postgres.user = "${postgres.username}"
database.postgres.password = "trusted"
database.postgres.db_name = "${postgres.pathname.slice(1)}"
database.postgres.provision_policy = "never"`
    : `database.sqlite.directory = "${directory}"`;
  return `api.listening_addr = "127.0.0.1:${port}"
webui.enabled = false
external.enabled = false
${database}
wasm.cache_directory = "${folder}/wasm"
wasm.codegen_cache.directory = "${folder}/codegen"
log.console.level = "error"
`;
}

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

function call(port, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body ? { "content-type": "application/json", "content-length": Buffer.byteLength(body) } : {};
    const sent = request({ port, host: "127.0.0.1", method, path, agent, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Starts the server with a component of that kind, and waits until it answers. */
async function start(kind, more) {
  const port = await freePort();
  writeFileSync(join(folder, "server.toml"), settings(port));
  writeFileSync(join(folder, "noop.toml"), `[[${kind}]]\nname = "noop"\nlocation = "${built}/obelisk-noop.wasm"\n${more}`);
  const arguments_ = ["server", "run", "--server-config", join(folder, "server.toml"), "--deployment", join(folder, "noop.toml")];
  const server = spawn(join(built, "obelisk/bin/obelisk"), arguments_, { cwd: folder, stdio: ["ignore", 2, 2] });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  server.on("exit", (code) => code && process.exit(1));
  for (;;) {
    const answer = await call(port, "GET", "/v1/functions").catch(() => undefined);
    if (answer?.status === 200 && answer.text.includes("noop.execute")) break;
    await pause(5);
  }
  const stop = async () => {
    server.kill("SIGINT");
    await ended;
  };
  return { port, stop };
}

async function submit(port) {
  const body = JSON.stringify({ ffqn: FUNCTION, params: [payloadText] });
  let sent = 0;
  const one = async () => {
    while (sent < jobs) {
      sent += 1;
      const answer = await call(port, "POST", "/v1/executions", body);
      if (answer.status !== 201) throw new Error(`submitted, and got ${answer.status}: ${answer.text}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
}

/** The rows of a statement that both of its databases take. */
async function rows(sql) {
  if (postgres) return (await watcher.query(sql)).rows;
  return watcher.prepare(sql).all();
}

/** Jobs that are finished well, and those that are not. */
async function tally() {
  const [found] = await rows(
    `SELECT count(CASE WHEN state = 'finished' AND CAST(result_kind AS TEXT) = '"ok"' THEN 1 END) AS done, count(*) AS total
       FROM t_state`,
  );
  return { done: Number(found.done), left: Number(found.total) - Number(found.done) };
}

/** When its log has the first job taken, in milliseconds of the epoch. */
async function firstTaken() {
  const [found] = await rows("SELECT min(created_at) AS at FROM t_execution_log WHERE variant = 'locked'");
  return new Date(found.at).getTime();
}

async function isFinished() {
  return (await rows("SELECT 1 FROM t_state WHERE state <> 'finished' LIMIT 1")).length === 0;
}

mkdirSync(folder, { recursive: true });
const submitting = await start("activity_external", "");
const watcher = postgres
  ? new pg.Client({ connectionString: url })
  : new DatabaseSync(join(directory, "obelisk.sqlite"), { readOnly: true });
if (postgres) await watcher.connect();

mark("enqueueing");
await submit(submitting.port);
mark("enqueued");
await submitting.stop();

const started = Date.now();
begin();
const measured = await start("activity_wasm", isFast ? FAST : "");
while (!isOver() && !(await isFinished())) await pause(20);
const found = await tally();
mark("drained");
report({ ...found, handled: null, lead: ((await firstTaken()) - started) / 1000 });
await measured.stop();
if (postgres) await watcher.end();
agent.destroy();
