//! The host's clock, new ids and chance: the only place that asks for any of them.
//!
//! Leases, schedules and everything else that several hosts must agree on go by the database's clock, not by this one.

use std::time::Duration;

use uuid::Uuid;
use windlass_model::{JobId, OperationId, Timestamp, WorkerId};

/// The time by the host's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that the rule points to")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    #[cfg(feature = "failpoints")]
    let micros = micros.saturating_add(wrong::by_micros());
    Timestamp::from_micros(micros)
}

/// A new job's id: later ones sort behind earlier ones, also within a millisecond.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that the rule points to")]
pub fn new_job_id() -> JobId {
    #[cfg(feature = "failpoints")]
    if wrong::by_micros() != 0 {
        return wrong::new_job_id();
    }
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

/// A span spread by a quarter either way, so that many daemons do not look at the database in step.
pub(crate) fn spread_out(span: Duration) -> Duration {
    span.mul_f64(0.75 + 0.5 * spread())
}

/// Lets whatever else can go on do so first: those who were answered together come back together, and then share a transaction. It
/// costs a lone caller a few microseconds.
pub(crate) async fn let_others_go_first() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

#[cfg(feature = "failpoints")]
pub use self::wrong::set_wrong;

/// A clock that a test has set wrong: what several hosts must agree on may not notice.
#[cfg(feature = "failpoints")]
mod wrong {
    use std::sync::atomic::{AtomicI64, Ordering};

    use uuid::{NoContext, Timestamp, Uuid};
    use windlass_model::JobId;

    static BY_MICROS: AtomicI64 = AtomicI64::new(0);

    /// Sets the host's clock wrong by so many milliseconds, forwards or, if negative, backwards.
    pub fn set_wrong(by_ms: i64) {
        BY_MICROS.store(by_ms.saturating_mul(1_000), Ordering::SeqCst);
    }

    pub(super) fn by_micros() -> i64 {
        BY_MICROS.load(Ordering::SeqCst)
    }

    pub(super) fn new_job_id() -> JobId {
        let micros = super::now().as_micros().unsigned_abs();
        let nanos = u32::try_from(micros % 1_000_000 * 1_000).unwrap_or_default();
        JobId::from_uuid(Uuid::new_v7(Timestamp::from_unix(NoContext, micros / 1_000_000, nanos)))
    }
}
