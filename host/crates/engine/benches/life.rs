//! What the engine itself costs for one job, from its claim to the end of its finish: a queue in memory, a runner that returns at once.
//! Time of all processors.
//!
//! `cargo bench -p windlass-engine --bench life`.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on says where it stopped")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use windlass_engine::EngineSettings;
use windlass_model::JobState;

use support::{Echo, MemoryQueue, job, start};

/// Time of a processor, over all threads.
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

fn lives(criterion: &mut Criterion<Cpu>) {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut group = criterion.benchmark_group("life");
    group.throughput(Throughput::Elements(1));
    for slots in [8, 64, 512] {
        // What a database on a disk takes.
        let commit = (Duration::from_micros(200), Duration::from_micros(5));
        let queue = Arc::new(MemoryQueue { is_patient: true, commit, ..MemoryQueue::default() });
        let settings = EngineSettings { slots, ..EngineSettings::default() };
        let _running = tokio.block_on(start(&queue, &Arc::new(Echo::default()), settings));
        group.bench_function(format!("{slots} slots"), |bencher| {
            bencher.iter_custom(|jobs| {
                let jobs = usize::try_from(jobs).unwrap();
                let waiting: Vec<_> = (0..jobs).map(|_| job(false)).collect();
                let began = Cpu.start();
                queue.put(waiting.into_iter());
                tokio.block_on(queue.until(|_, ended| ended == jobs));
                let took = Cpu.end(began);
                assert!(queue.running().is_empty());
                let ended = queue.take_ended();
                assert!(ended.iter().all(|ended| ended.transition.to == JobState::Completed));
                took
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Cpu).sample_size(20).measurement_time(Duration::from_secs(4));
    targets = lives
}
criterion_main!(benches);
