//! The host's clock, new ids and chance: the only place that asks for any of them.
//!
//! Leases, schedules and everything else that several hosts must agree on go by the database's clock, not by this one.

use uuid::Uuid;
use windlass_model::{JobId, OperationId, Timestamp, WorkerId};

/// The time by the host's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that the rule points to")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A new job's id: later ones sort behind earlier ones, also within a millisecond.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that the rule points to")]
pub fn new_job_id() -> JobId {
    JobId::from_uuid(Uuid::now_v7())
}

/// A new operation's id: later ones sort behind earlier ones.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that the rule points to")]
pub(crate) fn new_operation_id() -> OperationId {
    OperationId::from_uuid(Uuid::now_v7())
}

/// A new worker's id.
#[must_use]
pub fn new_worker_id() -> WorkerId {
    WorkerId::from_uuid(Uuid::new_v4())
}

/// A number from 0 to 1, drawn at random: spreads what would otherwise happen all at once.
pub(crate) fn spread() -> f64 {
    fastrand::f64()
}
