//! A guest's side of the host: the state in its store, the store itself, and the linker that all guests share.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime::{CallHook, Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use windlass_model::{Bill, LogStream, TaskName, Timestamp};

use crate::bindings::Task;
use crate::capability::directories::OwnDirectories;
use crate::capability::filesystem::{self, FileMeter, Root};
use crate::capability::http::HttpAccess;
use crate::capability::job::JobAccess;
use crate::capability::key_value;
use crate::capability::memory::MemoryMeter;
use crate::capability::network::NetworkAccess;
use crate::capability::redaction::Redactor;
use crate::capability::secrets::Handout;
use crate::capability::stdio::GuestLog;
use crate::capability::{config, logging, names};
use crate::egress::client::Egress;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::meter::{CpuMeter, Usage};
use crate::port::AttemptHost;

/// What the host keeps for one instance.
pub(crate) struct Guest {
    pub(crate) wasi: Wasi,
    pub(crate) memory: MemoryMeter,
    pub(crate) files: FileMeter,
    pub(crate) log: GuestLog,
    pub(crate) http: HttpAccess,
    http_ctx: WasiHttpCtx,
    pub(crate) network: NetworkAccess,
    pub(crate) config: WasiConfigVariables,
    pub(crate) usage: Arc<Usage>,
    pub(crate) cpu: Arc<CpuMeter>,
    /// Absent while `describe` runs.
    pub(crate) job: Option<JobAccess>,
}

/// What a guest reaches beside files: its log, the network, its config.
pub(crate) struct Reach {
    log: GuestLog,
    http: HttpAccess,
    network: NetworkAccess,
    config: WasiConfigVariables,
    usage: Arc<Usage>,
}

/// Whose reach it is.
pub(crate) struct Reacher<'a> {
    pub(crate) plugin: &'a TaskName,
    pub(crate) log: &'a GuestLog,
    pub(crate) limits: &'a Limits,
    pub(crate) usage: Arc<Usage>,
    pub(crate) deadline: Option<Timestamp>,
}

impl Reach {
    pub(crate) fn of(
        who: Reacher<'_>,
        grants: &Grants,
        handout: &Handout,
        egress: &Arc<Egress>,
        clock: fn() -> Timestamp,
    ) -> Self {
        let http = HttpAccess {
            grant: grants.http.clone(),
            egress: Arc::clone(egress),
            placeholders: Arc::clone(&handout.placeholders),
            log: who.log.clone(),
            plugin: who.plugin.clone(),
            deadline: who.deadline,
            clock,
            response_max: who.limits.http_response_bytes,
            running: HttpAccess::semaphore(who.limits),
            usage: Arc::clone(&who.usage),
        };
        let network = NetworkAccess::new(grants.tcp.clone(), Arc::clone(egress), who.log.clone(), who.plugin.clone());
        Self { log: who.log.clone(), http, network, config: grants.config.grant(handout), usage: who.usage }
    }
}

/// What wasmtime's own implementation of WASI works on.
pub(crate) struct Wasi {
    ctx: WasiCtx,
    pub(crate) table: ResourceTable,
}

impl WasiView for Wasi {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.http, table: &mut self.wasi.table, ctx: &mut self.http_ctx }
    }
}

impl Guest {
    /// A guest with these directories, as `wasi` has them, and those of its job.
    pub(crate) fn new(
        mut wasi: WasiCtxBuilder,
        (roots, own): (Vec<Root>, Option<OwnDirectories>),
        reach: Reach,
        limits: &Limits,
        job: Option<JobAccess>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let Reach { log, http, network, config, usage } = reach;
        network.grant(&mut wasi);
        Self {
            wasi: Wasi { ctx: wasi.build(), table },
            memory: MemoryMeter::new(limits.memory_bytes),
            files: FileMeter::new(roots, own, Arc::clone(&usage)),
            log,
            http,
            http_ctx: WasiHttpCtx::new(),
            network,
            config,
            usage,
            cpu: Arc::new(CpuMeter::new(limits.cpu_ms.map(Duration::from_millis))),
            job,
        }
    }

    /// What it used so far, without what it took to make it.
    pub(crate) fn bill(&self) -> Bill {
        Bill {
            cpu_us: u64::try_from(self.cpu.spent().as_micros()).unwrap_or(u64::MAX),
            peak_memory_bytes: self.memory.peak() as u64,
            ..self.usage.bill()
        }
    }

    /// A store for one attempt.
    pub(crate) fn into_store(self, engine: &Engine, limits: &Limits) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|guest| &mut guest.memory);
        store.set_hostcall_fuel(limits.hostcall_bytes);
        store.set_max_component_handles(limits.handles);
        store.set_epoch_deadline(1);
        // A plain yield puts the task at the front of its queue again; tokio's own lets the others go first, and lets the
        // task look at its clock and its interrupt.
        store.epoch_deadline_callback(|context| {
            let guest = context.data();
            // The hook below has just counted this turn.
            guest.usage.no_host_call();
            guest.cpu.check()?;
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store.call_hook(|context, hook| {
            if matches!(hook, CallHook::CallingHost) {
                context.data().usage.host_call();
            }
            Ok(())
        });
        store
    }

    /// Gives the guest its fuel, if the engine counts it.
    pub(crate) fn refuel(store: &mut Store<Self>, fuel: Option<u64>, is_counted: bool) -> wasmtime::Result<()> {
        if is_counted { store.set_fuel(fuel.unwrap_or(u64::MAX)) } else { Ok(()) }
    }
}

/// The start of every guest's world: a log, and nothing else.
pub(crate) fn bare_wasi(name: &str, log: &GuestLog) -> WasiCtxBuilder {
    let mut wasi = WasiCtxBuilder::new();
    // Some languages take their program's name for granted.
    wasi.arg(name);
    wasi.stdout(log.pipe(LogStream::Stdout)).stderr(log.pipe(LogStream::Stderr));
    wasi
}

/// A log for a guest without a job.
pub(crate) fn log_to_nobody(limits: &Limits) -> GuestLog {
    GuestLog::new(Arc::new(Nobody), limits, Redactor::default(), Arc::default())
}

/// All that a component may import.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    filesystem::add_to_linker(&mut linker)?;
    names::link(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    config::link(&mut linker)?;
    logging::link(&mut linker)?;
    Task::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    key_value::add_to_linker(&mut linker)?;
    Ok(linker)
}

struct Nobody;

#[wasmtime_wasi::async_trait]
impl AttemptHost for Nobody {
    fn progress(&self, _: windlass_model::Progress) {}

    fn log(&self, _: LogStream, _: String) {}

    fn is_cancelled(&self) -> bool {
        false
    }

    async fn save_checkpoint(&self, _: Vec<u8>) -> Result<(), crate::port::HostError> {
        Ok(())
    }

    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, crate::port::HostError> {
        Ok(None)
    }
}
