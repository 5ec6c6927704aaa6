//! The workers: daemons that claim jobs.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use windlass_model::{Timestamp, Worker, WorkerId};

use crate::problem::ApiError;
use crate::router::Api;

/// The workers that are known.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkerList)]
pub(crate) struct WorkerListView {
    /// In the order of their start.
    workers: Vec<WorkerView>,
}

/// One run of a daemon, which claims jobs. One that stops in good order is not there any more; one that dies is there until its
/// jobs have been taken from it.
#[derive(Serialize, ToSchema)]
#[schema(as = Worker)]
pub(crate) struct WorkerView {
    /// Its id, new at every start.
    #[schema(value_type = Uuid)]
    id: WorkerId,
    /// The host that it runs on.
    host: String,
    /// Its process id there.
    pid: u32,
    /// The version of the daemon.
    #[schema(example = "1.0.0")]
    version: String,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it was last heard of.
    #[schema(value_type = String, format = DateTime)]
    heartbeat_at: Timestamp,
    /// When the others may take its jobs, unless it is heard of before.
    #[schema(value_type = String, format = DateTime)]
    lease_until: Timestamp,
}

/// Lists the workers
///
/// All daemons that work on this database, with when each was last heard of.
#[utoipa::path(
    get,
    path = "/api/v1/workers",
    tag = "workers",
    operation_id = "listWorkers",
    responses((status = 200, description = "The workers, in the order of their start.", body = WorkerListView)),
)]
pub(crate) async fn list_workers(State(api): State<Api>) -> Result<Json<WorkerListView>, ApiError> {
    let workers = api.handle.workers().await?;
    Ok(Json(WorkerListView { workers: workers.into_iter().map(WorkerView::from).collect() }))
}

impl From<Worker> for WorkerView {
    fn from(worker: Worker) -> Self {
        Self {
            id: worker.id,
            host: worker.host,
            pid: worker.pid,
            version: worker.version,
            started_at: worker.started_at,
            heartbeat_at: worker.heartbeat_at,
            lease_until: worker.lease_until,
        }
    }
}
