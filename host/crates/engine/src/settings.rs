//! What the operator can set about the engine.

use std::time::Duration;

use windlass_model::{Bounds, KeepTime};

/// What the operator can set about the engine.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// How many jobs run at once.
    pub slots: u32,
    /// The host's name, for the list of workers.
    pub host: String,
    /// How long the dispatcher and the promoter wait at most before they look again, whatever they are told. Spread by a
    /// quarter.
    pub poll_every: Duration,
    /// How often the daemon says that it is alive.
    pub heartbeat_every: Duration,
    /// For how long it is believed to be alive after that. Several heartbeats, so that one lost does not matter.
    pub worker_ttl: Duration,
    /// How long a job that was claimed ahead waits for a slot before it is handed back, which costs it no attempt.
    pub claimed_ttl: Duration,
    /// How often a running job's progress and log are written at most.
    pub report_every: Duration,
    /// How long a handler that was told of a cancel may go on before it is interrupted.
    pub cancel_grace: Duration,
    /// How long running jobs may go on when the daemon shuts down before they are interrupted and handed back.
    pub shutdown_grace: Duration,
    /// How much of what is not the handler's fault is borne.
    pub bounds: Bounds,
    /// How long finished jobs are kept where their queue does not say otherwise.
    pub retention: Retention,
    /// How often the daemon that leads prunes finished jobs and adds up counts.
    pub tidy_every: Duration,
    /// How often the daemon looks for artifacts of jobs that are gone; the first time at its start.
    pub sweep_every: Duration,
    /// How many components of a task are kept, beside the one in service and the one before it.
    pub keep_versions: u32,
    /// Whether no other daemon can be using this database: then whoever else is registered there is dead.
    pub is_alone: bool,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            slots: 8,
            host: "localhost".to_owned(),
            poll_every: Duration::from_secs(1),
            heartbeat_every: Duration::from_secs(5),
            worker_ttl: Duration::from_secs(30),
            claimed_ttl: Duration::from_millis(500),
            report_every: Duration::from_millis(200),
            cancel_grace: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(30),
            bounds: Bounds::default(),
            retention: Retention::default(),
            tidy_every: Duration::from_secs(10),
            sweep_every: Duration::from_secs(3_600),
            keep_versions: 10,
            is_alone: false,
        }
    }
}

/// How long finished jobs are kept, by state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Jobs that ended well.
    pub completed: KeepTime,
    /// Jobs that failed for good.
    pub discarded: KeepTime,
    /// Jobs that somebody cancelled.
    pub cancelled: KeepTime,
}

impl Default for Retention {
    /// A week for what went well, a month for what somebody may still want to look into.
    fn default() -> Self {
        Self {
            completed: KeepTime::from_days(7),
            discarded: KeepTime::from_days(30),
            cancelled: KeepTime::from_days(30),
        }
    }
}
