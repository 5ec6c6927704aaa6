//! Reports of progress. Always granted. Bounded: those that come too fast are merged, and the last one counts.

use windlass_model::Progress;

use crate::meter::Rate;

/// The reports of one attempt.
#[derive(Debug)]
pub(crate) struct ProgressMeter {
    rate: Rate,
    /// What came too fast and has not been told, merged.
    held: Option<Progress>,
    merged: u64,
}

impl ProgressMeter {
    pub(crate) fn new(per_second: u64) -> Self {
        Self { rate: Rate::new(per_second), held: None, merged: 0 }
    }

    /// Takes a report, and returns what is to be told now.
    pub(crate) fn take(&mut self, report: Progress) -> Option<Progress> {
        let report = match self.held.take() {
            Some(held) => newer(held, report),
            None => report,
        };
        if self.rate.take() {
            return Some(report);
        }
        self.merged += 1;
        self.held = Some(report);
        None
    }

    /// What has not been told when the guest has ended, and how many reports were merged.
    pub(crate) fn finish(&mut self) -> (Option<Progress>, u64) {
        (self.held.take(), self.merged)
    }
}

/// Two reports as one. A percentage belongs to its step.
fn newer(before: Progress, after: Progress) -> Progress {
    let moved = after.task_step.is_some() && after.task_step != before.task_step;
    Progress {
        percent_complete: after.percent_complete.or(before.percent_complete.filter(|_| !moved)),
        task_step: after.task_step.or(before.task_step),
        status_info: after.status_info.or(before.status_info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: u32) -> Progress {
        Progress { task_step: Some(step), ..Progress::default() }
    }

    #[test]
    fn reports_that_come_too_fast_are_merged_and_the_last_is_told_at_the_end() {
        let mut meter = ProgressMeter::new(1);
        let told = (0..1_000).filter_map(|n| meter.take(step(n))).count();
        assert!((10..12).contains(&told), "{told}");
        let (last, merged) = meter.finish();
        assert_eq!((last, merged), (Some(step(999)), 1_000 - told as u64));
    }

    #[test]
    fn a_merged_report_keeps_what_the_later_one_leaves_out() {
        let info = Progress { status_info: Some("reading".to_owned()), percent_complete: Some(50), ..step(1) };
        assert_eq!(newer(info.clone(), step(1)), info);
        assert_eq!(newer(info, step(2)), Progress { status_info: Some("reading".to_owned()), ..step(2) });
    }
}
