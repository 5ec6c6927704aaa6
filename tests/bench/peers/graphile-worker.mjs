// graphile-worker on Node: deletes what it completes, keeps no output and no history.

import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";

import { begin, drained, handle, inBatches, isFast, jobs, mark, payload, report, url } from "./stage.mjs";

// The configuration of https://worker.graphile.org/docs/performance, which its quick stats were taken with.
const fast = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
const preset = { worker: { connectionString: url, ...(isFast ? fast : {}) } };
// It says a line for each job, which is left to its level `debug` in production too.
const logger = new Logger(() => () => {});

const watcher = new pg.Client({ connectionString: url });
await watcher.connect();
const utils = await makeWorkerUtils({ preset, logger });
await utils.migrate();

mark("enqueueing");
await inBatches(1000, (count) => utils.addJobs(Array.from({ length: count }, () => ({ identifier: "noop", payload }))));
mark("enqueued");

let handled = 0;
const taskList = {
  noop: async (argument) => {
    handle(argument);
    handled += 1;
  },
};
const left = async () =>
  Number((await watcher.query("SELECT count(*) FROM graphile_worker._private_jobs")).rows[0].count);

begin();
const runner = await run({ preset, logger, taskList, noHandleSignals: true });
const isDone = await drained(() => handled, left);
const rest = isDone ? 0 : await left();
mark("drained");
report({ done: jobs - rest, left: rest, handled });
await runner.stop();
await utils.release();
await watcher.end();
