//! The versions of a task: which is in service, which was before it, and what a change makes of that.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::{TaskName, Timestamp, WorkerId};

/// By which way a version came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionSource {
    /// It is a file of a plugins directory: served by the daemons that have a file of the task's name.
    Directory,
    /// Somebody sent it: served by every daemon of the database.
    Upload,
}

/// Why a task's history has an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeReason {
    /// A file of a plugins directory was new or changed.
    Directory,
    /// Somebody sent a component.
    Upload,
    /// Somebody went back to an earlier version.
    Rollback,
    /// The version trapped on its first attempts.
    AutoRollback,
    /// Somebody pinned the version in service.
    Pin,
    /// Somebody lifted the pin.
    Unpin,
    /// Somebody took the task out of service.
    Delete,
}

/// A text that names no source of a version or no reason of a change.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not known here")]
pub struct UnknownVersionWord(String);

/// A task as the database knows it: the word on what is in service, the same for all daemons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRecord {
    /// Its name.
    pub task: TaskName,
    /// The version in service; absent if the task was deleted.
    pub digest: Option<String>,
    /// By which way the version in service came.
    pub source: Option<VersionSource>,
    /// The version that was in service before: where a rollback goes.
    pub previous: Option<String>,
    /// Whether nothing but a person changes what is in service.
    pub is_pinned: bool,
    /// What put the version in service, or took the task out of it.
    pub reason: Option<ChangeReason>,
}

/// A version that the database knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRecord {
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The size of the component.
    pub bytes: u64,
    /// By which way it came; the last one, if it came by both.
    pub source: VersionSource,
    /// When it came first.
    pub uploaded_at: Timestamp,
    /// Who sent it, as far as is known.
    pub uploaded_by: Option<String>,
    /// The version that its author gave it.
    pub author_version: Option<String>,
    /// Whether the component itself is still kept; only then can it be put in service.
    pub is_kept: bool,
}

/// An entry of a task's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskChange {
    /// When.
    pub at: Timestamp,
    /// What was in service before.
    pub from: Option<String>,
    /// What is in service from then on.
    pub to: Option<String>,
    /// Why.
    pub reason: ChangeReason,
    /// In words.
    pub message: String,
}

/// What a worker serves of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerTask {
    /// The worker.
    pub worker: WorkerId,
    /// The task.
    pub task: TaskName,
    /// The version that it serves.
    pub digest: Option<String>,
    /// Why it does not serve the one that it should.
    pub load_error: Option<String>,
}

/// How a version comes to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A file that a daemon found when it started. It says nothing new if its version is known: somebody may have gone back since.
    FoundAtStart,
    /// A file that came or changed while a daemon ran: somebody wants it now.
    Changed,
    /// Somebody sent it.
    Uploaded,
}

/// What becomes of a version that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// It goes into service.
    PutInService,
    /// It is in service already.
    InServiceAlready,
    /// It is kept and does not go into service, because the task is pinned.
    HeldByPin,
    /// It was known before, and something else, or nothing, was put in service since.
    Superseded,
}

/// Why a task does not go back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackRefusal {
    /// The task is pinned.
    #[error("the task is pinned to the version in service: unpin it first")]
    Pinned,
    /// There is no version before the one in service.
    #[error("no other version was in service before: name the one to go back to")]
    NoVersionBefore,
    /// The version is not known, or its component is not kept any more.
    #[error("the version {0} is not kept: `versions` lists those that are")]
    NotKept(String),
    /// The version is in service already.
    #[error("the version {0} is in service already")]
    InServiceAlready(String),
    /// Somebody changed what is in service meanwhile.
    #[error("another version has been put in service meanwhile")]
    Overtaken,
}

impl Arrival {
    /// By which way the version came.
    #[must_use]
    pub const fn source(self) -> VersionSource {
        match self {
            Self::FoundAtStart | Self::Changed => VersionSource::Directory,
            Self::Uploaded => VersionSource::Upload,
        }
    }

    /// Why it goes into service.
    #[must_use]
    pub const fn reason(self) -> ChangeReason {
        match self {
            Self::FoundAtStart | Self::Changed => ChangeReason::Directory,
            Self::Uploaded => ChangeReason::Upload,
        }
    }
}

impl TaskRecord {
    /// A task of which nothing is in service.
    #[must_use]
    pub const fn new(task: TaskName) -> Self {
        Self { task, digest: None, source: None, previous: None, is_pinned: false, reason: None }
    }

    /// What becomes of a version that came. `is_known`: whether this task has had it before.
    #[must_use]
    pub fn place(&self, digest: &str, arrival: Arrival, is_known: bool) -> Placement {
        if self.digest.as_deref() == Some(digest) {
            Placement::InServiceAlready
        } else if is_known && arrival == Arrival::FoundAtStart {
            Placement::Superseded
        } else if self.is_pinned {
            Placement::HeldByPin
        } else {
            Placement::PutInService
        }
    }

    /// The task with this version in service. What is in service now is where a rollback goes.
    #[must_use]
    pub fn serving(self, digest: String, source: VersionSource, reason: ChangeReason) -> Self {
        let previous = self.digest.filter(|before| *before != digest);
        Self { digest: Some(digest), source: Some(source), previous, reason: Some(reason), ..self }
    }

    /// The task out of service. Its components go with it, so there is nothing to go back to.
    #[must_use]
    pub fn deleted(self) -> Self {
        Self { reason: Some(ChangeReason::Delete), ..Self::new(self.task) }
    }

    /// Where a rollback goes. `to`: the version that somebody named, in place of the one before.
    pub fn rollback_target(&self, to: Option<&str>) -> Result<String, RollbackRefusal> {
        if self.is_pinned {
            return Err(RollbackRefusal::Pinned);
        }
        let target = to.or(self.previous.as_deref()).ok_or(RollbackRefusal::NoVersionBefore)?;
        match self.digest.as_deref() {
            Some(digest) if digest == target => Err(RollbackRefusal::InServiceAlready(target.to_owned())),
            _ => Ok(target.to_owned()),
        }
    }

    /// Whether a version that traps on its first attempts may be rolled back by itself: only one that came as something new. What a
    /// rollback put in service stays, so that two broken versions do not take turns for ever.
    #[must_use]
    pub fn may_roll_back_by_itself(&self, digest: &str) -> bool {
        !self.is_pinned
            && self.digest.as_deref() == Some(digest)
            && self.previous.is_some()
            && matches!(self.reason, Some(ChangeReason::Directory | ChangeReason::Upload))
    }
}

/// Gives an enum its names in SQL and JSON.
macro_rules! words {
    ($kind:ident: $($name:ident = $text:literal),* $(,)?) => {
        impl $kind {
            /// The name in SQL and JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $kind {
            type Err = UnknownVersionWord;

            fn from_str(raw: &str) -> Result<Self, Self::Err> {
                match raw {
                    $($text => Ok(Self::$name),)*
                    _ => Err(UnknownVersionWord(raw.to_owned())),
                }
            }
        }
    };
}

words!(VersionSource: Directory = "directory", Upload = "upload");
words!(ChangeReason:
    Directory = "directory", Upload = "upload", Rollback = "rollback", AutoRollback = "auto_rollback", Pin = "pin",
    Unpin = "unpin", Delete = "delete",
);

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(digest: &str) -> TaskRecord {
        let task = TaskRecord::new(TaskName::parse("export").unwrap());
        task.serving(digest.to_owned(), VersionSource::Directory, ChangeReason::Directory)
    }

    fn then(record: TaskRecord, digest: &str) -> TaskRecord {
        record.serving(digest.to_owned(), VersionSource::Upload, ChangeReason::Upload)
    }

    #[test]
    fn a_new_version_goes_into_service_by_every_way() {
        for arrival in [Arrival::FoundAtStart, Arrival::Changed, Arrival::Uploaded] {
            assert_eq!(serving("a").place("b", arrival, false), Placement::PutInService);
            assert_eq!(serving("a").place("a", arrival, true), Placement::InServiceAlready);
        }
    }

    #[test]
    fn a_file_that_is_known_says_nothing_at_the_start_and_what_is_wanted_later() {
        let record = then(serving("a"), "b");
        assert_eq!(record.place("a", Arrival::FoundAtStart, true), Placement::Superseded);
        assert_eq!(record.place("a", Arrival::Changed, true), Placement::PutInService);
        assert_eq!(record.place("a", Arrival::Uploaded, true), Placement::PutInService);
        assert_eq!(record.deleted().place("b", Arrival::FoundAtStart, true), Placement::Superseded);
    }

    #[test]
    fn a_pin_holds_what_comes_and_a_rollback() {
        let record = TaskRecord { is_pinned: true, ..then(serving("a"), "b") };
        assert_eq!(record.place("c", Arrival::Uploaded, false), Placement::HeldByPin);
        assert_eq!(record.place("c", Arrival::FoundAtStart, false), Placement::HeldByPin);
        assert_eq!(record.rollback_target(None), Err(RollbackRefusal::Pinned));
        assert!(!record.may_roll_back_by_itself("b"));
    }

    #[test]
    fn a_rollback_goes_to_the_version_before_and_a_second_one_comes_back() {
        let record = then(serving("a"), "b");
        assert_eq!(record.rollback_target(None).unwrap(), "a");
        let back = record.serving("a".to_owned(), VersionSource::Directory, ChangeReason::Rollback);
        assert_eq!(back.rollback_target(None).unwrap(), "b");
        assert_eq!(serving("a").rollback_target(None), Err(RollbackRefusal::NoVersionBefore));
        assert_eq!(serving("a").rollback_target(Some("a")), Err(RollbackRefusal::InServiceAlready("a".to_owned())));
    }

    #[test]
    fn only_what_came_as_something_new_rolls_back_by_itself() {
        let record = then(serving("a"), "b");
        assert!(record.may_roll_back_by_itself("b"));
        assert!(!record.may_roll_back_by_itself("a"), "another version is in service meanwhile");
        assert!(!serving("a").may_roll_back_by_itself("a"), "there is none before it");
        let back = record.serving("a".to_owned(), VersionSource::Upload, ChangeReason::AutoRollback);
        assert!(!back.may_roll_back_by_itself("a"));
    }
}
