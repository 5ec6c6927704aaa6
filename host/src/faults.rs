//! Faults that `cargo xtask faults` asks for. Compiled in with the feature `failpoints` alone.

use windlass_store::FailPoint;

/// Where the daemon is to die: `mid-finish=5`, when it comes there for the fifth time.
const FAIL_POINT: &str = "WINDLASS_FAILPOINT";

/// By how many milliseconds the host's clock is wrong.
const CLOCK: &str = "WINDLASS_CLOCK_WRONG_MS";

/// Arms what the environment asks for.
#[expect(clippy::disallowed_methods, reason = "a fault is no setting, and no daemon that is released has this code")]
pub(crate) fn arm() -> anyhow::Result<()> {
    if let Ok(spec) = std::env::var(FAIL_POINT) {
        FailPoint::arm(&spec).map_err(|fault| anyhow::anyhow!("{FAIL_POINT}: {fault}"))?;
    }
    if let Ok(by_ms) = std::env::var(CLOCK) {
        windlass_engine::set_clock_wrong(by_ms.parse()?);
    }
    Ok(())
}
