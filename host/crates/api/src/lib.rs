//! HTTP: routes, problem documents, event streams, the OpenAPI document, and the files of the dashboard.
//!
//! A handler is three lines of thought: extract, call, view. What is read comes from the store's `JobDirectory`, what is
//! commanded goes to the engine's `Handle`; nothing here decides what becomes of a job. What goes over the wire is a view
//! of its own, never a type of the model as it happens to be.
//!
//! Invariants: an error leaves only as a problem document with a stable code; its cause is logged here, once, and never
//! sent. No request starts a task that outlives it.

mod code;
mod dashboard;
mod extract;
mod follow;
mod middleware;
mod nearest;
mod pace;
mod problem;
mod range;
mod router;
mod routes;
mod settings;
mod span;

pub use self::router::{openapi, router};
pub use self::routes::jobs::{parse_enqueue, render_job};
pub use self::settings::ApiSettings;
