//! The same random operations against a small model in memory and against a database; every answer, and every job after every
//! operation, must be the same.

mod drive;
mod operation;
mod reference;

use std::rc::Rc;

use proptest::collection::vec;
use proptest::test_runner::{Config, TestRunner};

use self::operation::operation;
use crate::fixture::{Fixture, Store};

/// How many operations one case has at most, and how many cases there are for each database.
const OPERATIONS: usize = 60;
const CASES: u32 = 48;

/// Runs the cases. `prepare` returns a database that holds nothing.
pub(crate) fn check<S: Store>(prepare: impl AsyncFn() -> Rc<Fixture<S>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // What `prepare` keeps may have connections, which are closed within a runtime.
    let _entered = runtime.enter();
    let config = Config { cases: cases(), max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    let run = |operations: Vec<operation::Operation>| {
        runtime.block_on(async { drive::drive(&*prepare().await, &operations).await });
        Ok(())
    };
    let result = TestRunner::new(config).run(&vec(operation(), 1..OPERATIONS), run);
    drop(prepare);
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// More of them by hand: `WINDLASS_MODEL_CASES=2000`.
#[expect(clippy::disallowed_methods, reason = "how long a test tries is not a setting of the daemon")]
fn cases() -> u32 {
    std::env::var("WINDLASS_MODEL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}
