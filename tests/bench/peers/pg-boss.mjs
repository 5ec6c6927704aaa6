// pg-boss: keeps finished jobs for seven days. A batch has no output of its own jobs, a job alone does.

import { PgBoss } from "pg-boss";
import pg from "pg";

import { begin, drained, handle, inBatches, isFast, jobs, mark, payload, report, url } from "./stage.mjs";

const QUEUE = "noop";
// https://pgboss.io/api/workers: big batches, and no pause between them while they come back full.
const fast = { batchSize: 1000, burstWhenBatchFull: true, localConcurrency: 2 };

const boss = new PgBoss({ connectionString: url });
boss.on("error", (error) => console.error(error));
const watcher = new pg.Client({ connectionString: url });
await watcher.connect();
await boss.start();
await boss.createQueue(QUEUE);

mark("enqueueing");
await inBatches(1000, (count) => boss.insert(QUEUE, Array.from({ length: count }, () => ({ data: payload }))));
mark("enqueued");

let handled = 0;
const tally = async () => {
  const { rows } = await watcher.query(
    `SELECT count(*) FILTER (WHERE state = 'completed') AS done, count(*) FILTER (WHERE state <> 'completed') AS left
       FROM pgboss.job WHERE name = $1`,
    [QUEUE],
  );
  return { done: Number(rows[0].done), left: Number(rows[0].left) };
};

begin();
await boss.work(QUEUE, isFast ? fast : {}, async (batch) => {
  const outputs = batch.map((job) => handle(job.data));
  handled += batch.length;
  return outputs.length === 1 ? outputs[0] : undefined;
});
const isDone = await drained(
  () => handled,
  async () => (await tally()).left,
);
const before = isDone ? undefined : await tally();
mark("drained");
const found = before ?? (await tally());
report({ ...found, handled });
await boss.stop({ timeout: 5000 });
await watcher.end();
