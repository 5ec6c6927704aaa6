//! What becomes of a job when an attempt ends: pure, from facts and an outcome.

use std::time::Duration;

use crate::{AttemptError, AttemptOutcome, Backoff, ErrorKind, Job, JobState, JsonText};

/// What the decision looks at.
#[derive(Clone, Debug)]
pub struct AttemptFacts {
    /// The number of the attempt that ended, from 1.
    pub attempt: u32,
    /// How many the job has.
    pub max_attempts: u32,
    /// Whether somebody asked to cancel the job.
    pub cancel_requested: bool,
    /// In how many crashes of a worker the job was running before.
    pub crash_count: u32,
    /// How often in a row the host failed it before.
    pub host_fault_count: u32,
    /// How long it waits between attempts.
    pub backoff: Backoff,
}

/// How much of what is not the handler's fault is borne before a job is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// A job that was running in so many crashes of a worker is discarded: it may be what kills them.
    pub max_crashes: u32,
    /// A job that the host failed so often in a row is discarded. With the default backoff 20 means about 12 hours.
    pub max_host_faults: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_crashes: 3, max_host_faults: 20 }
    }
}

/// What is written down when an attempt ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state the job goes to; never `running`.
    pub to: JobState,
    /// After how long it may run again, for the states that wait. A span, not a time: it is the database's clock that counts.
    pub delay: Option<Duration>,
    /// Whether the attempt costs one of the job's attempts.
    pub counts: bool,
    /// Crashes so far.
    pub crash_count: u32,
    /// Host faults in a row so far.
    pub host_fault_count: u32,
    /// The job's output.
    pub output: Option<JsonText>,
    /// Why the attempt did not end well.
    pub error: Option<AttemptError>,
    /// For the job's history.
    pub reason: Option<String>,
}

impl AttemptFacts {
    /// The facts that stand in the job itself.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        Self {
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            cancel_requested: job.cancel_requested_at.is_some(),
            crash_count: job.crash_count,
            host_fault_count: job.host_fault_count,
            backoff: job.backoff.clone(),
        }
    }
}

impl Transition {
    /// Decides what becomes of a job after an attempt. `spread` (0 to 1) is drawn at random by the
    /// caller; see [`Backoff::delay`].
    #[must_use]
    pub fn after(facts: AttemptFacts, outcome: AttemptOutcome, bounds: Bounds, spread: f64) -> Self {
        match outcome {
            AttemptOutcome::Completed(output) => Self { output: Some(output), ..Self::to(JobState::Completed, facts) },
            AttemptOutcome::Failed(error) if facts.cancel_requested => Self::cancelled(facts, Some(error)),
            AttemptOutcome::Failed(error) => {
                let counted = AttemptFacts { host_fault_count: 0, ..facts };
                if error.kind.may_pass_next_time() && counted.attempt < counted.max_attempts {
                    let delay = counted.backoff.delay(counted.attempt, spread);
                    Self::wait(JobState::Retryable, counted, delay)
                } else {
                    Self::to(JobState::Discarded, counted)
                }
                .because(error)
            }
            AttemptOutcome::Snoozed(_) if facts.cancel_requested => Self::cancelled(facts, None),
            AttemptOutcome::Snoozed(span) => Self {
                counts: false,
                reason: Some(format!("snoozed for {} ms", span.as_millis())),
                ..Self::wait(JobState::Scheduled, facts, span)
            },
            AttemptOutcome::Cancelled if facts.cancel_requested => Self::cancelled(facts, None),
            AttemptOutcome::Cancelled => Self::to(JobState::Discarded, facts).because(AttemptError::new(
                ErrorKind::Fatal,
                "the handler returned `cancelled`, but nobody cancelled the job",
            )),
            AttemptOutcome::Interrupted => Self::handed_back(facts, "the worker shuts down"),
            AttemptOutcome::HostFault(message) => Self::after_host_fault(facts, message, bounds, spread),
        }
    }

    /// Decides what becomes of a job whose worker died.
    #[must_use]
    pub fn after_lost_worker(facts: AttemptFacts, bounds: Bounds) -> Self {
        let error = AttemptError::new(ErrorKind::WorkerLost, "the worker that ran it died");
        if facts.cancel_requested {
            return Self::cancelled(facts, Some(error));
        }
        let crashes = facts.crash_count + 1;
        let facts = AttemptFacts { crash_count: crashes, ..facts };
        if crashes >= bounds.max_crashes {
            let message = format!("it was running in {crashes} workers that died: it may be what kills them");
            return Self::to(JobState::Discarded, facts).because(AttemptError::new(ErrorKind::WorkerLost, message));
        }
        Self { counts: false, ..Self::wait(JobState::Available, facts, Duration::ZERO) }.because(error)
    }

    /// Decides what becomes of a job whose claim was committed though its worker never heard of that: it has not started, so neither
    /// an attempt nor a crash nor a host's fault is counted.
    #[must_use]
    pub fn after_lost_claim(facts: AttemptFacts) -> Self {
        let error = AttemptError::new(ErrorKind::Host, "the database's answer to its claim was lost: it never started");
        if facts.cancel_requested {
            return Self::cancelled(facts, Some(error));
        }
        Self { counts: false, ..Self::wait(JobState::Available, facts, Duration::ZERO) }.because(error)
    }

    /// Decides what becomes of a job that its worker claimed and does not run to an end: it costs no attempt.
    #[must_use]
    pub fn handed_back(facts: AttemptFacts, why: &str) -> Self {
        if facts.cancel_requested {
            return Self::cancelled(facts, None);
        }
        Self {
            counts: false,
            reason: Some(format!("handed back: {why}")),
            ..Self::wait(JobState::Available, facts, Duration::ZERO)
        }
    }

    fn after_host_fault(facts: AttemptFacts, message: String, bounds: Bounds, spread: f64) -> Self {
        let error = AttemptError::new(ErrorKind::Host, message);
        if facts.cancel_requested {
            return Self::cancelled(facts, Some(error));
        }
        let faults = facts.host_fault_count + 1;
        let facts = AttemptFacts { host_fault_count: faults, ..facts };
        if faults >= bounds.max_host_faults {
            return Self::to(JobState::Discarded, facts).because(error);
        }
        let delay = facts.backoff.delay(faults, spread);
        Self { counts: false, ..Self::wait(JobState::Retryable, facts, delay) }.because(error)
    }

    fn cancelled(facts: AttemptFacts, error: Option<AttemptError>) -> Self {
        let error = error.map_or_else(
            || "cancelled while it ran".to_owned(),
            |error| format!("cancelled while it ran ({})", error.message),
        );
        Self::to(JobState::Cancelled, facts).because(AttemptError::new(ErrorKind::Cancelled, error))
    }

    fn to(to: JobState, facts: AttemptFacts) -> Self {
        Self {
            to,
            delay: None,
            counts: true,
            crash_count: facts.crash_count,
            host_fault_count: facts.host_fault_count,
            output: None,
            error: None,
            reason: None,
        }
    }

    fn wait(to: JobState, facts: AttemptFacts, delay: Duration) -> Self {
        Self { delay: Some(delay), ..Self::to(to, facts) }
    }

    fn because(self, error: AttemptError) -> Self {
        Self { reason: Some(format!("{}: {}", error.kind, first_line(&error.message))), error: Some(error), ..self }
    }
}

/// A reason stands in a list: its first line, at most this long.
fn first_line(message: &str) -> &str {
    const MAX: usize = 200;
    let line = message.lines().next().unwrap_or_default();
    &line[..line.floor_char_boundary(MAX)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> AttemptFacts {
        AttemptFacts {
            attempt: 1,
            max_attempts: 3,
            cancel_requested: false,
            crash_count: 0,
            host_fault_count: 0,
            backoff: Backoff::default(),
        }
    }

    fn after(facts: AttemptFacts, outcome: AttemptOutcome) -> Transition {
        Transition::after(facts, outcome, Bounds::default(), 0.0)
    }

    fn failed(kind: ErrorKind) -> AttemptOutcome {
        AttemptOutcome::Failed(AttemptError::new(kind, "no"))
    }

    #[test]
    fn a_failed_attempt_waits_for_its_delay_while_attempts_are_left() {
        let next = after(facts(), failed(ErrorKind::Retryable));
        assert_eq!(next.to, JobState::Retryable);
        assert_eq!(next.delay, Some(Duration::from_secs(2)));
        assert!(next.counts);
    }

    #[test]
    fn the_last_failed_attempt_discards_the_job() {
        let next = after(AttemptFacts { attempt: 3, ..facts() }, failed(ErrorKind::Trap));
        assert_eq!((next.to, next.delay), (JobState::Discarded, None));
    }

    #[test]
    fn a_fatal_error_discards_the_job_at_the_first_attempt() {
        assert_eq!(after(facts(), failed(ErrorKind::Fatal)).to, JobState::Discarded);
    }

    #[test]
    fn snooze_shutdown_and_host_faults_cost_no_attempt() {
        let outcomes = [
            (AttemptOutcome::Snoozed(Duration::from_secs(9)), JobState::Scheduled),
            (AttemptOutcome::Interrupted, JobState::Available),
            (AttemptOutcome::HostFault("disk full".to_owned()), JobState::Retryable),
        ];
        for (outcome, to) in outcomes {
            let next = after(AttemptFacts { attempt: 3, ..facts() }, outcome);
            assert_eq!((next.to, next.counts), (to, false));
        }
    }

    #[test]
    fn host_faults_have_a_bound_of_their_own() {
        let next =
            after(AttemptFacts { host_fault_count: 19, ..facts() }, AttemptOutcome::HostFault("disk full".to_owned()));
        assert_eq!(next.to, JobState::Discarded);
        assert_eq!(next.error.unwrap().kind, ErrorKind::Host);
    }

    #[test]
    fn a_job_that_was_running_in_three_crashes_is_a_poison_pill() {
        let next = Transition::after_lost_worker(AttemptFacts { crash_count: 1, ..facts() }, Bounds::default());
        assert_eq!((next.to, next.crash_count, next.counts), (JobState::Available, 2, false));
        let next = Transition::after_lost_worker(AttemptFacts { crash_count: 2, ..facts() }, Bounds::default());
        assert_eq!((next.to, next.crash_count), (JobState::Discarded, 3));
    }

    #[test]
    fn a_job_whose_claim_was_lost_is_none_the_worse_for_it() {
        let next = Transition::after_lost_claim(AttemptFacts { crash_count: 2, host_fault_count: 19, ..facts() });
        assert_eq!(
            (next.to, next.counts, next.crash_count, next.host_fault_count),
            (JobState::Available, false, 2, 19)
        );
        let next = Transition::after_lost_claim(AttemptFacts { cancel_requested: true, ..facts() });
        assert_eq!(next.to, JobState::Cancelled);
    }

    #[test]
    fn a_job_that_ended_well_is_completed_even_if_somebody_asked_to_cancel_it() {
        let next = after(
            AttemptFacts { cancel_requested: true, ..facts() },
            AttemptOutcome::Completed(JsonText::empty_object()),
        );
        assert_eq!(next.to, JobState::Completed);
    }

    #[test]
    fn a_handler_that_gives_up_for_no_reason_is_told_so() {
        let next = after(facts(), AttemptOutcome::Cancelled);
        assert_eq!(next.to, JobState::Discarded);
        assert_eq!(next.reason.unwrap(), "fatal: the handler returned `cancelled`, but nobody cancelled the job");
    }

    fn any_outcome() -> impl Strategy<Value = AttemptOutcome> {
        prop_oneof![
            Just(AttemptOutcome::Completed(JsonText::empty_object())),
            Just(failed(ErrorKind::Retryable)),
            Just(failed(ErrorKind::Fatal)),
            Just(failed(ErrorKind::Timeout)),
            (0_u64..100_000).prop_map(|ms| AttemptOutcome::Snoozed(Duration::from_millis(ms))),
            Just(AttemptOutcome::Cancelled),
            Just(AttemptOutcome::Interrupted),
            Just(AttemptOutcome::HostFault("x".to_owned())),
        ]
    }

    proptest! {
        #[test]
        fn a_job_never_stays_running_and_waits_exactly_if_it_is_not_over(
            outcome in any_outcome(),
            attempt in 1_u32..5,
            cancel_requested: bool,
            crash_count in 0_u32..5,
            spread in 0.0..1.0_f64,
        ) {
            let facts = AttemptFacts { attempt, cancel_requested, crash_count, ..facts() };
            let next = Transition::after(facts, outcome, Bounds::default(), spread);
            prop_assert_ne!(next.to, JobState::Running);
            prop_assert_eq!(next.to.is_final(), next.delay.is_none());
            prop_assert_eq!(next.output.is_some(), next.to == JobState::Completed);
            if cancel_requested {
                prop_assert!(next.to.is_final());
            }
        }
    }
}
