//! The project's own commands. `cargo xtask demo` and `cargo xtask test` do all the set-up they need, and each may be run again.

#![expect(clippy::print_stdout, reason = "a command for developers talks to its terminal")]

mod bench;
mod browser;
mod cron;
mod dashboard;
mod data;
mod demo;
mod faults;
mod fuzz;
mod hostile;
mod mirror;
mod npm;
mod packages;
mod peers;
mod plugins;
mod pooler;
mod shell;
mod soak;
mod test;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds everything, starts a daemon on SQLite and watches a real export.
    Demo {
        /// End when the export is over, in place of serving on.
        #[arg(long)]
        exit: bool,
    },
    /// Formatting, lints, docs and all tests: what CI runs.
    Test,
    /// Compares our cron lines with an independent implementation, on lines made up at random.
    Cron {
        /// `--lines N`, `--seed N`: see `--help` behind `--`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Hurts real daemons and their databases, and looks whether the queue kept its promises.
    Faults {
        /// `--minutes N`, `--database sqlite|postgres`, `--scenario NAME`, `--seed N`: see `--help` behind `--`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Runs very many jobs on one daemon, with hot swaps and hostile plugins in between, and looks whether its memory stays flat.
    Soak {
        /// On the daemon as it is shipped: takes minutes to build, and is many times as quick.
        #[arg(long)]
        release: bool,
        /// `--jobs N`, 100000 without it: see `--help` behind `--`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Counts the instructions of what every job passes through, and runs each scenario of `windlass bench` for a short while, as
    /// shipped: takes minutes to build.
    Bench {
        /// Further flags for each scenario, such as `--database-url URL`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Installs the peers from their registries, runs them and Windlass in turns, and says how they compare.
    Peers {
        /// `--jobs N`, `--rounds R`, `--only NAME,NAME`, `--json`: see `--help` behind `--`, and tests/bench/README.md.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Feeds all that parses bytes from outside with what a fuzzer makes up.
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only this target.
        #[arg(long)]
        target: Option<String>,
    },
    /// Builds the dashboard into target/dashboard, from where the daemon's next build embeds it.
    Dashboard,
    /// Runs the dashboard's tests in a browser, with the daemon that `cargo build --workspace` made.
    Browser {
        /// For Playwright, such as the name of a file, `--grep WORDS` or `--headed`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Builds the gallery into target/plugins and the tests' guests into target/guests.
    Plugins,
    /// Makes the target wasm32-wasip2 available.
    Wasm {
        /// Skip rustup and take the distribution's packages.
        #[arg(long)]
        from_packages: bool,
        /// Install into this sysroot in place of the toolchain's own.
        #[arg(long, requires = "from_packages")]
        sysroot: Option<std::path::PathBuf>,
    },
    /// Gets the demo's records into target/data.
    Data,
}

fn main() -> Result<ExitCode> {
    match fuzz::as_compiler() {
        Some(ended) => ended,
        None => command().map(|()| ExitCode::SUCCESS),
    }
}

fn command() -> Result<()> {
    match Xtask::parse().command {
        Command::Demo { exit } => demo::demo(exit),
        Command::Test => test::test(),
        Command::Cron { flags } => cron::cron(&flags),
        Command::Faults { flags } => faults::faults(&flags),
        Command::Bench { flags } => bench::bench(&flags),
        Command::Soak { release, flags } => soak::soak(release, &flags),
        Command::Peers { flags } => peers::peers(&flags),
        Command::Fuzz { seconds, target } => fuzz::fuzz(target.as_deref(), seconds),
        Command::Dashboard => dashboard::build(),
        Command::Browser { flags } => browser::run_built(&flags),
        Command::Plugins => plugins::build(),
        Command::Wasm { from_packages: true, sysroot } => wasm::install_from_packages(sysroot),
        Command::Wasm { .. } => wasm::install(),
        Command::Data => data::fetch().map(drop),
    }
}
