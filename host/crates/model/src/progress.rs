//! How far a job is: the three fields that a person watches.

use serde::{Deserialize, Serialize};

/// How far a job is. An absent field has not been told yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// 0 to 100.
    pub percent_complete: Option<u8>,
    /// Which step the job is at, counted as its plugin likes.
    pub task_step: Option<u32>,
    /// What is going on, in words.
    pub status_info: Option<String>,
}

impl Progress {
    /// How many bytes of `status_info` are kept: a line for a person, not a second output.
    pub const STATUS_INFO_MAX: usize = 1_024;

    /// Takes a guest's report into what was told before, and says whether it moved to another step.
    ///
    /// What the report leaves out keeps its value. A percentage above 100 counts as 100, and within a step a smaller one
    /// is ignored.
    pub fn absorb(&mut self, report: Self) -> bool {
        let moved = report.task_step.is_some() && report.task_step != self.task_step;
        if let Some(percent) = report.percent_complete {
            let percent = percent.min(100);
            let floor = if moved { 0 } else { self.percent_complete.unwrap_or(0) };
            self.percent_complete = Some(percent.max(floor));
        }
        if moved {
            self.task_step = report.task_step;
        }
        if let Some(mut info) = report.status_info {
            info.truncate(info.floor_char_boundary(Self::STATUS_INFO_MAX));
            self.status_info = Some(info);
        }
        moved
    }

    /// Whether nothing has been told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(percent: Option<u8>, step: Option<u32>, info: Option<&str>) -> Progress {
        Progress { percent_complete: percent, task_step: step, status_info: info.map(str::to_owned) }
    }

    #[test]
    fn what_a_report_leaves_out_keeps_its_value() {
        let mut progress = report(Some(10), Some(1), Some("reading"));
        assert!(!progress.absorb(report(Some(20), None, None)));
        assert_eq!(progress, report(Some(20), Some(1), Some("reading")));
    }

    #[test]
    fn a_percentage_above_100_counts_as_100() {
        let mut progress = Progress::default();
        progress.absorb(report(Some(250), None, None));
        assert_eq!(progress.percent_complete, Some(100));
    }

    #[test]
    fn progress_does_not_go_back_within_a_step() {
        let mut progress = report(Some(60), Some(1), None);
        progress.absorb(report(Some(40), Some(1), None));
        assert_eq!(progress.percent_complete, Some(60));
    }

    #[test]
    fn another_step_may_start_lower() {
        let mut progress = report(Some(100), Some(1), None);
        assert!(progress.absorb(report(Some(0), Some(2), None)));
        assert_eq!(progress, report(Some(0), Some(2), None));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut progress = Progress::default();
        progress.absorb(report(None, None, Some(&"ü".repeat(1_000))));
        assert_eq!(progress.status_info.unwrap().len(), 1_024);
    }
}
