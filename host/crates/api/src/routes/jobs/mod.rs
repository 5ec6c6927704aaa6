//! Jobs: enqueue, read, command.

pub(crate) mod batch;
mod bill;
mod body;
pub(crate) mod command;
pub(crate) mod enqueue;
mod id_start;
mod idempotency;
pub(crate) mod list;
pub(crate) mod read;
mod refusal;
mod terms;
mod view;

pub(crate) use self::bill::BillView;
pub use self::body::parse_enqueue;
pub(crate) use self::read::whole;
pub(crate) use self::refusal::{stopping, unknown_task};
pub use self::view::render_job;
pub(crate) use self::view::{ErrorView, JobStateView, duration_ms};
