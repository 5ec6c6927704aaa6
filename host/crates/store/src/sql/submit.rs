//! Enqueue: what is there already, what is refused, what is added.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use windlass_model::{Idempotency, Job, JobId, JobState, NewJob, Progress, Submission, Timestamp, Unique, UniqueMode};

use super::dependencies::Dependency;
use super::write::{NewEvent, Write};
use crate::StoreError;
use crate::dialect::Dialect;
use crate::row::{JobRow, clamped};
use crate::seam::{Added, Refusal, Submitted};
use crate::statement;
use crate::value::{Rows, Value, as_json, hex};

/// For how long an answer is kept. What a client repeats after a day is another request.
const ANSWER_KEPT: Duration = Duration::from_secs(24 * 3_600);

/// What happens to one job of a submission.
#[derive(Clone, Copy)]
enum Plan<'a> {
    /// It is added.
    Add(&'a NewJob),
    /// This one stands for it.
    Keep(JobId),
    /// This one takes what it says.
    Replace(JobId, &'a NewJob),
}

/// What happens to a submission.
enum Fate<'a> {
    Planned(Vec<Plan<'a>>),
    Refused(Refusal),
    /// It was answered before.
    Answered(Vec<Kept>),
    /// It is the same as an earlier one of this call.
    SameAs(usize),
}

/// One job of an answer, as it is kept with its idempotency key.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    job: JobRow,
    is_deduplicated: bool,
}

/// What is known of what the submissions name, and who holds which key as the plan goes on.
struct Known {
    answers: HashMap<String, (String, Vec<Kept>)>,
    keys: HashMap<String, usize>,
    holders: HashMap<String, JobId>,
    ended: HashMap<JobId, bool>,
}

impl<D: Dialect> Write<D> {
    pub(super) async fn submit(&mut self, submissions: &[Submission]) -> Result<Vec<Submitted>, StoreError> {
        let mut known = self.look_up(submissions).await?;
        let mut fates = Vec::with_capacity(submissions.len());
        for (place, submission) in submissions.iter().enumerate() {
            fates.push(self.plan(&mut known, place, submission, submissions).await?);
        }
        let jobs = self.carry_out(&planned(&fates), &known).await?;
        let mut answers: Vec<Submitted> = Vec::with_capacity(fates.len());
        for (fate, submission) in fates.iter().zip(submissions) {
            let answer = match fate {
                Fate::Refused(refusal) => Submitted::Refused(*refusal),
                Fate::Answered(kept) => Submitted::Repeated(added(kept.clone())?),
                Fate::SameAs(place) => match answers.get(*place) {
                    Some(Submitted::Added(same) | Submitted::Repeated(same)) => Submitted::Repeated(same.clone()),
                    _ => return Err(StoreError::raced("job_submit")),
                },
                Fate::Planned(plans) => {
                    let added = plans.iter().map(|plan| answer(*plan, &jobs)).collect::<Result<Vec<_>, _>>()?;
                    self.keep_answer(submission.idempotency.as_ref(), &added).await?;
                    Submitted::Added(added)
                }
            };
            answers.push(answer);
        }
        Ok(answers)
    }

    /// Asks for everything that the submissions name, with one statement for each kind of thing, and none for what nobody names.
    async fn look_up(&mut self, submissions: &[Submission]) -> Result<Known, StoreError> {
        let jobs = || submissions.iter().flat_map(|submission| &submission.jobs);
        let keys: Vec<_> = submissions.iter().filter_map(|submission| submission.idempotency.as_ref()).collect();
        let mut answers = HashMap::new();
        if !keys.is_empty() {
            let names: Vec<_> = keys.iter().map(|idempotency| &idempotency.key).collect();
            let since = answers_since(self.now);
            let values = vec![Value::json(&names), since.into()];
            let found: Vec<(String, String, String)> = self.rows(statement::idempotency_find, values).await?;
            for (key, fingerprint, answer) in found {
                let kept = serde_json::from_str(&answer)
                    .map_err(|error| StoreError::Corrupt { column: "answer", found: error.to_string() })?;
                answers.insert(key, (fingerprint, kept));
            }
        }
        let unique: Vec<_> = jobs().filter_map(|job| job.unique.as_ref().map(|unique| &unique.key)).collect();
        let mut holders = HashMap::new();
        if !unique.is_empty() {
            let found: Vec<(String, Uuid)> = self.rows(statement::unique_holders, vec![Value::json(&unique)]).await?;
            holders.extend(found.into_iter().map(|(key, id)| (key, JobId::from_uuid(id))));
        }
        let after: Vec<_> = jobs().flat_map(|job| &job.after).map(|id| hex(id.as_uuid())).collect();
        let mut ended = HashMap::new();
        if !after.is_empty() {
            let found: Vec<(Uuid, bool)> = self.rows(statement::dependency_parents, vec![Value::json(&after)]).await?;
            ended.extend(found.into_iter().map(|(id, has_ended)| (JobId::from_uuid(id), has_ended)));
        }
        Ok(Known { answers, keys: HashMap::new(), holders, ended })
    }

    async fn plan<'a>(
        &mut self,
        known: &mut Known,
        place: usize,
        submission: &'a Submission,
        all: &[Submission],
    ) -> Result<Fate<'a>, StoreError> {
        if let Some(Idempotency { key, fingerprint }) = &submission.idempotency {
            if let Some((before, kept)) = known.answers.get(key) {
                let is_same = before == fingerprint;
                return Ok(if is_same { Fate::Answered(kept.clone()) } else { Fate::Refused(Refusal::KeyReused) });
            }
            if let Some(earlier) = known.keys.get(key) {
                let before = all.get(*earlier).and_then(|submission| submission.idempotency.as_ref());
                let is_same = before.is_some_and(|before| before.fingerprint == *fingerprint);
                return Ok(if is_same { Fate::SameAs(*earlier) } else { Fate::Refused(Refusal::KeyReused) });
            }
        }
        let mut plans = Vec::with_capacity(submission.jobs.len());
        let mut taken = Vec::new();
        for (index, job) in submission.jobs.iter().enumerate() {
            match self.plan_job(known, index, job).await? {
                Ok(plan) => plans.push(plan),
                Err(refusal) => {
                    // What it would have held is free again: the next submission may have it.
                    for key in taken {
                        known.holders.remove(key);
                    }
                    return Ok(Fate::Refused(refusal));
                }
            }
            if let (Some(Plan::Add(_)), Some(Unique { key, .. })) = (plans.last(), &job.unique) {
                known.holders.insert(key.clone(), job.id);
                taken.push(key);
            }
        }
        if let Some(Idempotency { key, .. }) = &submission.idempotency {
            known.keys.insert(key.clone(), place);
        }
        Ok(Fate::Planned(plans))
    }

    async fn plan_job<'a>(
        &mut self,
        known: &Known,
        index: usize,
        job: &'a NewJob,
    ) -> Result<Result<Plan<'a>, Refusal>, StoreError> {
        if let Some(parent) = &job.parent {
            if !self.is_held(parent.id, parent.lease).await? {
                return Ok(Err(Refusal::ParentLost));
            }
            let values = vec![parent.id.as_uuid().into(), parent.child_key.as_str().into()];
            let there: Vec<(Uuid,)> = self.rows(statement::child_find, values).await?;
            if let Some((id,)) = there.first() {
                return Ok(Ok(Plan::Keep(JobId::from_uuid(*id))));
            }
        }
        if let Some(after) = job.after.iter().find(|id| !known.ended.contains_key(id)) {
            return Ok(Err(Refusal::NoSuchJob { index, after: *after }));
        }
        let holder = job.unique.as_ref().and_then(|unique| known.holders.get(&unique.key).map(|id| (*id, unique.mode)));
        Ok(match holder {
            None => Ok(Plan::Add(job)),
            Some((id, UniqueMode::Keep)) => Ok(Plan::Keep(id)),
            Some((id, UniqueMode::Replace)) => Ok(Plan::Replace(id, job)),
            Some((holder, UniqueMode::Reject)) => Err(Refusal::Duplicate { index, holder }),
        })
    }

    /// Writes what was planned, and returns every job that an answer shows, as it is after that.
    async fn carry_out(&mut self, plans: &[Plan<'_>], known: &Known) -> Result<HashMap<JobId, Job>, StoreError> {
        let mut new = additions(plans);
        // Always in the same order, so that two transactions with the same keys never wait for each other.
        new.sort_by_key(|job| job.unique.as_ref().map(|unique| &unique.key));
        let mut jobs = self.insert(&new).await?;
        let mut stale: Vec<JobId> = Vec::new();
        for plan in plans {
            match plan {
                Plan::Add(job) if job.after.is_empty() => (),
                Plan::Add(job) => stale.push(job.id),
                Plan::Keep(id) => stale.push(*id),
                Plan::Replace(id, job) => {
                    self.replace(*id, job).await?;
                    stale.push(*id);
                }
            }
        }
        self.settle(ended_before(&new, known)).await?;
        if !stale.is_empty() {
            let ids: Vec<_> = stale.iter().map(|id| hex(id.as_uuid())).collect();
            let fresh = self.jobs(statement::job_get_many, vec![Value::json(&ids)]).await?;
            jobs.extend(fresh.into_iter().map(|job| (job.id, job)));
        }
        Ok(jobs)
    }

    async fn insert(&mut self, new: &[&NewJob]) -> Result<HashMap<JobId, Job>, StoreError> {
        if new.is_empty() {
            return Ok(HashMap::new());
        }
        // Sorted, so that two that add the same new names do not wait for each other in a circle.
        let queues = new.iter().map(|job| &job.queue).filter(|queue| !self.queues.has(queue));
        let queues: BTreeSet<_> = queues.cloned().collect();
        if !queues.is_empty() {
            self.execute(statement::queue_ensure, vec![Value::json(&queues)]).await?;
            self.new_queues.extend(queues);
        }
        // Nothing is read back: what a new row holds is known.
        let jobs: Vec<_> = new.iter().map(|job| fresh(job, self.now)).collect();
        let rows = Rows::of(new.iter().zip(&jobs).map(|(new, job)| new_row(new, job)));
        self.execute(statement::job_insert, rows).await?;
        let dependencies: Vec<_> = new.iter().flat_map(|job| dependencies(job)).collect();
        if !dependencies.is_empty() {
            self.execute(statement::dependency_insert, vec![Value::json(&dependencies)]).await?;
        }
        jobs.iter().for_each(|job| self.note_change(job.state));
        let waits = jobs.iter().filter(|job| job.state != JobState::Available);
        let events: Vec<_> = waits.map(|job| NewEvent::first(job.id, job.state)).collect();
        self.append_events(&events).await?;
        Ok(jobs.into_iter().map(|job| (job.id, job)).collect())
    }

    async fn replace(&mut self, id: JobId, job: &NewJob) -> Result<(), StoreError> {
        let values = vec![
            id.as_uuid().into(),
            job.args.as_str().into(),
            job.metadata.as_str().into(),
            as_json(&job.tags).as_str().into(),
            job.run_at.map(|at| at.from(self.now)).into(),
            job.expires_at.map(|at| at.from(self.now)).into(),
            self.now.into(),
        ];
        let replaced: Vec<(Uuid, String, i64)> = self.rows(statement::job_replace, values).await?;
        let Some((_, state, attempt)) = replaced.first() else { return Ok(()) };
        let state: JobState =
            state.parse().map_err(|_| StoreError::Corrupt { column: "state", found: state.clone() })?;
        let reason = Some("a later enqueue replaced its arguments".to_owned());
        self.append_events(&[NewEvent::state(id, u32::try_from(*attempt).unwrap_or(0), state, reason)]).await
    }

    async fn keep_answer(&mut self, idempotency: Option<&Idempotency>, answer: &[Added]) -> Result<(), StoreError> {
        let Some(Idempotency { key, fingerprint }) = idempotency else { return Ok(()) };
        let kept = |added: &Added| Kept { job: JobRow::from(&added.job), is_deduplicated: added.is_deduplicated };
        let kept: Vec<_> = answer.iter().map(kept).collect();
        let values = vec![
            key.as_str().into(),
            fingerprint.as_str().into(),
            as_json(&kept).as_str().into(),
            self.now.into(),
            answers_since(self.now).into(),
        ];
        match self.execute(statement::idempotency_save, values).await? {
            0 => Err(StoreError::raced("idempotency_save")),
            _ => Ok(()),
        }
    }
}

fn planned<'a>(fates: &[Fate<'a>]) -> Vec<Plan<'a>> {
    let plans = |fate: &Fate<'a>| if let Fate::Planned(plans) = fate { plans.clone() } else { Vec::new() };
    fates.iter().flat_map(plans).collect()
}

fn additions<'a>(plans: &[Plan<'a>]) -> Vec<&'a NewJob> {
    plans.iter().filter_map(|plan| if let Plan::Add(job) = plan { Some(*job) } else { None }).collect()
}

/// The jobs that some come after and that had ended before.
fn ended_before(new: &[&NewJob], known: &Known) -> Vec<JobId> {
    let after = new.iter().flat_map(|job| &job.after);
    let mut ended: Vec<_> = after.filter(|id| known.ended.get(id) == Some(&true)).copied().collect();
    ended.sort_unstable();
    ended.dedup();
    ended
}

pub(super) fn answers_since(now: Timestamp) -> Timestamp {
    now.minus(ANSWER_KEPT)
}

fn answer(plan: Plan<'_>, jobs: &HashMap<JobId, Job>) -> Result<Added, StoreError> {
    let (id, is_deduplicated) = match plan {
        Plan::Add(job) => (job.id, false),
        Plan::Keep(id) | Plan::Replace(id, _) => (id, true),
    };
    // A holder that was pruned since we looked is held by nobody: begun again, the job is added.
    let job = jobs.get(&id).cloned().ok_or_else(|| StoreError::raced("job_get_many"))?;
    Ok(Added { job, is_deduplicated, is_offered: false })
}

fn added(kept: Vec<Kept>) -> Result<Vec<Added>, StoreError> {
    let added =
        |kept: Kept| Ok(Added { job: kept.job.try_into()?, is_deduplicated: kept.is_deduplicated, is_offered: false });
    kept.into_iter().map(added).collect()
}

fn dependencies(job: &NewJob) -> impl Iterator<Item = Dependency> {
    job.after.iter().map(|on| Dependency { job_id: hex(job.id.as_uuid()), on_id: hex(on.as_uuid()) })
}

/// A new job as its row will be read.
fn fresh(new: &NewJob, now: Timestamp) -> Job {
    let run_at = new.run_at.map_or(now, |at| at.from(now));
    let waits = run_at > now || !new.after.is_empty();
    Job {
        id: new.id,
        task: new.task.clone(),
        queue: new.queue.clone(),
        priority: new.priority,
        state: if waits { JobState::Scheduled } else { JobState::Available },
        args: new.args.clone(),
        output: None,
        error: None,
        attempt: 0,
        max_attempts: new.max_attempts,
        // SQL has no unsigned numbers: what does not fit is as good as no limit.
        timeout: new.timeout.map(|span| span.min(Duration::from_millis(i64::MAX.unsigned_abs()))),
        backoff: new.backoff.clone(),
        lease: 0,
        worker_id: None,
        crash_count: 0,
        host_fault_count: 0,
        cancel_requested_at: None,
        progress: Progress::default(),
        tags: new.tags.clone(),
        metadata: new.metadata.clone(),
        plugin_digest: None,
        created_at: now,
        run_at,
        started_at: None,
        finished_at: None,
        expires_at: new.expires_at.map(|at| at.from(now)),
        concurrency_key: new.concurrency_key.clone(),
        parent_id: new.parent.as_ref().map(|parent| parent.id),
        waits_for: u32::try_from(new.after.len()).unwrap_or(u32::MAX),
        bill: None,
    }
}

fn new_row(new: &NewJob, job: &Job) -> [Value; 21] {
    [
        job.id.as_uuid().into(),
        job.task.as_str().into(),
        job.queue.as_str().into(),
        i64::from(i16::from(job.priority)).into(),
        job.state.as_str().into(),
        job.args.as_str().into(),
        job.max_attempts.into(),
        job.timeout.map(|span| clamped(span.as_millis())).into(),
        as_json(&job.backoff).as_str().into(),
        as_json(&job.tags).as_str().into(),
        job.metadata.as_str().into(),
        job.created_at.into(),
        job.run_at.into(),
        job.expires_at.into(),
        Value::word(job.concurrency_key.as_deref()),
        Value::word(new.unique.as_ref().map(|unique| unique.key.as_str())),
        u32::from(new.unique.as_ref().map_or(0, |unique| unique.held_in.bits())).into(),
        Value::Id(new.parent.as_ref().map(|parent| parent.id.as_uuid())),
        Value::word(new.parent.as_ref().map(|parent| parent.child_key.as_str())),
        job.waits_for.into(),
        Value::word((!new.after.is_empty()).then(|| new.on_failure.as_str())),
    ]
}
