//! `windlass check`: says what `serve` with the same settings would do, and changes nothing but the component cache and, where an older
//! version wrote it, the schema of the database.

use std::io::Write;
use std::process::ExitCode;

use windlass_runtime::Runtime;
use windlass_store::SqliteStore;

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

/// What was found, in order.
#[derive(Default)]
struct Findings(Vec<Finding>);

#[derive(serde::Serialize)]
struct Finding {
    subject: String,
    is_fine: bool,
    text: String,
}

/// Checks settings, directories, database and plugins; the exit code is 1 if anything would not work.
pub(crate) async fn check(args: CheckArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::resolve(args.serve)?;
    let mut findings = Findings::default();
    findings.fine("settings", format!("listen on {}, {} slots", settings.listen, settings.slots));
    findings.data_dir(&settings);
    findings.database(&settings).await;
    findings.plugins(&settings).await?;
    let Findings(findings) = findings;
    let is_fine = findings.iter().all(|finding| finding.is_fine);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::json!({ "is_fine": is_fine, "findings": findings }))?;
    } else {
        for Finding { subject, is_fine, text } in &findings {
            writeln!(out, "{} {subject}: {text}", if *is_fine { "ok   " } else { "FAULT" })?;
        }
    }
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Findings {
    fn fine(&mut self, subject: &str, text: impl Into<String>) {
        self.0.push(Finding { subject: subject.to_owned(), is_fine: true, text: text.into() });
    }

    fn fault(&mut self, subject: &str, text: impl Into<String>) {
        self.0.push(Finding { subject: subject.to_owned(), is_fine: false, text: text.into() });
    }

    fn data_dir(&mut self, settings: &Settings) {
        let path = settings.data_dir.display();
        if !settings.data_dir.is_dir() {
            return self.fine("data directory", format!("{path} will be made"));
        }
        match store::lock_data_dir(&settings.data_dir) {
            Ok(_) => self.fine("data directory", path.to_string()),
            Err(error) => self.fault("data directory", format!("{error:#}")),
        }
    }

    async fn database(&mut self, settings: &Settings) {
        let Database::Sqlite(file) = &settings.database else { return };
        let path = file.display();
        if !file.exists() {
            return self.fine("database", format!("{path} will be made"));
        }
        match SqliteStore::open(file).await {
            Ok(store) => {
                self.fine("database", path.to_string());
                store.close().await;
            }
            Err(error) => self.fault("database", format!("{:#}", anyhow::Error::from(error))),
        }
    }

    async fn plugins(&mut self, settings: &Settings) -> anyhow::Result<()> {
        let path = settings.plugins.display();
        if !settings.plugins.is_dir() {
            self.fine("plugins", format!("{path} will be made"));
            return Ok(());
        }
        let runtime = Runtime::new(runtime_settings(settings))?;
        runtime.load_all().await;
        let tasks = runtime.tasks();
        if tasks.is_empty() {
            self.fine("plugins", format!("none in {path}"));
        }
        for task in tasks {
            let subject = format!("plugin {}", task.name);
            match task.load_error {
                None => self.fine(&subject, "loads"),
                Some(error) => self.fault(&subject, error.message),
            }
        }
        Ok(())
    }
}
