//! Words of the domain: ids, names, states and how a job goes from one to the next, retry, progress, schedules.
//!
//! Pure: no input or output, no clock, no async. A time is always given by the caller. Whatever decides what happens to
//! a job stands here; the store only writes it down and the engine only carries it out.

mod artifact;
mod attempt;
mod backoff;
mod bill;
mod event;
mod filter;
mod id;
mod job;
mod json;
mod key_value;
mod log;
mod name;
mod new_job;
mod operation;
mod progress;
mod queue;
mod schedule;
mod task;
mod time;
mod transition;
mod version;
mod worker;

pub use self::artifact::Artifact;
pub use self::attempt::{Attempt, AttemptError, AttemptOutcome, ErrorKind, UnknownErrorKind};
pub use self::backoff::{Backoff, BackoffError};
pub use self::bill::Bill;
pub use self::event::{EventKind, JobEvent};
pub use self::filter::{JobFilter, PageSize};
pub use self::id::{JobId, OperationId, WorkerId};
pub use self::job::{Job, JobState, Priority, PriorityError, UnknownState};
pub use self::json::{JsonText, JsonTextError};
pub use self::key_value::{KeyValueAct, KeyValueAnswer, KeyValueCall};
pub use self::log::{LogLine, LogStream, UnknownLogStream};
pub use self::name::{CalendarName, NameError, QueueName, ScheduleName, TaskName};
pub use self::new_job::{
    FinalStates, Idempotency, NewJob, OnFailure, Parent, RunAt, Submission, Unique, UniqueMode, UniqueRequest,
};
pub use self::operation::{Operation, OperationKind, UnknownOperationKind};
pub use self::progress::Progress;
pub use self::queue::{
    JobCounts, KeepTime, KeepTimeError, MaxRunning, MaxRunningError, Patch, QueueChange, QueueInfo, QueueKeep,
    QueueLimits, QueueSettings, Rate, RateError,
};
pub use self::schedule::{
    CLOCK_SLACK, Calendars, Count, CronLine, CronLineError, Decision, ExcludedDates, ExcludedDatesError, Fire,
    FireOrder, IntervalFrom, JobOptions, Missed, NeverReason, Next, NoCalendar, ON_TIME, Overlap, Runs, Schedule,
    ScheduleFault, ScheduleFaults, ScheduleState, Timing, When, Zone, ZoneError, ZoneTimeError,
};
pub use self::task::{DescriptionError, LoadError, TaskDefaults, TaskDescription, TaskInfo, TaskLimits, TaskVersion};
pub use self::time::{Timestamp, TimestampError};
pub use self::transition::{AttemptFacts, Bounds, Transition};
pub use self::version::{
    Arrival, ChangeReason, Placement, RollbackRefusal, TaskChange, TaskRecord, UnknownVersionWord, VersionRecord,
    VersionSource, WorkerTask,
};
pub use self::worker::Worker;
