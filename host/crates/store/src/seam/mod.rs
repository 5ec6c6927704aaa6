//! The seams, one for each user of the store.
//!
//! `now` is `None` in production: then the database's clock counts, the only one that all workers share. Tests give a time.

mod directory;
mod inbox;
mod janitor;
mod operations;
mod queue;
mod queues;
mod upkeep;

pub use self::directory::{JobDirectory, JobPage};
pub use self::inbox::{Added, CancelOutcome, JobInbox, Refusal, RetryOutcome, Submitted};
pub use self::janitor::Janitor;
pub use self::operations::{OperationStep, Operations};
pub use self::queue::{Claimed, FinishOutcome, Finished, JobQueue, StepReport};
pub use self::queues::QueueBoard;
pub use self::upkeep::{Beat, Upkeep, WorkerSlot};
