//! The WebAssembly engine: how it is configured, where its compiled code is kept, what makes its epochs pass.

use std::path::PathBuf;
use std::time::Duration;

use tracing::{info, warn};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::cache::CodeCache;
use crate::error::RuntimeError;
use crate::limits::Limits;
use crate::settings::RuntimeSettings;

/// How often a guest that computes gives way to the others. Short enough for a prompt interrupt, long enough to cost
/// nothing: 10 ms measured no difference in a tight loop.
const EPOCH: Duration = Duration::from_millis(10);

/// How many elements one table may have. The default of 20,000 is too small for .NET and JavaScript guests; what the tables of
/// an attempt hold together is bounded with its memory.
pub(crate) const TABLE_ELEMENTS: usize = 200_000;

/// How many plugins are loaded at once. Each compilation uses all cores by itself; two overlap reading and compiling.
pub(crate) const LOADERS: u32 = 2;

/// What one component may take of the pool. Toolchains make one memory, a table or two and four core instances (its own, the
/// adapter's, two of fix-ups); those that link libraries at load time, as Python's does, make dozens of instances.
pub(crate) const MEMORIES: u32 = 4;
pub(crate) const TABLES: u32 = 8;
const CORE_INSTANCES: u32 = 64;

/// How much of a memory is kept; an instance that wrote to more gives the rest back. Rust guests write to some 100 KiB, large
/// interpreters to a few MiB.
const KEPT: usize = 8 << 20;

/// The long-lived engine, and what is needed to fill it.
pub(crate) struct Engines {
    /// The one that runs guests.
    pub(crate) running: Engine,
    /// Compiled code that was kept; absent if none is.
    pub(crate) cache: Option<CodeCache>,
    fuel: bool,
}

impl Engines {
    pub(crate) fn new(settings: &RuntimeSettings) -> Result<Self, RuntimeError> {
        let (mut pooled, reuse) = (config(settings.fuel), settings.memory_reuse.decide());
        let pool = pool(settings.slots, &settings.ceiling, reuse.is_ok());
        pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let running = Engine::new(&pooled).inspect(|_| tell(&reuse)).or_else(|reason| {
            // Small address spaces (39-bit arm64, containers with a limit on virtual memory) have no room for a pool.
            warn!("Instances are allocated on demand, which is slower: the pool could not be made: {reason:#}");
            Engine::new(&config(settings.fuel))
        });
        let running = running.map_err(|error| RuntimeError::Engine(error.into()))?;
        let open = |directory: &PathBuf| CodeCache::open(directory, &running, settings.cache_bytes);
        let cache = settings.cache_dir.as_ref().map(open).transpose()?;
        start_epochs(&running)?;
        Ok(Self { running, cache, fuel: settings.fuel })
    }

    /// An engine to compile in and throw away.
    ///
    /// An engine keeps the working memory of its compiler for as long as it lives (wasmtime #13912, not mended in
    /// 48.0.8), and a daemon that loads plugins for months should not. How instances are allocated does not affect the
    /// compiled code, so this one has no pool.
    pub(crate) fn for_compiling(&self) -> wasmtime::Result<Engine> {
        Engine::new(&config(self.fuel))
    }
}

fn config(fuel: bool) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // Other code, so another entry of the cache: a daemon counts for all of its guests or for none.
        .consume_fuel(fuel)
        // Plugins speak WASI 0.2. Without the machinery of 0.3 a job costs a third less; see `notes/wasmtime-48.md`.
        .concurrency_support(false)
        // Shared memory and component-model async are not even compiled in.
        .wasm_memory64(false);
    config
}

fn pool(slots: u32, ceiling: &Limits, keeps_memory: bool) -> PoolingAllocationConfig {
    // Beside the slots there are those plugins whose `describe` is being called.
    let instances = slots.saturating_add(LOADERS);
    // Each slot has its whole share. Were the totals less than that, one plugin of many memories could take those of the others,
    // and their jobs would fail for want of them. Only address space is set aside.
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(instances.saturating_mul(MEMORIES))
        .max_memories_per_component(MEMORIES)
        .max_memories_per_module(MEMORIES)
        .total_tables(instances.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .total_stacks(instances)
        .total_gc_heaps(instances)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(ceiling.memory_bytes);
    if keeps_memory {
        // What an instance wrote to is cleaned for the next one of the same component.
        pool.linear_memory_keep_resident(KEPT).table_keep_resident(KEPT).pagemap_scan(Enabled::Yes);
    }
    pool
}

/// A line of the log: the operator sees what an instance costs here, and why.
fn tell(reuse: &Result<(), String>) {
    match reuse {
        Ok(()) => info!("The memory of ended instances is kept and cleaned for the next: this machine does not swap"),
        Err(why) => info!("The memory of ended instances is given back, so that each costs more: {why}"),
    }
}

/// One thread for the whole engine, and not a task: a busy executor must not be able to delay it.
fn start_epochs(engine: &Engine) -> Result<(), RuntimeError> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(EPOCH);
        }
    };
    std::thread::Builder::new().name("windlass-epochs".to_owned()).spawn(tick).map_err(RuntimeError::Threads)?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use super::*;
    use crate::memory_reuse::MemoryReuse;

    pub(crate) fn settings(dir: &Path) -> RuntimeSettings {
        RuntimeSettings {
            plugins: dir.join("plugins"),
            data_dir: dir.join("data"),
            work_dir: dir.join("work"),
            cache_dir: Some(dir.join("cache")),
            artifacts_dir: dir.join("artifacts"),
            slots: 1,
            guest_threads: 1,
            limits: Limits::default(),
            cache_bytes: RuntimeSettings::CACHE_BYTES,
            compile_time: RuntimeSettings::COMPILE_TIME,
            egress: crate::egress::client::EgressSettings::default(),
            variable: |_| None,
            ceiling: Limits::ceiling(),
            fuel: false,
            memory_reuse: MemoryReuse::Auto,
            clock: || windlass_model::Timestamp::from_micros(0),
        }
    }

    #[test]
    fn a_pool_that_is_too_large_for_the_machine_gives_way_to_allocation_on_demand() {
        let dir = tempfile::tempdir().unwrap();
        let is_pooled = |settings| Engines::new(&settings).unwrap().running.pooling_allocator_metrics().is_some();
        assert!(is_pooled(settings(dir.path())));
        assert!(!is_pooled(RuntimeSettings { slots: u32::MAX, ..settings(dir.path()) }));
    }

    #[test]
    fn the_threads_of_epochs_end_with_their_engine() {
        let dir = tempfile::tempdir().unwrap();
        let weak = Engines::new(&settings(dir.path())).unwrap().running.weak();
        for _ in 0..1_000 {
            if weak.upgrade().is_none() {
                return;
            }
            std::thread::sleep(EPOCH);
        }
        panic!("the engine is still held");
    }
}
