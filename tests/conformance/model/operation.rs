//! What may be done, at random. Few names and short times, so that operations get in each other's way.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use windlass_model::{OnFailure, UniqueMode};

/// One call, or the time that passes.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Time passes.
    Tick {
        seconds: u64,
    },
    /// Jobs are enqueued together.
    Submit {
        jobs: Vec<Spec>,
        idempotency: Option<(u8, u8)>,
    },
    /// A worker claims.
    Claim {
        worker: u128,
        limit: u32,
    },
    /// An attempt ends: one of all that were ever claimed, so that many hold their job no more.
    Finish {
        ticket: usize,
        end: End,
    },
    /// Somebody cancels a job.
    Cancel {
        job: usize,
    },
    /// Somebody retries a job.
    Retry {
        job: usize,
    },
    /// Upkeep.
    Promote,
    Expire,
    Rescue,
    /// A worker says that it is alive.
    Beat {
        worker: u128,
    },
    /// Somebody changes a queue.
    Change {
        queue: usize,
        paused: bool,
        max_running: Option<i64>,
        per_key: Option<i64>,
        rate: Option<u64>,
    },
}

/// A job to enqueue.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) queue: usize,
    pub(crate) priority: i64,
    pub(crate) delay: Option<u64>,
    pub(crate) expires: Option<u64>,
    pub(crate) max_attempts: u32,
    pub(crate) key: Option<u8>,
    pub(crate) unique: Option<(u8, u8, UniqueMode)>,
    pub(crate) after: Vec<usize>,
    pub(crate) on_failure: OnFailure,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Completed,
    Failed,
    Fatal,
    Snoozed,
    Interrupted,
    HostFault,
}

/// A place far beyond every list stands for what is not there.
pub(crate) const NOWHERE: usize = usize::MAX;

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let idempotency = weighted(0.2, (0..2_u8, 0..2_u8));
    prop_oneof![
        3 => (1..6_u64).prop_map(|seconds| Operation::Tick { seconds }),
        6 => (vec(spec(), 1..4), idempotency).prop_map(|(jobs, idempotency)| Operation::Submit { jobs, idempotency }),
        5 => (1..4_u128, 1..5_u32).prop_map(|(worker, limit)| Operation::Claim { worker, limit }),
        6 => (any::<usize>(), end()).prop_map(|(ticket, end)| Operation::Finish { ticket, end }),
        2 => pick().prop_map(|job| Operation::Cancel { job }),
        2 => pick().prop_map(|job| Operation::Retry { job }),
        2 => Just(Operation::Promote),
        1 => Just(Operation::Expire),
        1 => Just(Operation::Rescue),
        3 => (1..4_u128).prop_map(|worker| Operation::Beat { worker }),
        1 => (0..2_usize, any::<bool>(), of(1..3_i64), of(1..3_i64), of(1..4_u64)).prop_map(
            |(queue, paused, max_running, per_key, rate)| Operation::Change { queue, paused, max_running, per_key, rate }
        ),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    let unique = weighted(0.3, (0..2_u8, 0..8_u8, mode()));
    let on_failure = prop_oneof![Just(OnFailure::Cancel), Just(OnFailure::Run)];
    let times = (weighted(0.3, 0..8_u64), weighted(0.2, 1..10_u64));
    let limits = (1..4_u32, weighted(0.4, 0..2_u8));
    (0..2_usize, -1..2_i64, times, limits, unique, vec(pick(), 0..3), on_failure).prop_map(
        |(queue, priority, (delay, expires), (max_attempts, key), unique, after, on_failure)| Spec {
            queue,
            priority,
            delay,
            expires,
            max_attempts,
            key,
            unique,
            after,
            on_failure,
        },
    )
}

fn mode() -> impl Strategy<Value = UniqueMode> {
    prop_oneof![Just(UniqueMode::Keep), Just(UniqueMode::Replace), Just(UniqueMode::Reject)]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Completed),
        3 => Just(End::Failed),
        1 => Just(End::Fatal),
        1 => Just(End::Snoozed),
        1 => Just(End::Interrupted),
        1 => Just(End::HostFault),
    ]
}

fn pick() -> impl Strategy<Value = usize> {
    prop_oneof![20 => 0..1_000_usize, 1 => Just(NOWHERE)]
}
