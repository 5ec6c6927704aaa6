//! Jobs that are claimed and have no slot yet: as many as the slots take in a moment, so that a slot which becomes free need not wait
//! for the database, and no more, so that no job lies here that another worker could run.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use windlass_model::Job;

use crate::running::Signals;
use crate::slots::Claim;

/// How far the buffer reaches: what the slots took in the last such span is what they will take in the next. A claim takes a few
/// milliseconds, and jobs that come later with a higher priority wait no longer than this.
const SPAN: Duration = Duration::from_millis(50);

/// The most that it holds. A thousand carried the most in a prototype; more only lie longer.
const MAX: u32 = 1_000;

/// Below so many in a span a job runs so long, or so seldom, that the way to the database is nothing beside it.
const MIN: u32 = 16;

/// Claimed jobs without a slot, the first that was claimed in front.
pub(crate) struct Buffer {
    jobs: VecDeque<Buffered>,
    pace: Pace,
    time_to_live: Duration,
}

/// A claimed job without a slot.
pub(crate) struct Buffered {
    pub(crate) job: Job,
    pub(crate) signals: Signals,
    pub(crate) claim: Claim,
    /// When it was claimed.
    pub(crate) since: Instant,
}

impl Buffer {
    pub(crate) fn new(time_to_live: Duration, now: Instant) -> Self {
        Self { jobs: VecDeque::new(), pace: Pace { began: now, now: 0, before: 0 }, time_to_live }
    }

    pub(crate) fn push(&mut self, job: Buffered) {
        self.jobs.push_back(job);
    }

    /// How many wait.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.jobs.len()).unwrap_or(u32::MAX)
    }

    /// The next to run.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Buffered> {
        let job = self.jobs.pop_front()?;
        self.pace.count(now);
        Some(job)
    }

    /// How many jobs to claim while so many slots are free. None as long as half of the buffer is full: many small claims cost more
    /// than few large ones.
    pub(crate) fn wanted(&mut self, free: u32, now: Instant) -> u32 {
        let (held, reach) = (self.len(), self.pace.reach(now));
        // What is held has a slot as soon as one is free.
        let room = free.saturating_add(reach).saturating_sub(held);
        if free > held || room > reach / 2 { room } else { 0 }
    }

    /// Takes out what no slot took in time.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<Buffered> {
        let live = |buffered: &&Buffered| now.saturating_duration_since(buffered.since) >= self.time_to_live;
        let overdue = self.jobs.iter().take_while(live).count();
        self.jobs.drain(..overdue).collect()
    }

    /// When the first of them is overdue.
    pub(crate) fn next_overdue(&self) -> Option<Instant> {
        Some(self.jobs.front()?.since + self.time_to_live)
    }

    /// Takes out all.
    pub(crate) fn drain(&mut self) -> Vec<Buffered> {
        self.jobs.drain(..).collect()
    }
}

/// How many jobs the slots take in a span.
struct Pace {
    began: Instant,
    now: u32,
    before: u32,
}

impl Pace {
    fn count(&mut self, now: Instant) {
        self.turn(now);
        self.now = self.now.saturating_add(1);
    }

    /// How many jobs the buffer is to hold.
    fn reach(&mut self, now: Instant) -> u32 {
        self.turn(now);
        let taken = self.now.max(self.before);
        if taken < MIN { 0 } else { taken.min(MAX) }
    }

    fn turn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.began);
        if passed >= SPAN {
            self.before = if passed < 2 * SPAN { self.now } else { 0 };
            (self.now, self.began) = (0, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(buffer: &mut Buffer, jobs: u32, now: Instant) {
        (0..jobs).for_each(|_| buffer.pace.count(now));
    }

    #[test]
    fn slots_alone_are_filled_while_nothing_moves_fast() {
        let now = Instant::now();
        let mut buffer = Buffer::new(SPAN, now);
        assert_eq!(buffer.wanted(8, now), 8);
        taken(&mut buffer, MIN - 1, now);
        assert_eq!((buffer.wanted(8, now), buffer.wanted(0, now)), (8, 0));
    }

    #[test]
    fn as_much_is_claimed_ahead_as_the_slots_took_in_the_last_span() {
        let now = Instant::now();
        let mut buffer = Buffer::new(SPAN, now);
        taken(&mut buffer, 100, now);
        assert_eq!(buffer.wanted(8, now), 108);
        assert_eq!(buffer.wanted(0, now + SPAN), 100, "the span before counts until this one has more");
        assert_eq!(buffer.wanted(0, now + 3 * SPAN), 0, "nothing was taken since");
        taken(&mut buffer, 2 * MAX, now + 3 * SPAN);
        assert_eq!(buffer.wanted(0, now + 3 * SPAN), MAX);
    }
}
