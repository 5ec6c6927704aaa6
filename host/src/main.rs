//! The binary `windlass`: the daemon, and the commands that talk to one.

mod assemble;
mod bench;
mod check;
mod cli;
#[cfg(feature = "failpoints")]
mod faults;
mod plugin;
mod run;
mod serve;
mod settings;
mod shutdown;
mod store;
mod telemetry;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let mut builder = match &command {
        // One thread: what it does not take is left to the daemon that it measures.
        Command::Bench(_) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::from(error).context("cannot start threads")),
    };
    let result = runtime.block_on(async {
        match command {
            Command::Serve(args) => serve::serve(args).await,
            Command::Run(args) => run::run(args).await,
            Command::Plugin(command) => plugin::run(command).await,
            Command::Check(args) => check::check(args).await,
            Command::Bench(args) => bench::bench(args).await,
            command => cli::client::run(command).await,
        }
    });
    match result {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// Says what went wrong, each cause on a line of its own.
fn fail(error: &anyhow::Error) -> ExitCode {
    let mut text = format!("windlass: {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    // If even that cannot be written there is nobody to tell.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    ExitCode::FAILURE
}
