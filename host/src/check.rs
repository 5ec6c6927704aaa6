//! `windlass check`: says what `serve` with the same settings would do, and changes nothing but the component cache.

use std::io::Write;
use std::process::ExitCode;

use windlass_runtime::Runtime;
use windlass_store::SqliteStore;

use crate::assemble::runtime_settings;
use crate::serve;
use crate::settings::{ServeArgs, Settings};

/// Checks settings, directories, database and plugins; the exit code is 1 if anything would not work.
pub(crate) async fn check(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::resolve(args)?;
    let mut out = std::io::stdout().lock();
    let mut is_fine = true;
    let mut line = |fine: bool, text: String| {
        is_fine &= fine;
        writeln!(out, "{} {text}", if fine { "ok   " } else { "FAULT" })
    };
    line(true, format!("settings: listen on {}, {} slots", settings.listen, settings.slots))?;
    if settings.data_dir.is_dir() {
        match serve::lock(&settings.data_dir) {
            Ok(_) => line(true, format!("data directory: {}", settings.data_dir.display()))?,
            Err(error) => line(false, format!("data directory: {error:#}"))?,
        }
    } else {
        line(true, format!("data directory: {} will be made", settings.data_dir.display()))?;
    }
    if settings.database.exists() {
        match SqliteStore::open(&settings.database).await {
            Ok(store) => {
                line(true, format!("database: {}", settings.database.display()))?;
                store.close().await;
            }
            Err(error) => line(false, format!("database: {:#}", anyhow::Error::from(error)))?,
        }
    } else {
        line(true, format!("database: {} will be made", settings.database.display()))?;
    }
    if settings.plugins.is_dir() {
        let runtime = Runtime::new(runtime_settings(&settings))?;
        runtime.load_all().await;
        let tasks = runtime.tasks();
        if tasks.is_empty() {
            line(true, format!("plugins: none in {}", settings.plugins.display()))?;
        }
        for task in tasks {
            match task.load_error {
                None => line(true, format!("plugin {}", task.name))?,
                Some(error) => line(false, format!("plugin {}: {}", task.name, error.message))?,
            }
        }
    } else {
        line(true, format!("plugins: {} will be made", settings.plugins.display()))?;
    }
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
