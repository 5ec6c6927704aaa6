//! `windlass bench`: how quick this program is here.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use windlass_bench::BenchArgs;

/// The exit code of a measurement that the database does not bear out.
const NOT_VERIFIED: u8 = 1;

pub(crate) async fn bench(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let common = args.scenario.common();
    let report = tokio::select! {
        report = windlass_bench::run(&args.scenario) => report?,
        // What was started and made is stopped and removed when the measurement is dropped.
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("cannot listen for Ctrl-C")?;
            return Ok(ExitCode::from(130));
        }
    };
    let text = if common.json { report.json() + "\n" } else { report.text() };
    std::io::stdout().lock().write_all(text.as_bytes()).context("cannot print the report")?;
    Ok(if report.is_verified() { ExitCode::SUCCESS } else { ExitCode::from(NOT_VERIFIED) })
}
