//! What a peer says: one JSON object in a line, marks while it runs and what it found at its end.

use serde::Deserialize;

/// One line on a peer's standard output.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// A phase begins or is over.
    Mark {
        /// Which.
        mark: Mark,
    },
    /// What is in its database, after the drain.
    Found(Found),
}

/// Where a peer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    /// The first job is about to be enqueued.
    Enqueueing,
    /// All jobs are in.
    Enqueued,
    /// The workers are about to start.
    Draining,
    /// All jobs are done, or the time is over.
    Drained,
}

/// What is in a peer's database, after the drain.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Found {
    /// Jobs that are done, as the database has it.
    pub(crate) done: u64,
    /// Jobs that are not.
    pub(crate) left: u64,
    /// How often a handler ran; nothing when only the database can tell.
    pub(crate) handled: Option<u64>,
    /// How long after the mark its workers took the first job, in seconds: a server that had to be started for the drain.
    #[serde(default)]
    pub(crate) lead: f64,
}

/// Reads a line; nothing when it is not one of ours, such as a warning that a library prints.
pub(crate) fn read(line: &str) -> Option<Line> {
    serde_json::from_str(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_what_was_found_are_told_from_other_text() {
        assert_eq!(read(r#"{"mark":"drained"}"#), Some(Line::Mark { mark: Mark::Drained }));
        assert_eq!(read(r#"{"mark": "enqueueing"}"#), Some(Line::Mark { mark: Mark::Enqueueing }));
        let found = Found { done: 9, left: 1, handled: None, lead: 0.0 };
        assert_eq!(read(r#"{"done":9,"left":1,"handled":null}"#), Some(Line::Found(found)));
        let found = Found { done: 9, left: 1, handled: Some(9), lead: 0.25 };
        assert_eq!(read(r#"{"done":9,"left":1,"handled":9,"lead":0.25}"#), Some(Line::Found(found)));
        for other in ["", "warning: {}", r#"{"mark":"lunch"}"#, r#"{"done":-1,"left":1,"handled":9}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
