//! What was found, and how it is told.

use std::io::{self, Write};

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, but not as well or not for long.
    Warning,
    /// It does not work, or a promise does not hold.
    Fault,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) subject: String,
    pub(super) level: Level,
    pub(super) is_fine: bool,
    pub(super) text: String,
    /// What to do about it; absent if all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

/// An error with its causes in one line, without saying the same twice.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string);
    causes.fold(error.to_string(), |said, cause| if said.ends_with(&cause) { said } else { format!("{said}: {cause}") })
}

/// All that was found, in order.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, subject: &str, text: impl Into<String>) {
        self.add(Level::Ok, subject, text.into(), None);
    }

    pub(super) fn warning(&mut self, subject: &str, text: impl Into<String>, remedy: impl Into<String>) {
        self.add(Level::Warning, subject, text.into(), Some(remedy.into()));
    }

    pub(super) fn fault(&mut self, subject: &str, text: impl Into<String>, remedy: impl Into<String>) {
        self.add(Level::Fault, subject, text.into(), Some(remedy.into()));
    }

    fn add(&mut self, level: Level, subject: &str, text: String, remedy: Option<String>) {
        self.0.push(Finding { subject: subject.to_owned(), level, is_fine: level != Level::Fault, text, remedy });
    }

    /// Whether a daemon would work.
    pub(super) fn is_fine(&self) -> bool {
        self.0.iter().all(|finding| finding.is_fine)
    }

    /// Writes them for a person, or as one JSON document.
    pub(super) fn print(&self, is_json: bool, out: &mut impl Write) -> io::Result<()> {
        if is_json {
            return writeln!(out, "{}", serde_json::json!({ "is_fine": self.is_fine(), "findings": self.0 }));
        }
        for Finding { subject, level, text, remedy, .. } in &self.0 {
            let mark = match level {
                Level::Ok => "ok   ",
                Level::Warning => "WARN ",
                Level::Fault => "FAULT",
            };
            writeln!(out, "{mark} {subject}: {text}")?;
            if let Some(remedy) = remedy {
                writeln!(out, "      do: {remedy}")?;
            }
        }
        Ok(())
    }
}
