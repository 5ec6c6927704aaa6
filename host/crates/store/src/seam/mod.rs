//! The seams, one for each user of the store.
//!
//! A NUL in a text (of a log, an error, a filter) becomes U+FFFD, because PostgreSQL keeps none. JSON is kept byte for byte, also
//! where it has the escape of one.
//!
//! `now` is `None` in production: then the database's clock counts, the only one that all workers share. Tests give a time.

mod changes;
mod directory;
mod inbox;
mod janitor;
mod key_values;
mod ledger;
mod operations;
mod queue;
mod queues;
mod upkeep;
mod versions;

pub use self::changes::{ChangeFeed, ChangeSource, Changes};
pub use self::directory::{JobDirectory, JobPage};
pub use self::inbox::{Added, CancelOutcome, JobInbox, Refusal, RetryOutcome, Submitted};
pub use self::janitor::Janitor;
pub use self::key_values::KeyValues;
pub use self::ledger::{Ledger, Lifecycle, SliceSpans, Slices};
pub use self::operations::{OperationStep, Operations};
pub use self::queue::{Claimed, Claiming, FinishOutcome, Finished, JobQueue, Offer, StepReport, TaskRoom};
pub use self::queues::QueueBoard;
pub use self::upkeep::{Beat, Upkeep, WorkerSlot};
pub use self::versions::{NewVersion, Published, Rollback, RollbackOutcome, VersionShelf};
