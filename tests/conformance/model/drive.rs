//! Does each operation to both, and compares.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use windlass_model::{
    AttemptError, AttemptFacts, AttemptOutcome, Backoff, ErrorKind, FinalStates, Idempotency, Job, JobFilter, JobId,
    JobState, JsonText, MaxRunning, NewJob, PageSize, Patch, Priority, QueueChange, QueueName, Rate, RunAt, Submission,
    Transition, Unique,
};
use windlass_store::{Added, CancelOutcome, FinishOutcome, Finished, Refusal, RetryOutcome, Submitted};

use super::operation::{End, NOWHERE, Operation, Spec};
use super::reference::{BOUNDS, Reference, Shown};
use crate::fixture::{Fixture, Store, finished, id, new_job, slot, task, worker};

const QUEUES: [&str; 2] = ["left", "right"];

/// What is in the way of nobody.
const PLENTY: u32 = 1_000;

struct Run<'a, S> {
    db: &'a Fixture<S>,
    reference: Reference,
    next: u128,
    tickets: Vec<Job>,
}

pub(crate) async fn drive<S: Store>(db: &Fixture<S>, operations: &[Operation]) {
    let mut run = Run { db, reference: Reference::default(), next: 1, tickets: Vec::new() };
    for operation in operations {
        run.step(operation).await;
        run.compare(operation).await;
    }
    run.compare_histories().await;
}

impl<S: Store> Run<'_, S> {
    async fn step(&mut self, operation: &Operation) {
        let now = Some(self.reference.now());
        let store = &self.db.store;
        match operation {
            Operation::Tick { seconds } => self.reference.second += seconds,
            Operation::Submit { jobs, idempotency } => self.submit(jobs, *idempotency).await,
            Operation::Claim { worker: by, limit } => {
                let claimed = store.job_claim(worker(*by), &[task()], *limit, now).await.unwrap().jobs;
                let expected = self.reference.claim(*by, usize::try_from(*limit).unwrap());
                assert_eq!(claimed.iter().map(|job| number(job.id)).collect::<Vec<_>>(), expected, "{operation:?}");
                self.tickets.extend(claimed);
            }
            Operation::Finish { ticket, end } => self.finish(*ticket, *end).await,
            Operation::Cancel { job } => {
                let Some(job) = self.pick(*job) else {
                    let outcome = store.job_cancel(id(NOWHERE as u128), now).await.unwrap();
                    return assert!(matches!(outcome, CancelOutcome::NotFound), "{outcome:?}");
                };
                let outcome = store.job_cancel(id(job), now).await.unwrap();
                let before = self.reference.jobs[&job].shown.state;
                let is_cancelled = self.reference.cancel(job);
                if before == JobState::Running {
                    self.reference.job(job).shown.is_unwanted = true;
                }
                match outcome {
                    CancelOutcome::Cancelled(_) => assert!(is_cancelled, "{operation:?}"),
                    CancelOutcome::Requested(_) => assert_eq!(before, JobState::Running),
                    CancelOutcome::AlreadyOver(state) => assert_eq!(before, state),
                    CancelOutcome::NotFound => panic!("{operation:?}"),
                }
            }
            Operation::Retry { job } => {
                let Some(job) = self.pick(*job) else {
                    let outcome = store.job_retry(id(NOWHERE as u128), now).await.unwrap();
                    return assert!(matches!(outcome, RetryOutcome::NotFound), "{outcome:?}");
                };
                let outcome = match store.job_retry(id(job), now).await.unwrap() {
                    RetryOutcome::Retried(_) => "Retried".to_owned(),
                    RetryOutcome::Running => "Running".to_owned(),
                    RetryOutcome::Duplicate(holder) => format!("Duplicate {}", number(holder)),
                    RetryOutcome::NotFound => "NotFound".to_owned(),
                };
                assert_eq!(outcome, self.reference.retry(job), "{operation:?}");
            }
            Operation::Promote => {
                assert_eq!(store.job_promote(PLENTY, now).await.unwrap(), self.reference.promote());
            }
            Operation::Expire => {
                assert_eq!(numbers(&store.job_expire(PLENTY, now).await.unwrap()), self.reference.expire());
            }
            Operation::Rescue => {
                let rescued = numbers(&store.job_rescue(BOUNDS, PLENTY, now).await.unwrap());
                assert_eq!(rescued, self.reference.rescue(lost));
            }
            Operation::Beat { worker: by } => {
                let beat = store.worker_beat(&slot(*by), Duration::from_secs(6), now).await.unwrap();
                let cancel: BTreeSet<_> = beat.cancel.iter().map(|(id, _)| number(*id)).collect();
                assert_eq!(cancel, self.reference.beat(*by));
            }
            Operation::Change { queue, paused, max_running, per_key, rate } => {
                let patch = |jobs: Option<i64>| match jobs {
                    Some(jobs) => Patch::Set(MaxRunning::try_from(jobs).unwrap()),
                    None => Patch::Clear,
                };
                let change = QueueChange {
                    paused: Some(*paused),
                    max_running: patch(*max_running),
                    max_running_per_key: patch(*per_key),
                    rate: rate.map_or(Patch::Clear, |jobs| Patch::Set(Rate::new(jobs, 10_000).unwrap())),
                    ..QueueChange::default()
                };
                store.queue_change(&queue_name(*queue), &change, now).await.unwrap();
                let queue = &mut self.reference.queues[*queue];
                queue.is_paused = *paused;
                queue.max_running = max_running.map(|jobs| usize::try_from(jobs).unwrap());
                queue.per_key = per_key.map(|jobs| usize::try_from(jobs).unwrap());
                queue.rate = rate.map(|jobs| usize::try_from(jobs).unwrap());
            }
        }
    }

    async fn submit(&mut self, specs: &[Spec], idempotency: Option<(u8, u8)>) {
        let now = Some(self.reference.now());
        let first = self.next;
        self.next += specs.len() as u128;
        let numbers: Vec<_> = (first..self.next).collect();
        let after = |spec: &Spec| {
            let mut after: Vec<_> = spec.after.iter().map(|job| self.pick(*job).unwrap_or(NOWHERE as u128)).collect();
            after.sort_unstable();
            after.dedup();
            after
        };
        let after: Vec<_> = specs.iter().map(after).collect();
        let jobs = specs.iter().zip(&numbers).zip(&after).map(|((spec, number), after)| job(spec, *number, after));
        let submission = Submission {
            jobs: jobs.collect(),
            idempotency: idempotency
                .map(|(key, fingerprint)| Idempotency { key: key.to_string(), fingerprint: fingerprint.to_string() }),
        };
        let answer = self.db.store.job_submit(&[submission], now).await.unwrap().pop().unwrap();
        let answer = match answer {
            Submitted::Added(added) => summary(&added),
            Submitted::Repeated(added) => format!("again {}", summary(&added)),
            Submitted::Refused(Refusal::Duplicate { index, holder }) => format!("Duplicate {index} {}", number(holder)),
            Submitted::Refused(Refusal::NoSuchJob { index, after }) => format!("NoSuchJob {index} {}", number(after)),
            Submitted::Refused(refusal) => format!("{refusal:?}"),
        };
        assert_eq!(answer, self.reference.submit(specs, &numbers, &after, idempotency), "{specs:?}");
    }

    async fn finish(&mut self, ticket: usize, end: End) {
        if self.tickets.is_empty() {
            return;
        }
        let job = &self.tickets[ticket % self.tickets.len()];
        let outcome = match end {
            End::Completed => AttemptOutcome::Completed(JsonText::empty_object()),
            End::Failed => AttemptOutcome::Failed(AttemptError::new(ErrorKind::Retryable, "no")),
            End::Fatal => AttemptOutcome::Failed(AttemptError::new(ErrorKind::Fatal, "no")),
            End::Snoozed => AttemptOutcome::Snoozed(Duration::from_secs(2)),
            End::Interrupted => AttemptOutcome::Interrupted,
            End::HostFault => AttemptOutcome::HostFault("no".to_owned()),
        };
        let transition = Transition::after(AttemptFacts::of(job), outcome.clone(), BOUNDS, 0.0);
        let end = Finished { transition: transition.clone(), ..finished(job, outcome) };
        let outcome = self.db.store.job_finish(&[end], Some(self.reference.now())).await.unwrap().pop().unwrap();
        let is_recorded = matches!(outcome, FinishOutcome::Recorded);
        assert_eq!(is_recorded, self.reference.finish(number(job.id), job.lease, &transition), "{job:?}");
    }

    fn pick(&self, job: usize) -> Option<u128> {
        let jobs = &self.reference.jobs;
        if job == NOWHERE || jobs.is_empty() { None } else { jobs.keys().nth(job % jobs.len()).copied() }
    }

    /// Every job, and how many of them there are in each queue and state.
    async fn compare(&self, after: &Operation) {
        let mut found = BTreeMap::new();
        let mut filter = JobFilter::default();
        loop {
            let page = self.db.store.job_list(&filter, PageSize::new(PageSize::MAX).unwrap()).await.unwrap();
            found.extend(page.jobs.into_iter().map(|job| (number(job.id), job)));
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        assert_eq!(found.keys().collect::<Vec<_>>(), self.reference.jobs.keys().collect::<Vec<_>>(), "after {after:?}");
        let mut counts: HashMap<(String, JobState), u64> = HashMap::new();
        for (number, job) in found {
            *counts.entry((job.queue.to_string(), job.state)).or_default() += 1;
            assert_eq!(shown(job, number), self.reference.jobs[&number].shown, "job {number} after {after:?}");
        }
        for queue in self.db.store.queue_list().await.unwrap() {
            for state in JobState::ALL {
                let expected = counts.get(&(queue.name.to_string(), state)).copied().unwrap_or(0);
                assert_eq!(queue.counts.get(state), expected, "{state} in {} after {after:?}", queue.name);
            }
        }
    }

    /// A history ends with the state that the job is in.
    async fn compare_histories(&self) {
        for (number, job) in &self.reference.jobs {
            let states = self.db.states(id(*number)).await;
            assert_eq!(states.last().map(String::as_str), Some(job.shown.state.as_str()), "job {number}: {states:?}");
        }
    }
}

fn job(spec: &Spec, number: u128, after: &[u128]) -> NewJob {
    let seconds = |span: u64| RunAt::After(Duration::from_secs(span));
    let finals = |bits: u8| {
        let states = [(1, JobState::Completed), (2, JobState::Discarded), (4, JobState::Cancelled)];
        let named = states.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, state)| state);
        FinalStates::among(&named.collect::<Vec<_>>())
    };
    let unique = |(key, bits, mode): (u8, u8, _)| Unique { key: key.to_string(), held_in: finals(bits), mode };
    NewJob {
        queue: queue_name(spec.queue),
        priority: Priority::try_from(spec.priority).unwrap(),
        args: JsonText::parse(&format!(r#"{{"by": {number}}}"#)).unwrap(),
        run_at: spec.delay.map(seconds),
        expires_at: spec.expires.map(seconds),
        max_attempts: spec.max_attempts,
        backoff: Backoff::delays(vec![Duration::from_secs(1), Duration::from_secs(3)]).unwrap(),
        concurrency_key: spec.key.map(|key| key.to_string()),
        unique: spec.unique.map(unique),
        after: after.iter().map(|on| id(*on)).collect(),
        on_failure: spec.on_failure,
        ..new_job(number)
    }
}

/// What the reference must show too. Arguments are named by the job that they came with, if that is another one.
fn shown(job: Job, number: u128) -> Shown {
    let own = format!(r#"{{"by": {number}}}"#);
    let args = job.args.as_str();
    Shown {
        state: job.state,
        args: if args == own { String::new() } else { args.chars().filter(char::is_ascii_digit).collect() },
        attempt: job.attempt,
        max_attempts: job.max_attempts,
        lease: job.lease,
        worker: job.worker_id.map(|worker| worker.as_uuid().as_u128() - 0xF000),
        crashes: job.crash_count,
        host_faults: job.host_fault_count,
        run_at: job.run_at,
        expires_at: job.expires_at,
        finished_at: job.finished_at,
        error: job.error.map(|error| error.kind),
        is_unwanted: job.cancel_requested_at.is_some(),
        waits_for: job.waits_for,
    }
}

fn lost(shown: &Shown) -> Transition {
    let facts = AttemptFacts {
        attempt: shown.attempt,
        max_attempts: shown.max_attempts,
        cancel_requested: shown.is_unwanted,
        crash_count: shown.crashes,
        host_fault_count: shown.host_faults,
        backoff: Backoff::default(),
    };
    Transition::after_lost_worker(facts, BOUNDS)
}

fn summary(added: &[Added]) -> String {
    let one = |added: &Added| format!("{}{}", number(added.job.id), if added.is_deduplicated { "=" } else { "" });
    added.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn numbers(ids: &[JobId]) -> BTreeSet<u128> {
    ids.iter().map(|id| number(*id)).collect()
}

fn number(id: JobId) -> u128 {
    id.as_uuid().as_u128()
}

fn queue_name(queue: usize) -> QueueName {
    QUEUES[queue].parse().unwrap()
}
