//! Telling how far the job is.
//!
//! ```no_run
//! # fn work(job: &windlass_guest::Job) {
//! job.progress().step(2).percent(40).info("Reading item 40 of 100").report();
//! job.progress().percent(41).report(); // the step and the text stay
//! # }
//! ```

use std::fmt::Display;

use crate::Job;
use crate::bindings::windlass::task::{job as host, task_types};

/// A report of progress in the making. What is not set keeps its value. Nothing is told before [`Report::report`].
#[must_use = "nothing is told before `.report()`"]
#[derive(Debug)]
pub struct Report<'a> {
    _job: &'a Job,
    percent: Option<u8>,
    step: Option<u32>,
    info: Option<String>,
}

impl<'a> Report<'a> {
    pub(crate) const fn new(job: &'a Job) -> Self {
        Self { _job: job, percent: None, step: None, info: None }
    }

    /// Which step the job is at. Each change of step is kept in the job's history.
    pub fn step(mut self, step: u32) -> Self {
        self.step = Some(step);
        self
    }

    /// How much is done, 0 to 100. Within a step it never goes back.
    pub fn percent(mut self, percent: u8) -> Self {
        self.percent = Some(percent);
        self
    }

    /// How much is done: `done` of `total`.
    pub fn of(self, done: u64, total: u64) -> Self {
        // In 128 bits: a hundred times a count of bytes may not fit 64.
        let percent = (u128::from(done.min(total)) * 100).checked_div(total.into()).unwrap_or(100);
        self.percent(u8::try_from(percent).unwrap_or(100))
    }

    /// What is going on, in words. 1,024 bytes are kept.
    pub fn info(mut self, info: impl Display) -> Self {
        self.info = Some(info.to_string());
        self
    }

    /// Tells it. Cheap: the daemon merges what comes too quickly.
    pub fn report(self) {
        host::report_progress(&task_types::Progress {
            percent_complete: self.percent,
            task_step: self.step,
            status_info: self.info,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_told_as_whole_percents_from_0_to_100() {
        let job = Job::new("id".to_owned());
        for (done, total, percent) in
            [(0, 3, 0), (2, 3, 66), (3, 3, 100), (4, 3, 100), (0, 0, 100), (u64::MAX / 2, u64::MAX, 49)]
        {
            assert_eq!(job.progress().of(done, total).percent, Some(percent), "{done} of {total}");
        }
    }
}
