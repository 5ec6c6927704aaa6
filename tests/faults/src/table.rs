//! What is printed.

use crate::round::Report;

pub(crate) fn head() -> String {
    format!(
        "{:<26} {:>6} {:>5} {:>6} {:>7} {:>7}  {:<7} {}",
        "scenario", "jobs", "kills", "starts", "seconds", "to end", "verdict", "second starts and why; what else"
    )
}

pub(crate) fn line(name: &str, report: &Report) -> String {
    let verdict = match (&report.skipped, report.broken.is_empty()) {
        (Some(_), _) => "skipped",
        (None, true) => "kept",
        (None, false) => "BROKEN",
    };
    let explained: Vec<_> = report.explained.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let mut text = format!(
        "{name:<26} {:>6} {:>5} {:>6} {:>7.1} {:>6.1}s  {verdict:<7} {} ({})",
        report.jobs,
        report.kills,
        report.starts,
        report.took.as_secs_f64(),
        report.to_end.as_secs_f64(),
        report.second_starts,
        explained.join(", "),
    );
    for note in &report.notes {
        text.push_str(&format!("; {note}"));
    }
    for broken in &report.broken {
        text.push_str(&format!("\n    {broken}"));
    }
    text
}
