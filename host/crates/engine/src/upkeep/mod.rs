//! Loops that look at the database and set it right. They take no input: a pass does the same whether a timer, a wake-up or a
//! test asked for it, does a bounded amount of work, and may be done by every worker at once.

mod heartbeat;
mod janitor;
mod lost_claims;
mod operator;
mod promoter;
mod rescuer;
mod shelver;
mod sweeper;

pub(crate) use self::heartbeat::Heartbeat;
pub(crate) use self::janitor::Janitor;
pub(crate) use self::lost_claims::LostClaims;
pub(crate) use self::operator::Operator;
pub(crate) use self::promoter::Promoter;
pub(crate) use self::rescuer::Rescuer;
pub(crate) use self::shelver::Shelver;
pub(crate) use self::sweeper::Sweeper;
