//! Sizes, spans and chains of errors as a person reads them.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

/// A size in the largest unit that leaves a number without a fraction, or with one digit: `256 MiB`, `1.5 MiB`, `700 B`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.into_iter().find(|(_, unit)| bytes >= *unit) {
        None => format!("{bytes} B"),
        Some((name, unit)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((name, unit)) => {
            let tenths = bytes.saturating_mul(10).div_ceil(unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
    }
}

/// A span: `250 ms`, `5 s`, `1 min 30 s`, `2 h`.
pub(crate) fn span(span: Duration) -> String {
    let ms = span.as_millis();
    if ms < 1_000 || (ms < 60_000 && !ms.is_multiple_of(1_000)) {
        return if ms < 1_000 { format!("{ms} ms") } else { format!("{}.{:03} s", ms / 1_000, ms % 1_000) };
    }
    let seconds = ms / 1_000;
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    said.join(" ")
}

/// An error with all its causes in one line, without saying the same twice.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            let _ = write!(text, ": {next}");
        }
        cause = error.source();
    }
    text
}

/// A guest's text as it may be kept: at most `max` bytes. Copies, so that a large buffer of the guest is not held by a short text.
pub(crate) fn kept(text: &str, max: usize) -> String {
    text[..text.floor_char_boundary(max)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(size(256 << 20), "256 MiB");
        assert_eq!(size((1 << 20) + 1), "1.1 MiB");
        assert_eq!(size(700), "700 B");
    }

    #[test]
    fn spans_read_well() {
        let said: Vec<_> = [250, 5_000, 1_500, 90_000, 7_200_000].map(|ms| span(Duration::from_millis(ms))).into();
        assert_eq!(said, ["250 ms", "5 s", "1.500 s", "1 min 30 s", "2 h"]);
    }

    #[test]
    fn a_kept_text_is_cut_between_characters() {
        assert_eq!(kept("aü", 2), "a");
    }
}
