//! `windlass plugin check`: what a component imports, needs and says of itself, without a daemon.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};
use windlass_runtime::{Inspection, Runtime, RuntimeSettings};

use crate::assemble::runtime_settings;
use crate::settings::{ServeArgs, Settings};
use crate::telemetry;

/// The exit code for a component that cannot be served.
const UNFIT: u8 = 1;

/// The commands about component files.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum PluginCommand {
    /// Say what a component imports, what it needs, whether it fits here and what it says of itself. Exit code 1 if it could
    /// not be served.
    Check(PluginCheckArgs),
}

/// The flags of `windlass plugin check`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PluginCheckArgs {
    /// The component, NAME.wasm.
    file: PathBuf,
    /// Its grants file [default: NAME.toml beside it, if it is there].
    #[arg(long, value_name = "FILE")]
    grants: Option<PathBuf>,
    /// The data directory of the daemon that would serve it: relative paths of grants stand under it, and its windlass.toml has
    /// the limits [default: windlass-data].
    #[arg(long, env = "WINDLASS_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// That daemon's settings [default: windlass.toml in the data directory, if it is there].
    #[arg(long, env = "WINDLASS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: PluginCommand) -> anyhow::Result<ExitCode> {
    let PluginCommand::Check(args) = command;
    telemetry::start(None, "error")?;
    let given = ServeArgs { data_dir: args.data_dir, config: args.config, ..ServeArgs::default() };
    let scratch = tempfile::tempdir().context("cannot make a scratch directory")?;
    let runtime = Runtime::new(RuntimeSettings {
        plugins: scratch.path().join("plugins"),
        work_dir: scratch.path().join("work"),
        artifacts_dir: scratch.path().join("artifacts"),
        cache_dir: None,
        slots: 1,
        guest_threads: 1,
        ..runtime_settings(&Settings::resolve(given)?)
    })?;
    let found = runtime.inspect(&args.file, args.grants.as_deref()).await;
    let fits = found.faults.is_empty();
    let text = if args.json {
        let mut answer = serde_json::to_value(&found)?;
        answer["fits"] = json!(fits);
        format!("{answer:#}\n")
    } else {
        report(&found, &args.file.display().to_string())?
    };
    std::io::stdout().lock().write_all(text.as_bytes()).context("cannot print the answer")?;
    Ok(if fits { ExitCode::SUCCESS } else { ExitCode::from(UNFIT) })
}

/// For a person.
fn report(found: &Inspection, file: &str) -> anyhow::Result<String> {
    let mut text = match &found.digest {
        Some(digest) => format!("{file}: task `{}`, {} bytes, digest {digest}\n", found.task, found.bytes),
        None => format!("{file}\n"),
    };
    if !found.imports.is_empty() {
        text.push_str("\nimports\n");
        for import in &found.imports {
            let mark = if import.is_offered { "" } else { "   (this host does not have it)" };
            text.push_str(&format!("  {}{mark}\n", import.name));
        }
    }
    if let Some(pool) = &found.pool {
        text.push_str(&format!(
            "\ntakes of the pool\n  memories  {} of {}, the largest starts with {} bytes of {}\n  tables    {} of {}, the largest \
             starts with {} elements of {}\n",
            pool.memories,
            pool.memories_max,
            pool.memory_bytes,
            pool.memory_bytes_max,
            pool.tables,
            pool.tables_max,
            pool.table_elements,
            pool.table_elements_max
        ));
    }
    if let Some(described) = &found.description {
        text.push_str("\nsays of itself\n");
        text.push_str(&tree(&serde_json::to_value(described)?, 2));
    }
    for (title, value) in [("is granted", &found.grants), ("may use", &found.limits)] {
        if let Some(value) = value {
            let lines = tree(&serde_json::from_str(value.as_str())?, 2);
            let nothing = if lines.is_empty() { "  nothing\n" } else { "" };
            text.push_str(&format!("\n{title}\n{lines}{nothing}"));
        }
    }
    if let Some(lines) = &found.lacking {
        text.push_str(&format!("\nlacks these lines in {}.toml\n{lines}", found.task));
    }
    text.push_str(if found.faults.is_empty() { "\nIt fits.\n" } else { "\nIt cannot be served:\n" });
    for fault in &found.faults {
        text.push_str(&format!("  - {fault}\n"));
    }
    Ok(text)
}

/// JSON with a field a line, without what is empty.
fn tree(value: &Value, indent: usize) -> String {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(Value::is_null),
        _ => false,
    };
    let line = |name: &str, value: &Value| match value {
        Value::Object(_) | Value::Array(_) => format!("{:indent$}{name}\n{}", "", tree(value, indent + 2)),
        Value::String(text) => format!("{:indent$}{name}  {}\n", "", text.replace('\n', " ")),
        value => format!("{:indent$}{name}  {value}\n", ""),
    };
    match value {
        Value::Object(fields) => {
            fields.iter().filter(|(_, value)| !is_empty(value)).map(|(name, value)| line(name, value)).collect()
        }
        Value::Array(list) => list.iter().map(|value| line("-", value)).collect(),
        _ => String::new(),
    }
}
