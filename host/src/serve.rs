//! `windlass serve`: starts everything in order, and stops it in the reverse one.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::info;
use windlass_api::ApiSettings;
use windlass_engine::{Engine, EngineSettings, Versions};
use windlass_runtime::{Runtime, RuntimeSettings};

use crate::assemble::{DatabaseShelf, Sandbox, runtime_settings};
use crate::settings::{ServeArgs, Settings};
use crate::shutdown::Signals;
use crate::store::{Store, lock_data_dir};
use crate::telemetry;

/// Runs the daemon until it is asked to stop.
pub(crate) async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    // Before the first write: a start that is broken off must be one that can be made again.
    let signals = Signals::listen()?;
    telemetry::start(args.log.as_deref(), "info")?;
    let settings = Settings::resolve(args)?;
    #[cfg(feature = "failpoints")]
    crate::faults::arm()?;
    for dir in [&settings.data_dir, &settings.plugins] {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    }
    let _lock = lock_data_dir(&settings.data_dir)?;
    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("cannot listen on {}", settings.listen))?;
    let address = listener.local_addr()?;

    let store = Store::open(&settings.database).await?;
    let artifacts_dir = store.folder(&settings.data_dir.join("artifacts")).await?;
    let shelf = DatabaseShelf(Versions::new(&store.seams(), settings.keep_versions));
    let runtime =
        Runtime::with_shelf(RuntimeSettings { artifacts_dir, ..runtime_settings(&settings) }, Arc::new(shelf))?;
    runtime.load_all().await;
    let stop_watching = CancellationToken::new();
    let watching = tokio::spawn(runtime.clone().watch(stop_watching.clone()));
    let engine = Engine::start(
        store.seams(),
        Arc::new(Sandbox { runtime, home: Handle::current() }),
        EngineSettings {
            slots: settings.slots,
            host: host_name(),
            heartbeat_every: settings.liveness.heartbeat,
            worker_ttl: settings.liveness.ttl,
            cancel_grace: settings.cancel_grace,
            shutdown_grace: settings.shutdown_grace,
            retention: settings.retention,
            poll_every: settings.poll_interval,
            keep_versions: settings.keep_versions,
            is_alone: store.is_alone(),
            ..EngineSettings::default()
        },
    )
    .await?;

    let router = windlass_api::router(engine.handle(), ApiSettings::default());
    let stopping = engine.handle().stopping();
    let server = axum::serve(listener, router).with_graceful_shutdown(stopping.clone().cancelled_owned());
    let server = tokio::spawn(server.into_future());
    announce(&format!("windlass is ready on http://{address}"))?;

    signals.asked().await;
    info!("Stopping: no more jobs are claimed; running ones have {:?} to end", settings.shutdown_grace);
    engine.begin_shutdown();
    stop_watching.cancel();
    engine.shutdown().await;
    // Requests that still run have had the whole of that time; a client that never reads must not hold up the end.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), server).await;
    let _ = watching.await;
    store.close().await;
    info!("Stopped");
    Ok(ExitCode::SUCCESS)
}

/// The one line on standard output: who started the daemon reads the address from it.
fn announce(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}
