//! What one attempt costs: time of all processors, of the user and of the system, from the claimed job to its report.
//!
//! Built components are needed: `cargo xtask plugins`. Then `cargo bench -p windlass-runtime --bench attempt`.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on says where it stopped")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use windlass_model::{
    AttemptOutcome, Backoff, Job, JobId, JobState, JsonText, LogStream, Priority, Progress, QueueName, TaskName,
    Timestamp,
};
use windlass_runtime::{
    AttemptHost, AttemptRequest, EgressSettings, HostError, Limits, MemoryReuse, Runtime, RuntimeSettings,
};

/// How many attempts are under way at once.
const LANES: u64 = 64;

/// Time of a processor, over all threads: the wall tells more of the neighbours than of this program.
struct Cpu;

impl Measurement for Cpu {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
    }

    fn end(&self, start: Duration) -> Duration {
        self.start() - start
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// Hears what guests tell, and forgets it.
struct Nobody;

#[wasmtime_wasi::async_trait]
impl AttemptHost for Nobody {
    fn progress(&self, _: Progress) {}

    fn log(&self, _: LogStream, _: String) {}

    fn is_cancelled(&self) -> bool {
        false
    }

    async fn save_checkpoint(&self, _: Vec<u8>) -> Result<(), HostError> {
        Ok(())
    }

    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, HostError> {
        Ok(None)
    }
}

fn now() -> Timestamp {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    Timestamp::from_micros(1_795_000_000_000_000).plus(START.elapsed())
}

fn sandbox(dir: &TempDir, memory_reuse: MemoryReuse) -> Arc<Runtime> {
    let at = |name: &str| dir.path().join(name);
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/plugins/hello.wasm");
    std::fs::create_dir(at("plugins")).unwrap();
    std::fs::copy(guest, at("plugins").join("hello.wasm")).unwrap();
    let settings = RuntimeSettings {
        plugins: at("plugins"),
        data_dir: at("data"),
        work_dir: at("work"),
        cache_dir: None,
        artifacts_dir: at("artifacts"),
        slots: u32::try_from(LANES).unwrap(),
        guest_threads: 2,
        limits: Limits::default(),
        cache_bytes: RuntimeSettings::CACHE_BYTES,
        compile_time: RuntimeSettings::COMPILE_TIME,
        egress: EgressSettings::default(),
        variable: |_| None,
        ceiling: Limits::ceiling(),
        fuel: false,
        memory_reuse,
        clock: now,
    };
    Runtime::new(settings).unwrap()
}

fn job() -> Job {
    Job {
        id: JobId::from_uuid(uuid::Uuid::new_v4()),
        task: TaskName::parse("hello").unwrap(),
        queue: QueueName::default(),
        priority: Priority::default(),
        state: JobState::Running,
        args: JsonText::trusted(format!(r#"{{"name":"{}"}}"#, "Ada ".repeat(50))),
        output: None,
        error: None,
        attempt: 1,
        max_attempts: 5,
        timeout: Some(Duration::from_secs(1_800)),
        backoff: Backoff::default(),
        lease: 1,
        worker_id: None,
        crash_count: 0,
        host_fault_count: 0,
        cancel_requested_at: None,
        progress: Progress::default(),
        tags: Vec::new(),
        metadata: JsonText::empty_object(),
        plugin_digest: None,
        created_at: now(),
        run_at: now(),
        started_at: Some(now()),
        finished_at: None,
        expires_at: None,
        concurrency_key: None,
        parent_id: None,
        waits_for: 0,
        bill: None,
    }
}

/// One attempt after another.
async fn lane(sandbox: Arc<Runtime>, home: Handle, attempts: u64) {
    for _ in 0..attempts {
        let job = job();
        let id = job.id;
        let deadline = Some(now().plus(Duration::from_secs(1_800)));
        let request = AttemptRequest { job: Arc::new(job), deadline, home: home.clone() };
        let report = sandbox.run(request, Arc::new(Nobody), CancellationToken::new()).await;
        assert!(matches!(report.outcome, AttemptOutcome::Completed(_)), "{:?}", report.outcome);
        sandbox.clean_up(&[id]).await;
    }
}

fn attempts(criterion: &mut Criterion<Cpu>) {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut group = criterion.benchmark_group("attempt");
    group.throughput(Throughput::Elements(1));
    for (name, reuse) in [("memory given back", MemoryReuse::Off), ("memory kept", MemoryReuse::Auto)] {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = tokio.block_on(async {
            let sandbox = sandbox(&dir, reuse);
            sandbox.load_all().await;
            sandbox
        });
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|attempts| {
                let began = Cpu.start();
                tokio.block_on(run(&sandbox, attempts));
                Cpu.end(began)
            });
        });
    }
    group.finish();
}

/// So many attempts, spread over the lanes.
async fn run(sandbox: &Arc<Runtime>, attempts: u64) {
    let lanes = (0..LANES).map(|n| (attempts + n) / LANES);
    let lanes: Vec<_> =
        lanes.map(|attempts| sandbox.threads().spawn(lane(Arc::clone(sandbox), Handle::current(), attempts))).collect();
    for lane in lanes {
        lane.await.unwrap();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Cpu).sample_size(20).measurement_time(Duration::from_secs(8));
    targets = attempts
}
criterion_main!(benches);
