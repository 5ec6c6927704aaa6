//! The queue as it should be, in memory and without any thought of speed.

use std::collections::{BTreeMap, BTreeSet};

use windlass_model::{Bounds, ErrorKind, JobState, OnFailure, Timestamp, Transition, UniqueMode};

use super::operation::Spec;
use crate::fixture::at;

/// What the database must show of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) state: JobState,
    pub(crate) args: String,
    pub(crate) attempt: u32,
    pub(crate) max_attempts: u32,
    pub(crate) lease: u64,
    pub(crate) worker: Option<u128>,
    pub(crate) crashes: u32,
    pub(crate) host_faults: u32,
    pub(crate) run_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) error: Option<ErrorKind>,
    pub(crate) is_unwanted: bool,
    pub(crate) waits_for: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) shown: Shown,
    spec: Spec,
    /// What it comes after and has not ended.
    open: BTreeSet<u128>,
}

#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) is_paused: bool,
    pub(crate) max_running: Option<usize>,
    pub(crate) per_key: Option<usize>,
    /// Jobs in ten seconds.
    pub(crate) rate: Option<usize>,
    starts: Vec<Timestamp>,
}

#[derive(Default)]
pub(crate) struct Reference {
    pub(crate) second: u64,
    pub(crate) jobs: BTreeMap<u128, Job>,
    pub(crate) queues: [Queue; 2],
    /// Until when each worker is believed to be alive.
    workers: BTreeMap<u128, Timestamp>,
    answers: BTreeMap<u8, (u8, String)>,
}

impl Reference {
    pub(crate) fn now(&self) -> Timestamp {
        at(self.second)
    }

    fn holder(&self, key: u8) -> Option<u128> {
        self.jobs.iter().find(|(_, job)| job.holds(key)).map(|(number, _)| *number)
    }

    /// `numbers` are the ids of the jobs, `after` what each comes after.
    pub(crate) fn submit(
        &mut self,
        specs: &[Spec],
        numbers: &[u128],
        after: &[Vec<u128>],
        idempotency: Option<(u8, u8)>,
    ) -> String {
        if let Some((fingerprint, answer)) = idempotency.and_then(|(key, _)| self.answers.get(&key)) {
            let is_same = idempotency.is_some_and(|(_, own)| own == *fingerprint);
            return if is_same { format!("again {answer}") } else { "KeyReused".to_owned() };
        }
        let before = self.jobs.clone();
        let mut answer = Vec::new();
        let mut replaced = Vec::new();
        for (index, ((spec, number), after)) in specs.iter().zip(numbers).zip(after).enumerate() {
            if let Some(missing) = after.iter().find(|on| !before.contains_key(on)) {
                self.jobs = before;
                return format!("NoSuchJob {index} {missing}");
            }
            match spec.unique.and_then(|(key, _, mode)| Some((self.holder(key)?, mode))) {
                None => {
                    self.jobs.insert(*number, Job::new(spec, after, self.now()));
                    answer.push(number.to_string());
                }
                Some((holder, UniqueMode::Reject)) => {
                    self.jobs = before;
                    return format!("Duplicate {index} {holder}");
                }
                Some((holder, mode)) => {
                    answer.push(format!("{holder}="));
                    if mode == UniqueMode::Replace {
                        replaced.push((holder, spec, *number));
                    }
                }
            }
        }
        for (holder, spec, number) in replaced {
            let now = self.now();
            self.job(holder).replace(spec, number, now);
        }
        let ended: Vec<_> =
            before.iter().filter(|(_, job)| job.shown.state.is_final()).map(|(number, _)| *number).collect();
        self.settle(ended);
        let answer = answer.join(" ");
        if let Some((key, fingerprint)) = idempotency {
            self.answers.insert(key, (fingerprint, answer.clone()));
        }
        answer
    }

    pub(crate) fn claim(&mut self, worker: u128, limit: usize) -> Vec<u128> {
        let now = self.now();
        let mut order: Vec<_> = self
            .jobs
            .iter()
            .filter(|(_, job)| {
                job.shown.state == JobState::Available && job.shown.expires_at.is_none_or(|late| late > now)
            })
            .map(|(number, job)| (job.spec.priority, job.shown.run_at, *number))
            .collect();
        order.sort_unstable();
        let mut claimed = Vec::new();
        for (_, _, number) in order {
            if claimed.len() < limit && self.has_room_for(number) {
                let queue = &mut self.queues[self.jobs[&number].spec.queue];
                if queue.rate.is_some() {
                    queue.starts.push(now);
                }
                let shown = &mut self.job(number).shown;
                shown.state = JobState::Running;
                shown.worker = Some(worker);
                shown.lease += 1;
                shown.attempt += 1;
                claimed.push(number);
            }
        }
        claimed
    }

    fn has_room_for(&self, number: u128) -> bool {
        let spec = &self.jobs[&number].spec;
        let queue = &self.queues[spec.queue];
        let running =
            || self.jobs.values().filter(|job| job.shown.state == JobState::Running && job.spec.queue == spec.queue);
        let of_key = || running().filter(|job| job.spec.key == spec.key).count();
        let window = self.now().minus(std::time::Duration::from_secs(10));
        let started = queue.starts.iter().filter(|start| **start > window).count();
        !queue.is_paused
            && queue.max_running.is_none_or(|max| running().count() < max)
            && (spec.key.is_none() || queue.per_key.is_none_or(|max| of_key() < max))
            && queue.rate.is_none_or(|max| started < max)
    }

    /// Whether the attempt still held its job.
    pub(crate) fn finish(&mut self, number: u128, lease: u64, transition: &Transition) -> bool {
        let now = self.now();
        let shown = &mut self.job(number).shown;
        if shown.state != JobState::Running || shown.lease != lease {
            return false;
        }
        shown.state = transition.to;
        shown.worker = None;
        shown.run_at = transition.delay.map_or(shown.run_at, |delay| now.plus(delay));
        shown.attempt -= u32::from(!transition.counts);
        shown.crashes = transition.crash_count;
        shown.host_faults = transition.host_fault_count;
        shown.error = transition.error.as_ref().map(|error| error.kind);
        if transition.to.is_final() {
            shown.finished_at = Some(now);
            self.settle(vec![number]);
        } else if shown.is_unwanted {
            self.cancel(number);
        }
        true
    }

    /// Whether it did not run and was not over.
    pub(crate) fn cancel(&mut self, number: u128) -> bool {
        let is_waiting = self.job(number).is_waiting();
        if is_waiting {
            self.end(number, JobState::Cancelled, ErrorKind::Cancelled);
            self.settle(vec![number]);
        }
        is_waiting
    }

    pub(crate) fn retry(&mut self, number: u128) -> String {
        let key = self.jobs[&number].spec.unique.map(|(key, ..)| key);
        let rival = key.and_then(|key| {
            self.jobs.iter().find(|(other, job)| **other != number && job.holds(key)).map(|(other, _)| *other)
        });
        if let Some(rival) = rival {
            return format!("Duplicate {rival}");
        }
        let now = self.now();
        let job = self.job(number);
        if job.shown.state == JobState::Running {
            return "Running".to_owned();
        }
        job.open.clear();
        let shown = &mut job.shown;
        shown.max_attempts = shown.max_attempts.max(shown.attempt + 1);
        *shown = Shown {
            state: JobState::Available,
            run_at: now,
            expires_at: None,
            finished_at: None,
            error: None,
            is_unwanted: false,
            waits_for: 0,
            crashes: 0,
            host_faults: 0,
            ..shown.clone()
        };
        "Retried".to_owned()
    }

    pub(crate) fn promote(&mut self) -> u32 {
        let now = self.now();
        let is_due = |job: &&mut Job| {
            matches!(job.shown.state, JobState::Scheduled | JobState::Retryable)
                && job.shown.run_at <= now
                && job.open.is_empty()
        };
        let due = self.jobs.values_mut().filter(is_due);
        due.map(|job| job.shown.state = JobState::Available).count().try_into().unwrap()
    }

    pub(crate) fn expire(&mut self) -> BTreeSet<u128> {
        let now = self.now();
        let is_late = |job: &Job| job.is_waiting() && job.shown.expires_at.is_some_and(|late| late <= now);
        let late: BTreeSet<_> = self.jobs.iter().filter(|(_, job)| is_late(job)).map(|(number, _)| *number).collect();
        for number in &late {
            self.end(*number, JobState::Discarded, ErrorKind::Expired);
        }
        self.settle(late.iter().copied().collect());
        late
    }

    pub(crate) fn rescue(&mut self, lost: impl Fn(&Shown) -> Transition) -> BTreeSet<u128> {
        let now = self.now();
        let is_dead = |job: &Job| {
            job.shown.worker.is_some_and(|worker| self.workers.get(&worker).is_none_or(|until| *until <= now))
        };
        let orphans: Vec<_> = self.jobs.iter().filter(|(_, job)| is_dead(job)).map(|(number, _)| *number).collect();
        for number in &orphans {
            let shown = self.jobs[number].shown.clone();
            self.finish(*number, shown.lease, &lost(&shown));
        }
        orphans.into_iter().collect()
    }

    /// The jobs that the worker holds and somebody wants cancelled.
    pub(crate) fn beat(&mut self, worker: u128) -> BTreeSet<u128> {
        let until = self.now().plus(std::time::Duration::from_secs(6));
        self.workers.insert(worker, until);
        let is_unwanted = |job: &Job| job.shown.worker == Some(worker) && job.shown.is_unwanted;
        self.jobs.iter().filter(|(_, job)| is_unwanted(job)).map(|(number, _)| *number).collect()
    }

    /// Sees to what comes after jobs that have ended.
    fn settle(&mut self, ended: Vec<u128>) {
        let now = self.now();
        let mut cancelled = Vec::new();
        let completed: BTreeSet<_> =
            ended.iter().filter(|number| self.jobs[number].shown.state == JobState::Completed).copied().collect();
        for (number, job) in &mut self.jobs {
            let settled: Vec<_> = ended.iter().filter(|on| job.open.remove(on)).copied().collect();
            if settled.is_empty() || !job.is_waiting() {
                continue;
            }
            let is_met = |on: &u128| completed.contains(on) || job.spec.on_failure == OnFailure::Run;
            let met = settled.iter().filter(|on| is_met(on)).count();
            job.shown.waits_for -= u32::try_from(met).unwrap();
            if met < settled.len() {
                cancelled.push(*number);
            } else if job.shown.waits_for == 0 && job.shown.run_at <= now {
                job.shown.state = JobState::Available;
            }
        }
        if !cancelled.is_empty() {
            for number in &cancelled {
                self.end(*number, JobState::Cancelled, ErrorKind::Cancelled);
            }
            self.settle(cancelled);
        }
    }

    fn end(&mut self, number: u128, state: JobState, error: ErrorKind) {
        let now = self.now();
        let shown = &mut self.job(number).shown;
        (shown.state, shown.error, shown.finished_at) = (state, Some(error), Some(now));
    }

    pub(crate) fn job(&mut self, number: u128) -> &mut Job {
        self.jobs.get_mut(&number).unwrap()
    }
}

impl Job {
    fn new(spec: &Spec, after: &[u128], now: Timestamp) -> Self {
        let seconds = |span: Option<u64>| span.map(|span| now.plus(std::time::Duration::from_secs(span)));
        let run_at = seconds(spec.delay).unwrap_or(now);
        let waits = run_at > now || !after.is_empty();
        let shown = Shown {
            state: if waits { JobState::Scheduled } else { JobState::Available },
            args: String::new(),
            attempt: 0,
            max_attempts: spec.max_attempts,
            lease: 0,
            worker: None,
            crashes: 0,
            host_faults: 0,
            run_at,
            expires_at: seconds(spec.expires),
            finished_at: None,
            error: None,
            is_unwanted: false,
            waits_for: u32::try_from(after.len()).unwrap(),
        };
        Self { shown, spec: spec.clone(), open: after.iter().copied().collect() }
    }

    fn is_waiting(&self) -> bool {
        matches!(self.shown.state, JobState::Scheduled | JobState::Available | JobState::Retryable)
    }

    fn holds(&self, wanted: u8) -> bool {
        let bit = match self.shown.state {
            JobState::Completed => 1,
            JobState::Discarded => 2,
            JobState::Cancelled => 4,
            _ => u8::MAX,
        };
        self.spec.unique.is_some_and(|(key, finals, _)| key == wanted && (bit == u8::MAX || finals & bit != 0))
    }

    fn replace(&mut self, spec: &Spec, number: u128, now: Timestamp) {
        if !self.is_waiting() {
            return;
        }
        let seconds = |span: u64| now.plus(std::time::Duration::from_secs(span));
        self.shown.args = number.to_string();
        self.shown.expires_at = spec.expires.map(seconds).or(self.shown.expires_at);
        if let Some(run_at) = spec.delay.map(seconds) {
            let waits = run_at > now || self.shown.waits_for > 0;
            self.shown.run_at = run_at;
            self.shown.state = if waits { JobState::Scheduled } else { JobState::Available };
        }
    }
}

/// Nothing that a model should try is borne for long.
pub(crate) const BOUNDS: Bounds = Bounds { max_crashes: 2, max_host_faults: 2 };
