//! `cargo xtask fuzz`: builds the fuzz targets with the stable compiler and runs them.
//!
//! The compiler instruments what it is told to, on any channel. Cargo lets a program stand between it and the compiler for the crates
//! of this workspace alone; that program is this one. So dependencies are those of every other build, and only our crates are built
//! again.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::shell::{cargo, program, root, run, target};

/// The targets.
const TARGETS: [&str; 5] = ["component", "describe", "enqueue", "grants", "schedule"];

/// What libFuzzer needs to see where an input leads.
const INSTRUMENTATION: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Runs one target or each of them for so many seconds.
pub(crate) fn fuzz(only: Option<&str>, seconds: u64) -> Result<()> {
    // The workspace as a whole, so that the libraries are built with the same features as everywhere.
    let mut build = cargo(&["build", "--workspace", "--features", "windlass-fuzz/libfuzzer"]);
    for name in TARGETS {
        build.args(["--bin", &format!("fuzz-{name}")]);
    }
    // A build of the whole workspace, such as the one before the tests, puts a new file in the place of the program that runs.
    let own = std::env::current_exe().ok().filter(|own| own.exists());
    build.env("RUSTC_WORKSPACE_WRAPPER", own.unwrap_or_else(|| target().join("debug/xtask")));
    run(build)?;
    for name in TARGETS.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let (ours, found) = (root().join("tests/fuzz"), target().join("fuzz").join(name));
        fs::create_dir_all(&found)?;
        let mut fuzzer = program(target().join(format!("debug/fuzz-{name}")), [&found, &ours.join("seeds").join(name)]);
        fuzzer.arg(format!("-dict={}", ours.join("tokens").join(name).display()));
        fuzzer.arg(format!("-artifact_prefix={}-", found.display()));
        fuzzer.arg(format!("-max_total_time={seconds}"));
        fuzzer.args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"]);
        // What it says is long, and of interest only when it found something.
        let log = found.with_extension("log");
        fuzzer.stderr(fs::File::create(&log)?);
        let passed = run(fuzzer);
        let said = fs::read_to_string(&log)?;
        passed.with_context(|| format!("the target {name} found something:\n{said}"))?;
        let inputs = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        println!(
            "{name}: {} inputs, and every promise held",
            inputs.context("the fuzzer did not say how many")?.trim()
        );
    }
    Ok(())
}

/// Stands in for the compiler if cargo called this program in its place, and says how that ended.
pub(crate) fn as_compiler() -> Option<Result<ExitCode>> {
    let mut args = std::env::args_os().skip(1);
    let compiler =
        args.next().filter(|first| std::path::Path::new(first).file_stem().is_some_and(|stem| stem == "rustc"))?;
    let args: Vec<_> = args.collect();
    let mut command = Command::new(&compiler);
    command.args(&args);
    // What runs while other crates are built runs without libFuzzer.
    let is_ours = |text: &str| text.starts_with("windlass") || text.starts_with("fuzz");
    let named = args.iter().position(|arg| arg == "--crate-name").and_then(|at| args.get(at + 1));
    let is_macro = args.iter().any(|arg| arg == "proc-macro");
    if !is_macro && named.and_then(|name| name.to_str()).is_some_and(is_ours) {
        command.args(INSTRUMENTATION);
    }
    let status = command.status().with_context(|| format!("cannot run {}", compiler.display()));
    Some(status.map(|status| if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}
