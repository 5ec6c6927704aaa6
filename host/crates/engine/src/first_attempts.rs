//! How the first attempts of each version end on this worker, so that a version that only traps is rolled back by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use windlass_model::{AttemptOutcome, ErrorKind, TaskName};

/// What the end of an attempt says of the version that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It broke: it trapped, or wanted more memory than it may have, which most languages end by a trap too.
    Broke,
    /// Its code came to an end of its own, good or bad, or ran until its time was over.
    Ran,
    /// Nothing: the daemon ended it, or never began.
    Nothing,
}

/// Counts, for the version of each task that is served. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct FirstAttempts(Arc<Mutex<HashMap<TaskName, Count>>>);

struct Count {
    digest: String,
    broken: u32,
    /// An attempt ended otherwise, so nothing is counted any more.
    is_sound: bool,
}

impl Sign {
    pub(crate) fn of(outcome: &AttemptOutcome) -> Self {
        match outcome {
            AttemptOutcome::Failed(error) if matches!(error.kind, ErrorKind::Trap | ErrorKind::OutOfMemory) => {
                Self::Broke
            }
            AttemptOutcome::Failed(_)
            | AttemptOutcome::Completed(_)
            | AttemptOutcome::Snoozed(_)
            | AttemptOutcome::Cancelled => Self::Ran,
            AttemptOutcome::Interrupted | AttemptOutcome::HostFault(_) => Self::Nothing,
        }
    }
}

impl FirstAttempts {
    /// Counts an attempt of the version that is served, and returns how many have ended if all of them broke.
    pub(crate) fn count(&self, task: &TaskName, digest: &str, sign: Sign) -> Option<u32> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Count { digest: digest.to_owned(), broken: 0, is_sound: false };
        let count = counts.entry(task.clone()).or_insert_with(new);
        if count.digest != digest {
            *count = new();
        }
        match sign {
            Sign::Broke => count.broken = count.broken.saturating_add(1),
            Sign::Ran => count.is_sound = true,
            Sign::Nothing => (),
        }
        (!count.is_sound && sign == Sign::Broke).then_some(count.broken)
    }

    /// Whether no more attempts of this version are counted: it is sound, or nothing can be done about it.
    pub(crate) fn are_over(&self, task: &TaskName, digest: &str) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(task).is_some_and(|count| count.is_sound && count.digest == digest)
    }

    /// Counts no more attempts of a version: nothing can be done about it.
    pub(crate) fn give_up(&self, task: &TaskName, digest: &str) {
        self.count(task, digest, Sign::Ran);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_all_of_whose_attempts_broke_is_told_of() {
        let task = TaskName::parse("a").unwrap();
        let first = FirstAttempts::default();
        assert_eq!(first.count(&task, "1", Sign::Broke), Some(1));
        assert_eq!(first.count(&task, "1", Sign::Nothing), None);
        assert_eq!(first.count(&task, "1", Sign::Broke), Some(2));
        assert_eq!(first.count(&task, "2", Sign::Broke), Some(1), "another version begins anew");
        assert!(!first.are_over(&task, "2"));
        assert_eq!(first.count(&task, "2", Sign::Ran), None);
        assert!(first.are_over(&task, "2") && !first.are_over(&task, "1"));
        assert_eq!(first.count(&task, "2", Sign::Broke), None, "it has run before");
    }

    #[test]
    fn a_trap_and_memory_that_ran_out_count_and_what_the_daemon_did_does_not() {
        let failed = |kind| Sign::of(&AttemptOutcome::Failed(windlass_model::AttemptError::new(kind, "so")));
        assert_eq!([failed(ErrorKind::Trap), failed(ErrorKind::OutOfMemory)], [Sign::Broke; 2]);
        assert_eq!([failed(ErrorKind::Retryable), failed(ErrorKind::Timeout)], [Sign::Ran; 2]);
        assert_eq!(Sign::of(&AttemptOutcome::Interrupted), Sign::Nothing);
        assert_eq!(Sign::of(&AttemptOutcome::HostFault("full".to_owned())), Sign::Nothing);
    }
}
