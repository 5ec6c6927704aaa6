//! Nothing waits for a poll: here the loops look by themselves only once an hour, so a wake-up that is lost is a test that hangs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::BoxStream;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use windlass_engine::{
    ArgsFault, ArtifactError, AttemptHost, AttemptOrder, AttemptReport, CheckedVersion, Engine, EngineSettings,
    EnqueueRequest, Handle, Stores, TaskRunner, VersionFault, now,
};
use windlass_model::{
    Artifact, AttemptError, AttemptOutcome, Backoff, ErrorKind, Job, JobFilter, JobId, JobState, JsonText, NewJob,
    OperationKind, Patch, Priority, QueueChange, QueueName, Rate, RunAt, TaskDefaults, TaskDescription, TaskInfo,
    TaskLimits, TaskName, TaskVersion,
};
use windlass_store::{
    ChangeFeed, ChangeSource, Changes, JobDirectory as _, JobInbox as _, SqliteStore, StoreError, Upkeep as _,
    VersionShelf as _,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Fails each job's first attempt if its tag says so, and completes it otherwise.
#[derive(Default)]
struct Runner {
    changes: watch::Sender<u64>,
    concurrency: Option<u32>,
    /// How many attempts run, and how many did at most.
    running: AtomicU32,
    most: AtomicU32,
}

fn task() -> TaskName {
    TaskName::parse("echo").unwrap()
}

#[async_trait]
impl TaskRunner for Runner {
    fn tasks(&self) -> Vec<TaskInfo> {
        let backoff = Backoff::exponential(Duration::from_millis(5), Duration::from_millis(5)).unwrap();
        let defaults = TaskDefaults { backoff: Some(backoff), ..TaskDefaults::default() };
        let version = TaskVersion {
            digest: self.changes.borrow().to_string(),
            bytes: 1,
            loaded_at: now(),
            description: TaskDescription { defaults, ..TaskDescription::default() },
            grants: JsonText::empty_object(),
            auto_rollback: None,
            limits: JsonText::empty_object(),
        };
        vec![TaskInfo { name: task(), version: Some(version), load_error: None }]
    }

    fn task(&self, name: &TaskName) -> Option<Arc<TaskInfo>> {
        self.tasks().into_iter().find(|info| info.name == *name).map(Arc::new)
    }

    fn limits(&self, _name: &TaskName) -> TaskLimits {
        TaskLimits { concurrency: self.concurrency, ..TaskLimits::default() }
    }

    fn loaded(&self) -> Vec<TaskName> {
        vec![task()]
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn check_version(&self, _task: &TaskName, _component: Bytes) -> Result<CheckedVersion, VersionFault> {
        Err(VersionFault::Component("there is one task, and it has one version".to_owned()))
    }

    /// Another version is in service from now on.
    async fn refresh(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn component_max(&self) -> u64 {
        0
    }

    fn check_args(&self, _task: &TaskName, _args: &JsonText) -> Result<(), Vec<ArgsFault>> {
        Ok(())
    }

    async fn run(
        &self,
        order: AttemptOrder,
        host: Arc<dyn AttemptHost>,
        _interrupt: CancellationToken,
    ) -> AttemptReport {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        while order.job.tags.iter().any(|tag| tag == "waits for a cancel") {
            if host.is_cancelled() {
                return AttemptReport {
                    outcome: AttemptOutcome::Cancelled,
                    plugin_digest: None,
                    artifacts: Vec::new(),
                    bill: None,
                };
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let fails = order.job.attempt == 1 && order.job.tags.iter().any(|tag| tag == "fails once");
        let outcome = match fails {
            true => AttemptOutcome::Failed(AttemptError::new(ErrorKind::Retryable, "the first time")),
            false => AttemptOutcome::Completed(order.job.args.clone()),
        };
        AttemptReport { outcome, plugin_digest: None, artifacts: Vec::new(), bill: None }
    }

    async fn clean_up(&self, _jobs: &[JobId]) {}

    async fn remove_artifacts(&self, _jobs: &[JobId]) {}

    async fn artifact_jobs(&self) -> Vec<JobId> {
        Vec::new()
    }

    async fn artifact(
        &self,
        _job: JobId,
        _artifact: &Artifact,
        _range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, ArtifactError> {
        Err(ArtifactError::Gone)
    }
}

async fn start(slots: u32) -> (Engine, TempDir) {
    let (folder, store) = open().await;
    (engine(Stores::of(store), slots).await, folder)
}

async fn open() -> (TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("windlass.db")).await.unwrap();
    (folder, Arc::new(store))
}

async fn engine(stores: Stores, slots: u32) -> Engine {
    engine_with(stores, slots, Arc::default()).await
}

async fn engine_with(stores: Stores, slots: u32, runner: Arc<Runner>) -> Engine {
    let hour = Duration::from_secs(3_600);
    let settings = EngineSettings {
        slots,
        poll_every: hour,
        heartbeat_every: hour,
        worker_ttl: 2 * hour,
        ..EngineSettings::default()
    };
    Engine::start(stores, runner, settings).await.unwrap()
}

/// Tells what the test says that another daemon did.
struct Elsewhere(Mutex<Option<mpsc::UnboundedReceiver<Result<Changes, StoreError>>>>);

struct Feed(mpsc::UnboundedReceiver<Result<Changes, StoreError>>);

impl ChangeSource for Elsewhere {
    fn changes(&self) -> Box<dyn ChangeFeed> {
        Box::new(Feed(self.0.lock().unwrap().take().expect("one feed is enough")))
    }
}

#[async_trait]
impl ChangeFeed for Feed {
    async fn next(&mut self) -> Result<Changes, StoreError> {
        self.0.recv().await.expect("the test is over")
    }
}

/// A job as another daemon would add it: this one's engine is not asked.
fn job_of_another(run_at: Option<RunAt>, tag: &str) -> NewJob {
    NewJob {
        id: windlass_engine::new_job_id(),
        task: task(),
        queue: QueueName::default(),
        priority: Priority::default(),
        args: JsonText::empty_object(),
        run_at,
        max_attempts: 1,
        timeout: None,
        backoff: Backoff::default(),
        tags: vec![tag.to_owned()],
        metadata: JsonText::empty_object(),
        expires_at: None,
        concurrency_key: None,
        unique: None,
        after: Vec::new(),
        on_failure: windlass_model::OnFailure::default(),
        parent: None,
    }
}

async fn until(store: &SqliteStore, id: JobId, state: JobState) {
    let reached = async {
        while store.job_get(id).await.unwrap().unwrap().state != state {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("a wake-up was lost");
}

fn request(run_at: Option<RunAt>, tag: &str) -> EnqueueRequest {
    EnqueueRequest { run_at, tags: vec![tag.to_owned()], ..EnqueueRequest::new(task(), JsonText::empty_object()) }
}

async fn run(handle: &Handle, request: EnqueueRequest) -> Job {
    let id = handle.enqueue(vec![request], None).await.unwrap().jobs[0].job.id;
    let mut watch = handle.watch(id);
    let ended = async {
        loop {
            let job = handle.directory().job_get(id).await.unwrap().unwrap();
            if job.state.is_final() {
                return job;
            }
            watch.changed().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("a wake-up was lost")
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_come_one_by_one_start_without_a_poll() {
    let (engine, _folder) = start(1).await;
    for _ in 0..50 {
        assert_eq!(run(&engine.handle(), request(None, "")).await.state, JobState::Completed);
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_come_at_once_take_turns_in_one_slot() {
    let (engine, _folder) = start(1).await;
    let handle = engine.handle();
    let jobs = join_all((0..50).map(|_| run(&handle, request(None, "")))).await;
    assert!(jobs.iter().all(|job| job.state == JobState::Completed));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_becomes_due_starts_without_a_poll() {
    let (engine, _folder) = start(2).await;
    let handle = engine.handle();
    let delay = Some(RunAt::After(Duration::from_millis(20)));
    let jobs = join_all((0..10).map(|_| run(&handle, request(delay, "")))).await;
    assert!(jobs.iter().all(|job| job.started_at >= Some(job.run_at)));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_comes_back_without_a_poll() {
    let (engine, _folder) = start(2).await;
    let job = run(&engine.handle(), request(None, "fails once")).await;
    assert_eq!((job.state, job.attempt), (JobState::Completed, 2));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_another_daemon_put_in_service_is_served_and_said_without_a_poll() {
    let (_folder, store) = open().await;
    let (tell, told) = mpsc::unbounded_channel();
    let _engine = engine(Stores::of(store.clone()).told_by(Arc::new(Elsewhere(Mutex::new(Some(told))))), 4).await;
    for digest in ["0", "1", "2"] {
        let said = async {
            while store.worker_tasks(&task(), None).await.unwrap().first().and_then(|said| said.digest.clone())
                != Some(digest.to_owned())
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, said).await.expect("a wake-up was lost");
        tell.send(Ok(Changes { tasks: true, ..Changes::default() })).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_daemon_did_is_seen_without_a_poll_also_after_an_error() {
    let (_folder, store) = open().await;
    let (tell, told) = mpsc::unbounded_channel();
    let elsewhere = Arc::new(Elsewhere(Mutex::new(Some(told))));
    let engine = engine(Stores::of(store.clone()).told_by(elsewhere), 4).await;
    // An answer proves that the loops have looked once and wait now.
    assert_eq!(run(&engine.handle(), request(None, "")).await.state, JobState::Completed);

    let waiting = job_of_another(None, "waits for a cancel");
    store.job_submit(&[vec![waiting.clone()].into()], None).await.unwrap();
    tell.send(Ok(Changes { available: true, ..Changes::default() })).unwrap();
    until(&store, waiting.id, JobState::Running).await;
    store.job_cancel(waiting.id, None).await.unwrap();
    tell.send(Ok(Changes { cancels: true, ..Changes::default() })).unwrap();
    until(&store, waiting.id, JobState::Cancelled).await;

    tell.send(Err(StoreError::Corrupt { column: "any", found: "an error of the feed".to_owned() })).unwrap();
    let due = job_of_another(Some(RunAt::After(Duration::from_millis(5))), "");
    store.job_submit(&[vec![due.clone()].into()], None).await.unwrap();
    tell.send(Ok(Changes { scheduled: true, ..Changes::default() })).unwrap();
    until(&store, due.id, JobState::Completed).await;
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_has_stopped_is_on_no_list_also_when_it_was_woken_at_the_end() {
    for _ in 0..20 {
        let (_folder, store) = open().await;
        let (tell, told) = mpsc::unbounded_channel();
        let elsewhere = Arc::new(Elsewhere(Mutex::new(Some(told))));
        let engine = engine(Stores::of(store.clone()).told_by(elsewhere), 1).await;
        // What the heartbeat is told goes through two loops, so one of these finds it at work when the end comes.
        tokio::spawn(async move {
            while tell.send(Ok(Changes { cancels: true, ..Changes::default() })).is_ok() {
                tokio::task::yield_now().await;
            }
        });
        engine.shutdown().await;
        assert_eq!(store.worker_list().await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_has_stopped_takes_no_more_jobs() {
    let (engine, _folder) = start(1).await;
    let handle = engine.handle();
    engine.shutdown().await;
    let refused = handle.enqueue(vec![request(None, "")], None).await.unwrap_err();
    assert!(matches!(refused, windlass_engine::EnqueueError::Stopping), "{refused}");
}

async fn change(engine: &Engine, change: QueueChange) {
    engine.handle().change_queue(&QueueName::default(), &change).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_leaves_room_again_is_used_without_a_poll() {
    let (engine, _folder) = start(8).await;
    change(&engine, QueueChange { rate: Patch::Set(Rate::new(2, 50).unwrap()), ..QueueChange::default() }).await;
    let handle = engine.handle();
    let mut jobs = join_all((0..10).map(|_| run(&handle, request(None, "")))).await;
    jobs.sort_by_key(|job| job.started_at);
    for (first, third) in jobs.iter().zip(&jobs[2..]) {
        let between = third.started_at.unwrap().since(first.started_at.unwrap());
        assert!(between >= Duration::from_millis(50), "{between:?}");
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_full_goes_on_without_a_poll() {
    let (engine, _folder) = start(8).await;
    change(&engine, QueueChange { max_running: Patch::Set(1.try_into().unwrap()), ..QueueChange::default() }).await;
    let handle = engine.handle();
    let mut jobs = join_all((0..20).map(|_| run(&handle, request(None, "")))).await;
    jobs.sort_by_key(|job| job.started_at);
    assert!(jobs.iter().zip(&jobs[1..]).all(|(one, next)| one.finished_at <= next.started_at));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_resumed_goes_on_without_a_poll() {
    let (engine, _folder) = start(2).await;
    let handle = engine.handle();
    for _ in 0..10 {
        change(&engine, QueueChange { paused: Some(true), ..QueueChange::default() }).await;
        let waiting = tokio::spawn({
            let handle = handle.clone();
            async move { run(&handle, request(None, "")).await }
        });
        while handle.queues().job_counts().await.unwrap().get(JobState::Available) == 0 {
            tokio::task::yield_now().await;
        }
        // So that the wake-up of the enqueue is over; were it not, the test would pass without saying anything.
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!waiting.is_finished());
        change(&engine, QueueChange { paused: Some(false), ..QueueChange::default() }).await;
        assert_eq!(waiting.await.unwrap().state, JobState::Completed);
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_done_and_what_it_retries_starts_without_a_poll() {
    let (engine, _folder) = start(2).await;
    let handle = engine.handle();
    let far = Some(RunAt::After(Duration::from_secs(3_600)));
    let waiting = join_all((0..5).map(|_| {
        let handle = handle.clone();
        tokio::spawn(async move { run(&handle, request(far, "")).await })
    }));
    let retry = async {
        loop {
            // Only what is there when it is asked for is done.
            if handle.queues().job_counts().await.unwrap().get(JobState::Scheduled) == 5 {
                return handle.start_operation(OperationKind::Retry, &JobFilter::default()).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    let (jobs, operation) = tokio::join!(waiting, retry);
    assert!(jobs.into_iter().all(|job| job.unwrap().state == JobState::Completed));
    let operation = handle.operations().operation_get(operation.id).await.unwrap().unwrap();
    assert_eq!((operation.seen, operation.changed), (5, 5));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_attempts_of_a_task_run_at_once_than_it_may_and_all_come_to_their_turn() {
    let (_folder, store) = open().await;
    let runner = Arc::new(Runner { concurrency: Some(2), ..Runner::default() });
    let engine = engine_with(Stores::of(store.clone()), 8, runner.clone()).await;
    let ids: Vec<_> = (0..40).map(|_| request(None, "one of many")).collect();
    let added = engine.handle().enqueue(ids, None).await.unwrap();
    for job in added.jobs {
        until(&store, job.job.id, JobState::Completed).await;
    }
    assert!((1..=2).contains(&runner.most.load(Ordering::SeqCst)), "{runner:?}", runner = runner.most);
    engine.shutdown().await;
}
