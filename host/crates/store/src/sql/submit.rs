//! Enqueue: what is there already, what is refused, what is added.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use windlass_model::{Idempotency, JobId, JobState, NewJob, Submission, Timestamp, Unique, UniqueMode};

use super::dependencies::Dependency;
use super::write::{NewEvent, Write};
use crate::StoreError;
use crate::dialect::Dialect;
use crate::row::JobRow;
use crate::seam::{Added, Refusal, Submitted};
use crate::statement;
use crate::value::{Value, as_json, hex};

/// For how long an answer is kept. What a client repeats after a day is another request.
const ANSWER_KEPT: Duration = Duration::from_secs(24 * 3_600);

#[derive(Serialize)]
struct NewJobRow<'a> {
    id: String,
    task: &'a str,
    queue: &'a str,
    priority: i16,
    args: &'a str,
    max_attempts: u32,
    timeout_ms: Option<i64>,
    backoff: String,
    tags: String,
    metadata: &'a str,
    run_at: i64,
    expires_at: Option<i64>,
    concurrency_key: Option<&'a str>,
    unique_key: Option<&'a str>,
    unique_finals: u8,
    parent_id: Option<String>,
    child_key: Option<&'a str>,
    pending_count: usize,
    on_failure: Option<&'static str>,
}

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
        let mut rows = self.carry_out(&planned(&fates), &known).await?;
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
                    let kept = plans.iter().map(|plan| kept(*plan, &mut rows)).collect::<Result<Vec<_>, _>>()?;
                    self.keep_answer(submission.idempotency.as_ref(), &kept).await?;
                    Submitted::Added(added(kept)?)
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
    async fn carry_out(&mut self, plans: &[Plan<'_>], known: &Known) -> Result<HashMap<JobId, JobRow>, StoreError> {
        let mut new = additions(plans);
        // Always in the same order, so that two transactions with the same keys never wait for each other.
        new.sort_by_key(|job| job.unique.as_ref().map(|unique| &unique.key));
        let mut rows = self.insert(&new).await?;
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
            let fresh: Vec<JobRow> = self.rows(statement::job_get_many, vec![Value::json(&ids)]).await?;
            rows.extend(fresh.into_iter().map(|row| (row.id(), row)));
        }
        Ok(rows)
    }

    async fn insert(&mut self, new: &[&NewJob]) -> Result<HashMap<JobId, JobRow>, StoreError> {
        if new.is_empty() {
            return Ok(HashMap::new());
        }
        // Sorted, so that two that add the same new names do not wait for each other in a circle.
        let queues: BTreeSet<_> = new.iter().map(|job| &job.queue).collect();
        self.execute(statement::queue_ensure, vec![Value::json(&queues)]).await?;
        let rows: Vec<_> = new.iter().map(|job| new_row(job, self.now)).collect();
        let values = vec![Value::json(&rows), self.now.into()];
        let added: Vec<JobRow> = self.rows(statement::job_insert, values).await?;
        let dependencies: Vec<_> = new.iter().flat_map(|job| dependencies(job)).collect();
        if !dependencies.is_empty() {
            self.execute(statement::dependency_insert, vec![Value::json(&dependencies)]).await?;
        }
        let added: HashMap<_, _> = added.into_iter().map(|row| (row.id(), row)).collect();
        let mut events = Vec::with_capacity(added.len());
        for row in added.values() {
            events.push(NewEvent::state(row.id(), 0, row.state()?, None));
        }
        self.append_events(&events).await?;
        Ok(added)
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

    async fn keep_answer(&mut self, idempotency: Option<&Idempotency>, kept: &[Kept]) -> Result<(), StoreError> {
        let Some(Idempotency { key, fingerprint }) = idempotency else { return Ok(()) };
        let values = vec![
            key.as_str().into(),
            fingerprint.as_str().into(),
            as_json(kept).as_str().into(),
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

fn kept(plan: Plan<'_>, rows: &mut HashMap<JobId, JobRow>) -> Result<Kept, StoreError> {
    let (id, is_deduplicated) = match plan {
        Plan::Add(job) => (job.id, false),
        Plan::Keep(id) | Plan::Replace(id, _) => (id, true),
    };
    // A holder that was pruned since we looked is held by nobody: begun again, the job is added.
    let job = rows.get(&id).cloned().ok_or_else(|| StoreError::raced("job_get_many"))?;
    Ok(Kept { job, is_deduplicated })
}

fn added(kept: Vec<Kept>) -> Result<Vec<Added>, StoreError> {
    let added = |kept: Kept| Ok(Added { job: kept.job.try_into()?, is_deduplicated: kept.is_deduplicated });
    kept.into_iter().map(added).collect()
}

fn dependencies(job: &NewJob) -> impl Iterator<Item = Dependency> {
    job.after.iter().map(|on| Dependency { job_id: hex(job.id.as_uuid()), on_id: hex(on.as_uuid()) })
}

fn new_row(job: &NewJob, now: Timestamp) -> NewJobRow<'_> {
    let micros = |time: Timestamp| time.as_micros();
    NewJobRow {
        id: hex(job.id.as_uuid()),
        task: job.task.as_str(),
        queue: job.queue.as_str(),
        priority: job.priority.into(),
        args: job.args.as_str(),
        max_attempts: job.max_attempts,
        // SQL has no unsigned numbers: what does not fit is as good as no limit.
        timeout_ms: job.timeout.map(|span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        backoff: as_json(&job.backoff),
        tags: as_json(&job.tags),
        metadata: job.metadata.as_str(),
        run_at: micros(job.run_at.map_or(now, |at| at.from(now))),
        expires_at: job.expires_at.map(|at| micros(at.from(now))),
        concurrency_key: job.concurrency_key.as_deref(),
        unique_key: job.unique.as_ref().map(|unique| unique.key.as_str()),
        unique_finals: job.unique.as_ref().map_or(0, |unique| unique.held_in.bits()),
        parent_id: job.parent.as_ref().map(|parent| hex(parent.id.as_uuid())),
        child_key: job.parent.as_ref().map(|parent| parent.child_key.as_str()),
        pending_count: job.after.len(),
        on_failure: (!job.after.is_empty()).then(|| job.on_failure.as_str()),
    }
}
