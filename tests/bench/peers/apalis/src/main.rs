//! apalis on PostgreSQL: keeps finished jobs with their result; keeps no history.

use anyhow::Result;
use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage};
use futures::stream;
use peer_stage::{Order, Stage, mark};

const QUEUE: &str = "noop";

/// Each worker waits for its own claims and results in turn, so that several are faster: of 1, 2, 4 and 8 these were the fastest here.
const FAST_WORKERS: usize = 4;

/// As in the crate's own `examples/basic.rs`: claimed once and not locked again when they begin, and a task of the runtime for each
/// job; but with a larger batch, which its `Config::batch_size` recommends for throughput: of 100, 500 and 2,000 the last was the
/// fastest here. A result is kept in each case: without that setting a job is never acknowledged.
fn fast(config: Config) -> Config {
    config.batch_size(2000).lock_tasks(false)
}

async fn noop(order: Order) -> Result<serde_json::Value, BoxDynError> {
    Ok(serde_json::to_value(order.total())?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let stage = Stage::from_arguments()?;
    let pool = PgPool::connect(&stage.url).await?;
    PostgresStorage::setup(&pool).await?;
    let config = Config::default().queue(QUEUE);
    let config = if stage.is_fast { fast(config) } else { config };
    let mut backend = PostgresStorage::new(&pool).with_config(config);

    mark("enqueueing");
    for count in stage.batches() {
        let jobs = vec![stage.payload.clone(); usize::try_from(count)?];
        backend.push_stream(&mut stream::iter(jobs)).await?;
    }
    mark("enqueued");

    let left = || async {
        let sql = "SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'";
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await?;
        Ok(u64::try_from(count)?)
    };
    let end = stage.begin();
    let workers = if stage.is_fast { FAST_WORKERS } else { 1 };
    let run = |number: usize| {
        let builder = WorkerBuilder::new(format!("noop-{number}")).backend(backend.clone().with_pubsub());
        let is_fast = stage.is_fast;
        async move {
            match is_fast {
                true => builder.parallelize(tokio::spawn).build(noop).run().await,
                false => builder.build(noop).run().await,
            }
        }
    };
    let worker = futures::future::try_join_all((0..workers).map(run));
    let left = tokio::select! {
        ended = worker => anyhow::bail!("the worker ended by itself: {ended:?}"),
        left = stage.drained(left, end) => left?,
    };
    stage.end(left)
}
