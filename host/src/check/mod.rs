//! `windlass check`: says what `serve` with the same settings would do. It changes nothing; only where no daemon runs, compiled
//! components are kept for the next start.

mod database;
mod disk;
mod findings;

use std::process::ExitCode;

use anyhow::Context;
use windlass_runtime::{Runtime, RuntimeSettings};

use self::findings::Findings;
use crate::assemble::runtime_settings;
use crate::settings::{Database, ServeArgs, Settings};
use crate::store;

/// The flags of `windlass check`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Checks settings, directories, database, disk and plugins; the exit code is 1 if anything would not work.
pub(crate) async fn check(args: CheckArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::resolve(args.serve)?;
    let mut findings = Findings::default();
    findings.ok("settings", format!("listen on {}, {} slots", settings.listen, settings.slots));
    let is_running = data_dir(&mut findings, &settings)?;
    match &settings.database {
        Database::Sqlite(path) => database::sqlite(&mut findings, path, is_running).await?,
        Database::Postgres(postgres) => database::postgres(&mut findings, postgres, is_running).await,
    }
    disk::room(&mut findings, &settings);
    plugins(&mut findings, &settings, is_running).await?;
    findings.print(args.json, &mut std::io::stdout().lock())?;
    Ok(if findings.is_fine() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns whether a daemon is running on it.
fn data_dir(findings: &mut Findings, settings: &Settings) -> anyhow::Result<bool> {
    let (subject, path) = ("data directory", settings.data_dir.display());
    if !settings.data_dir.is_dir() {
        findings.ok(subject, format!("{path} will be made"));
        return Ok(false);
    }
    let is_running = store::is_data_dir_in_use(&settings.data_dir)?;
    findings.ok(subject, if is_running { format!("{path}: a daemon is running on it") } else { path.to_string() });
    Ok(is_running)
}

async fn plugins(findings: &mut Findings, settings: &Settings, is_running: bool) -> anyhow::Result<()> {
    let path = settings.plugins.display();
    if !settings.plugins.is_dir() {
        findings.ok("plugins", format!("{path} will be made"));
        return Ok(());
    }
    let elsewhere = tempfile::tempdir().context("cannot make a temporary directory")?;
    let usual = runtime_settings(settings);
    let runtime = Runtime::new(RuntimeSettings {
        work_dir: elsewhere.path().join("work"),
        artifacts_dir: elsewhere.path().join("artifacts"),
        cache_dir: usual.cache_dir.clone().filter(|_| !is_running),
        ..usual
    })?;
    runtime.load_all().await;
    let tasks = runtime.tasks();
    if tasks.is_empty() {
        findings.ok("plugins", format!("none in {path}"));
    }
    for task in tasks {
        let subject = format!("plugin {}", task.name);
        match task.load_error {
            None => findings.ok(&subject, "loads"),
            Some(error) => {
                findings.fault(&subject, error.message, "mend it or take it away; the others work without it")
            }
        }
    }
    Ok(())
}
