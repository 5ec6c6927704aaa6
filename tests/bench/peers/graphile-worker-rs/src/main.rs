//! graphile_worker, the port to Rust: deletes what it completes, keeps no output and no history.

use std::time::Duration;

use anyhow::Result;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext, WorkerOptions,
};
use peer_stage::{Order, Stage, mark};
use sqlx::PgPool;

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
struct Noop(Order);

impl TaskHandler for Noop {
    const IDENTIFIER: &'static str = "noop";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        std::hint::black_box(self.0.total());
        Ok::<(), String>(())
    }
}

/// Its default settings take one job for each signal: a notification of a new job, or a tick of the poll interval, a second. So they
/// drain what was queued before at as many jobs a second as run at once.
///
/// These are the settings of the crate's own benchmark of throughput, `benches/perf_test.rs`: faster here than the "throughput-oriented
/// worker" of its `docs/src/configuration/worker-options.md`, which has 16 at once and a local queue of 100.
fn fast(options: WorkerOptions) -> WorkerOptions {
    options
        .concurrency(500)
        .poll_interval(Duration::from_millis(5))
        .complete_job_batch_delay(Duration::from_millis(5))
        .local_queue(LocalQueueConfig::default().with_size(5000))
}

#[tokio::main]
async fn main() -> Result<()> {
    let stage = Stage::from_arguments()?;
    let pool = PgPool::connect(&stage.url).await?;
    let options = WorkerOptions::default().pg_pool(pool.clone()).listen_os_shutdown_signals(false).define_job::<Noop>();
    let worker = if stage.is_fast { fast(options) } else { options }.init().await?;

    mark("enqueueing");
    let utils = worker.create_utils();
    for count in stage.batches() {
        let job = RawJobSpec {
            identifier: Noop::IDENTIFIER.to_owned(),
            payload: serde_json::to_value(&stage.payload)?,
            spec: JobSpec::default(),
        };
        utils.add_raw_jobs(&vec![job; usize::try_from(count)?]).await?;
    }
    mark("enqueued");

    let left = || async {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM graphile_worker._private_jobs").fetch_one(&pool).await?;
        Ok(u64::try_from(count)?)
    };
    let end = stage.begin();
    let left = tokio::select! {
        ended = worker.run() => anyhow::bail!("the worker ended by itself: {ended:?}"),
        left = stage.drained(left, end) => left?,
    };
    stage.end(left)
}
