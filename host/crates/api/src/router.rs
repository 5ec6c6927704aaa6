//! The whole list of routes. The calls of the API and the probes are served and described from the same list, so that the
//! OpenAPI document cannot leave one out or invent one.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use bytes::Bytes;
use tokio::sync::Semaphore;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use windlass_engine::Handle;

use crate::middleware;
use crate::problem::Problem;
use crate::routes::events::{ProgressEventView, StateEventView};
use crate::routes::logs::LogLineView;
use crate::routes::{
    artifacts, attempts, document, download, events, fallback, health, jobs, logs, operations, page, queues, tasks,
    versions, workers,
};
use crate::settings::ApiSettings;

/// Below which path the API stands.
pub(crate) const API: &str = "/api/v1";

/// How many components are taken in at once. Each is held in memory until it is in the database.
const UPLOADS: usize = 2;

/// What every handler can use. Cheap to clone: each request does so.
#[derive(Clone)]
pub(crate) struct Api(Arc<Shared>);

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) handle: Handle,
    pub(crate) settings: ApiSettings,
    /// Turns to send a component.
    pub(crate) uploads: Arc<Semaphore>,
    /// The OpenAPI document, written once.
    pub(crate) document: Bytes,
}

impl Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The API on an engine, ready to be served.
///
/// Long polls and event streams end by themselves when the handle says that the daemon is stopping.
pub fn router(handle: Handle, settings: ApiSettings) -> Router {
    let (router, document) = list().split_for_parts();
    let document = Bytes::from(document_text(document));
    let uploads = Arc::new(Semaphore::new(UPLOADS));
    router
        .route("/api/v1/openapi.json", get(document::document))
        .fallback(page::page)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .with_state(Api(Arc::new(Shared { handle, settings, uploads, document })))
        .layer(from_fn(middleware::every_request))
}

/// The OpenAPI 3.1 document of the API.
#[must_use]
pub fn openapi() -> OpenApi {
    finished(list().into_openapi())
}

fn list() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(jobs::enqueue::enqueue, jobs::list::list_jobs))
        .routes(routes!(jobs::batch::enqueue_batch))
        .routes(routes!(operations::cancel_jobs))
        .routes(routes!(operations::retry_jobs))
        .routes(routes!(operations::get_operation))
        .routes(routes!(jobs::read::get_job))
        .routes(routes!(jobs::command::cancel_job))
        .routes(routes!(jobs::command::retry_job))
        .routes(routes!(events::follow_job))
        .routes(routes!(logs::read_log))
        .routes(routes!(attempts::list_attempts))
        .routes(routes!(artifacts::list_artifacts))
        .routes(routes!(download::download_artifact))
        .routes(routes!(queues::list_queues))
        .routes(routes!(queues::get_queue, queues::change_queue))
        .routes(routes!(queues::get_stats))
        .routes(routes!(tasks::list_tasks))
        .routes(routes!(tasks::get_task, versions::upload_task, versions::delete_task))
        .routes(routes!(versions::list_versions))
        .routes(routes!(versions::roll_back_task))
        .routes(routes!(versions::pin_task))
        .routes(routes!(versions::unpin_task))
        .routes(routes!(workers::list_workers))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// What the document says beside its paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Windlass",
        description = "Background jobs whose handlers are sandboxed WebAssembly components.\n\n\
            Times are RFC 3339 in UTC. Ids are UUIDs of version 7. Lists page by cursor. Unknown fields and unknown \
            parameters are refused with their name. Every error is a problem document (RFC 9457) with a stable `code`. \
            Every call may also answer 500 (`internal`) or 503 (`database_unavailable`, with `Retry-After`). What is absent \
            from a request and what is null are the same, except in a patch.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    tags(
        (name = "jobs", description = "Enqueue, follow, read and command jobs."),
        (name = "queues", description = "How much is in the queues, their limits, their pauses."),
        (name = "tasks", description = "What jobs can ask for."),
        (name = "workers", description = "The daemons that run jobs."),
        (name = "health", description = "Probes."),
    ),
    // The data of events is text to the document, so nothing else leads to these.
    components(schemas(Problem, StateEventView, ProgressEventView, LogLineView)),
)]
struct Document;

/// OpenAPI knows no parameter of several path segments: `{*name}` is axum's way to write it.
fn finished(mut document: OpenApi) -> OpenApi {
    document.paths.paths = std::mem::take(&mut document.paths.paths)
        .into_iter()
        .map(|(path, item)| (path.replace("{*", "{"), item))
        .collect();
    document
}

fn document_text(document: OpenApi) -> String {
    // Nothing in it can fail to serialise; were it so, the tests would not pass either.
    finished(document).to_pretty_json().unwrap_or_default()
}
