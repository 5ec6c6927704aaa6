//! Whoever watches the export: is told how far it is, may cancel it, keeps its checkpoint. In production the job.

use windlass_guest::{Job, TaskError, cancelled};

use crate::resume::Checkpoint;

/// Asking for cancellation is a call out of the sandbox: not for each record.
const CANCEL_EVERY: u64 = 1_000;

pub(crate) trait Watch {
    fn report(&self, step: u32, percent: u8, info: String);
    fn is_cancelled(&self) -> bool;
    fn save(&self, checkpoint: &Checkpoint) -> Result<(), TaskError>;
    fn load(&self) -> Option<Checkpoint>;
}

impl Watch for Job {
    fn report(&self, step: u32, percent: u8, info: String) {
        self.progress().step(step).percent(percent).info(info).report();
    }

    fn is_cancelled(&self) -> bool {
        Self::is_cancelled(self)
    }

    fn save(&self, checkpoint: &Checkpoint) -> Result<(), TaskError> {
        self.save_checkpoint(checkpoint)
    }

    fn load(&self) -> Option<Checkpoint> {
        self.load_checkpoint()
    }
}

/// Tells about one step each time that a percent is done, and stops it when the job is cancelled.
pub(crate) struct Meter<'a> {
    watch: &'a dyn Watch,
    step: u32,
    told: Option<u8>,
    ticks: u64,
}

impl<'a> Meter<'a> {
    pub(crate) const fn new(watch: &'a dyn Watch, step: u32) -> Self {
        Self { watch, step, told: None, ticks: 0 }
    }

    /// One more record is done; `done` of `total` (records or bytes) in all.
    pub(crate) fn tick(&mut self, done: u64, total: u64, info: impl FnOnce() -> String) -> Result<(), TaskError> {
        if self.ticks.is_multiple_of(CANCEL_EVERY) && self.watch.is_cancelled() {
            return Err(cancelled());
        }
        self.ticks += 1;
        let percent = (u128::from(done.min(total)) * 100).checked_div(u128::from(total)).unwrap_or(100);
        let percent = u8::try_from(percent).unwrap_or(100);
        if self.told != Some(percent) {
            self.told = Some(percent);
            self.watch.report(self.step, percent, info());
        }
        Ok(())
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_have_separators() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(480_000), "480,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
