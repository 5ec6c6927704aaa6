//! Starts all loops, and stops them in an order in which nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle as Threads;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use windlass_store::{StoreError, WorkerSlot};

use crate::bus::Bus;
use crate::clock;
use crate::crowds::Crowds;
use crate::dispatcher::Dispatcher;
use crate::enqueue::Enqueuer;
use crate::executor::Executor;
use crate::finisher::Finisher;
use crate::first_attempts::FirstAttempts;
use crate::handle::Handle;
use crate::listener::Listener;
use crate::port::TaskRunner;
use crate::reporter::write_reports;
use crate::running::Running;
use crate::settings::EngineSettings;
use crate::settler::Settler;
use crate::slots::Slots;
use crate::stores::Stores;
use crate::upkeep::{Heartbeat, Janitor, LostClaims, Operator, Promoter, Rescuer, Shelver, Sweeper};
use crate::versions::Versions;
use crate::wake::Wake;

/// How long a database that does not answer may hold up the end of a shutdown.
const LAST_WRITES: Duration = Duration::from_secs(10);

/// A running engine.
pub struct Engine {
    handle: Handle,
    settings: EngineSettings,
    worker: WorkerSlot,
    /// Until it has ended, attempts may begin.
    dispatcher: Option<JoinHandle<()>>,
    attempts: TaskTracker,
    loops: TaskTracker,
    /// No new work: the dispatcher and the upkeep end.
    stop_work: CancellationToken,
    /// The last attempt is over: the heartbeat ends.
    stop_life: CancellationToken,
    /// No more tries against a database that does not answer.
    give_up: CancellationToken,
}

impl Engine {
    /// Registers this worker and starts to work.
    pub async fn start(
        stores: Stores,
        runner: Arc<dyn TaskRunner>,
        settings: EngineSettings,
    ) -> Result<Self, StoreError> {
        let worker = WorkerSlot {
            id: clock::new_worker_id(),
            host: settings.host.clone(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        stores.upkeep.worker_register(&worker, settings.worker_ttl, None).await?;
        if settings.is_alone {
            stores.upkeep.worker_expire_others(worker.id, None).await?;
        }
        let (bus, wake, running) = (Bus::default(), Wake::default(), Running::default());
        let versions = Versions::new(&stores, settings.keep_versions);
        let (enqueuer, enqueue_loop) = Enqueuer::new(stores.inbox.clone(), bus.clone(), wake.clone());
        let (finisher, finish_loop) = Finisher::new(stores.queue.clone());
        let slots = Slots::new(settings.slots);
        let mut engine = Self {
            handle: Handle {
                stores: stores.clone(),
                runner: runner.clone(),
                bus: bus.clone(),
                wake: wake.clone(),
                running: running.clone(),
                versions: versions.clone(),
                enqueuer: enqueuer.clone(),
                stopping: CancellationToken::new(),
            },
            worker: worker.clone(),
            dispatcher: None,
            attempts: TaskTracker::new(),
            loops: TaskTracker::new(),
            stop_work: CancellationToken::new(),
            stop_life: CancellationToken::new(),
            give_up: CancellationToken::new(),
            settings: settings.clone(),
        };
        let executor = Arc::new(Executor {
            worker: worker.id,
            queue: stores.queue.clone(),
            key_values: stores.key_values.clone(),
            runner: runner.clone(),
            threads: runner.threads().unwrap_or_else(Threads::current),
            enqueuer,
            crowds: Arc::new(Crowds::new(stores.queues.clone())),
            finisher,
            running: running.clone(),
            bus: bus.clone(),
            tracker: engine.attempts.clone(),
            report_every: settings.report_every,
            bounds: settings.bounds,
        });
        let settler = Settler {
            runner: runner.clone(),
            running: running.clone(),
            versions,
            first_attempts: FirstAttempts::default(),
            bus: bus.clone(),
            wake: wake.clone(),
            tracker: engine.attempts.clone(),
        };
        let dispatcher = Dispatcher {
            worker: worker.id,
            queue: stores.queue,
            runner: runner.clone(),
            executor,
            slots,
            wake: wake.clone(),
            poll_every: settings.poll_every,
            claimed_ttl: settings.claimed_ttl,
        };
        let promoter = Promoter {
            upkeep: stores.upkeep.clone(),
            bus: bus.clone(),
            wake: wake.clone(),
            poll_every: settings.poll_every,
        };
        let operator = Operator {
            operations: stores.operations,
            running: running.clone(),
            bus: bus.clone(),
            wake: wake.clone(),
            poll_every: settings.poll_every,
        };
        let shelver = Shelver { shelf: stores.versions, runner: runner.clone(), worker: worker.id, wake: wake.clone() };
        let sweeper = Sweeper { store: stores.janitor.clone(), runner: runner.clone(), every: settings.sweep_every };
        let janitor = Janitor {
            worker: worker.id,
            store: stores.janitor,
            queues: stores.queues,
            runner,
            retention: settings.retention,
            every: settings.tidy_every,
            ttl: settings.worker_ttl,
        };
        let lost_claims = LostClaims {
            upkeep: stores.upkeep.clone(),
            worker: worker.id,
            running: running.clone(),
            bus: bus.clone(),
            wake: wake.clone(),
            age: settings.worker_ttl,
        };
        let rescuer = Rescuer {
            upkeep: stores.upkeep.clone(),
            bus,
            wake: wake.clone(),
            bounds: settings.bounds,
            every: settings.worker_ttl / 3,
        };
        let listener = Listener { source: stores.changes, wake: wake.clone() };
        let heartbeat = Heartbeat {
            upkeep: stores.upkeep,
            worker,
            running: running.clone(),
            wake,
            every: settings.heartbeat_every,
            ttl: settings.worker_ttl,
        };
        // Until the end: a job that still runs may enqueue others.
        engine.loops.spawn(enqueue_loop.run(engine.stop_life.clone()));
        let (stop_life, give_up) = (engine.stop_life.clone(), engine.give_up.clone());
        engine.loops.spawn(finish_loop.run(stop_life, give_up, move |ended| settler.settle(ended)));
        engine.loops.spawn(until(engine.stop_life.clone(), write_reports(running.clone(), settings.report_every)));
        engine.loops.spawn(until(engine.stop_life.clone(), running.clone().interrupt_after(settings.cancel_grace)));
        engine.dispatcher = Some(engine.loops.spawn(dispatcher.run(engine.stop_work.clone())));
        engine.loops.spawn(promoter.run(engine.stop_work.clone()));
        engine.loops.spawn(shelver.run(engine.stop_work.clone()));
        engine.loops.spawn(rescuer.run(engine.stop_work.clone()));
        engine.loops.spawn(operator.run(engine.stop_work.clone()));
        engine.loops.spawn(sweeper.run(engine.stop_work.clone()));
        engine.loops.spawn(janitor.run(engine.stop_work.clone()));
        engine.loops.spawn(listener.run(engine.stop_life.clone()));
        engine.loops.spawn(lost_claims.run(engine.stop_work.clone()));
        engine.loops.spawn(heartbeat.run(engine.stop_life.clone()));
        Ok(engine)
    }

    /// The door for the API. It outlives the engine; after the shutdown it refuses enqueues.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Says that a shutdown has begun: long polls and event streams end. Nothing else changes yet.
    pub fn begin_shutdown(&self) {
        self.handle.stopping.cancel();
    }

    /// Stops: claims no more, lets running jobs end within the grace period, then interrupts them and hands them back.
    /// Returns when nothing of the engine runs any more.
    pub async fn shutdown(mut self) {
        self.begin_shutdown();
        self.stop_work.cancel();
        // It may be claiming still. What it starts then is waited for and interrupted like everything else.
        if let Some(mut claiming) = self.dispatcher.take()
            && tokio::time::timeout(LAST_WRITES, &mut claiming).await.is_err()
        {
            claiming.abort();
        }
        self.attempts.close();
        if tokio::time::timeout(self.settings.shutdown_grace, self.attempts.wait()).await.is_err() {
            let interrupted = self.handle.running.interrupt_all();
            info!(
                jobs = interrupted,
                "The grace period is over: {interrupted} running jobs are interrupted and handed back"
            );
        }
        let ended = tokio::time::timeout(LAST_WRITES, async {
            loop {
                tokio::select! {
                    () = self.attempts.wait() => break,
                    () = tokio::time::sleep(Duration::from_millis(50)) => { self.handle.running.interrupt_all(); }
                }
            }
        });
        if ended.await.is_err() {
            self.give_up.cancel();
            self.attempts.wait().await;
        }
        self.give_up.cancel();
        self.stop_life.cancel();
        self.loops.close();
        self.loops.wait().await;
        // After the last of the loops: a heartbeat that is under way would put it on the list again.
        let Handle { stores, .. } = &self.handle;
        if let Err(fault) = stores.upkeep.worker_remove(self.worker.id).await {
            warn!(error = &fault as &dyn std::error::Error, "Cannot remove this worker from the list: {fault}");
        }
        info!("The engine has stopped");
    }
}

/// Does something that has no end of its own until `stop` fires.
async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => (),
        () = work => (),
    }
}
