//! Where the queue is kept: seams, one for each user, and the databases behind them.
//!
//! A seam is a trait whose methods say what is atomic, what happens to a row that is missing or in another state, and
//! whether a call may be repeated; the conformance suite in `tests/conformance` has a case for each such sentence and runs
//! on every database.
//!
//! The store writes down what it is told. What a state means, and which one comes next, is decided in `windlass-model`.

mod dialect;
mod error;
mod facts;
mod failpoint;
mod postgres;
mod record;
mod row;
mod seam;
mod sql;
mod sqlite;
mod statement;
mod value;

pub use self::error::{DriverError, StoreError};
pub use self::facts::{PostgresFacts, SchemaFact, SqliteFacts};
pub use self::failpoint::FailPoint;
pub use self::postgres::{PostgresOpenError, PostgresSettings, PostgresStore, ScratchDatabase};
pub use self::seam::{
    Added, Beat, CancelOutcome, ChangeFeed, ChangeSource, Changes, Claimed, Claiming, FinishOutcome, Finished, Janitor,
    JobDirectory, JobInbox, JobPage, JobQueue, KeyValues, Ledger, Lifecycle, NewVersion, Offer, OperationStep,
    Operations, Published, QueueBoard, Refusal, RetryOutcome, Rollback, RollbackOutcome, SliceSpans, Slices,
    StepReport, Submitted, TaskRoom, Upkeep, VersionShelf, WorkerSlot,
};
pub use self::sqlite::{SqliteOpenError, SqliteStore};
