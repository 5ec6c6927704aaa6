//! Which jobs a claim takes: from each queue the first ones that its limits leave room for, and of all of these the first.
//!
//! Limits count the running jobs and the starts themselves, inside the claiming transaction. A queue with limits is held from
//! before the count to the commit, so that of two claims the later one counts what the earlier one took.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;
use windlass_model::{Job, QueueName, TaskName, Timestamp, WorkerId};

use super::write::Write;
use crate::StoreError;
use crate::dialect::Dialect;
use crate::row::ClaimedRow;
use crate::seam::{Claimed, TaskRoom};
use crate::statement::{self, Statement};
use crate::value::{Time, Value, hex};

/// How soon to look again when others hold what there is. Their transactions are short.
const CONTENDED: Duration = Duration::from_millis(50);

/// For how long a start is kept after its period is over: another claim's time may lie a little before this one's.
const START_GRACE: Duration = Duration::from_secs(60);

/// A queue that is open: its name, `max_running`, `max_running_per_key`, `rate_limit`, `rate_period_ms`, and whether it is
/// ours to take from.
type OpenRow = (String, Option<i64>, Option<i64>, Option<i64>, Option<i64>, bool);

/// A job that may be taken: id, queue, priority, `run_at`, concurrency key, task.
type CandidateRow = (Uuid, String, i64, Time, Option<String>, String);

/// A place in the order of a queue.
type Place = (i64, Timestamp, Uuid);

/// Before every job: no priority is as small.
const START: Place = (-1_000, Timestamp::EPOCH, Uuid::nil());

/// A queue while a claim chooses from it.
struct Lane {
    queue: String,
    max_running: Option<usize>,
    max_per_key: Option<usize>,
    rate: Option<(usize, Duration)>,
    /// How many more jobs of it may be chosen.
    room: usize,
    /// Whether there may be more behind the last page.
    is_open: bool,
    /// How many jobs of a key run or have been chosen.
    by_key: HashMap<String, usize>,
    /// Where the next page starts.
    after: Place,
    chosen: Vec<Place>,
}

/// A job that may be taken, in its lane.
struct Candidate {
    place: Place,
    key: Option<String>,
    task: String,
}

/// The tasks whose jobs are claimed, each with how many more.
struct Tasks(Vec<(TaskName, Option<u32>)>);

impl Tasks {
    fn new(tasks: &[TaskRoom]) -> Self {
        Self(tasks.iter().map(|TaskRoom { task, room }| (task.clone(), *room)).collect())
    }

    /// Those with room, for a statement.
    fn open(&self) -> Value {
        let open: Vec<_> = self.0.iter().filter(|(_, room)| *room != Some(0)).map(|(task, _)| task).collect();
        Value::json(&open)
    }

    fn are_unlimited(&self) -> bool {
        self.0.iter().all(|(_, room)| room.is_none())
    }

    fn is_any_full(&self) -> bool {
        self.0.iter().any(|(_, room)| *room == Some(0))
    }

    /// Takes room for one job, if there is some.
    fn take(&mut self, task: &str) -> bool {
        match self.0.iter_mut().find(|(name, _)| name.as_str() == task) {
            Some((_, Some(0))) => false,
            Some((_, Some(room))) => {
                *room -= 1;
                true
            }
            _ => true,
        }
    }
}

#[derive(Serialize)]
struct LaneRow<'a> {
    queue: &'a str,
    priority: i64,
    run_at: i64,
    id: String,
    taken_keys: Vec<&'a str>,
}

#[derive(Serialize)]
struct SinceRow<'a> {
    queue: &'a str,
    since: i64,
}

#[derive(Serialize)]
struct StartRow<'a> {
    queue: &'a str,
    jobs: usize,
}

impl<D: Dialect> Write<D> {
    /// Claims jobs: see `JobQueue::job_claim`.
    pub(super) async fn claim(
        &mut self,
        worker: WorkerId,
        tasks: &[TaskRoom],
        limit: u32,
    ) -> Result<Claimed, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut tasks = Tasks::new(tasks);
        let open: Vec<OpenRow> = self.rows(statement::queue_open, vec![tasks.open(), self.now.into()]).await?;
        let (ours, others): (Vec<_>, Vec<_>) = open.into_iter().partition(|row| row.5);
        let mut lanes: Vec<_> = ours.into_iter().map(|row| Lane::new(row, limit)).collect();
        let mut again_in = (!others.is_empty()).then_some(CONTENDED);
        if let ([lane], None) = (&lanes[..], again_in)
            && lane.is_unlimited()
            && tasks.are_unlimited()
        {
            let room = Value::count(limit as u64);
            let values = vec![worker.as_uuid().into(), lane.queue.as_str().into(), tasks.open(), room, self.now.into()];
            let jobs = self.take(statement::job_claim_first, worker, values).await?;
            // There was something a moment ago.
            let again_in = jobs.is_empty().then_some(CONTENDED);
            return Ok(Claimed { jobs, again_in, is_bounded: false });
        }
        let is_bounded = !tasks.are_unlimited() || !lanes.iter().all(Lane::is_unlimited);
        soonest(&mut again_in, self.count(&mut lanes).await?);
        soonest(&mut again_in, self.choose(&mut lanes, &mut tasks).await?);

        let mut chosen: Vec<_> = lanes.iter().flat_map(|lane| lane.chosen.iter().copied()).collect();
        chosen.sort_unstable();
        chosen.truncate(limit);
        if chosen.is_empty() {
            return Ok(Claimed { jobs: Vec::new(), again_in, is_bounded });
        }
        let ids: Vec<_> = chosen.iter().map(|(_, _, id)| hex(*id)).collect();
        let values = vec![worker.as_uuid().into(), Value::json(&ids), self.now.into()];
        let jobs = self.take(statement::job_claim, worker, values).await?;
        self.note_starts(&lanes, jobs.iter().map(|job| &job.queue)).await?;
        Ok(Claimed { jobs, again_in, is_bounded })
    }

    async fn take(
        &mut self,
        statement: Statement,
        worker: WorkerId,
        values: Vec<Value>,
    ) -> Result<Vec<Job>, StoreError> {
        let rows: Vec<ClaimedRow> = self.rows(statement, values).await?;
        let jobs = rows.into_iter().map(|row| row.claimed(worker, self.now));
        let mut jobs = jobs.collect::<Result<Vec<Job>, StoreError>>()?;
        // No database promises an order of what RETURNING returns.
        jobs.sort_by_key(|job| (job.priority, job.run_at, job.id));
        Ok(jobs)
    }

    /// Counts what runs and what started in the lanes with limits, and makes their room smaller by that. Returns when the
    /// first of the rates that leave no room leaves some again.
    async fn count(&mut self, lanes: &mut [Lane]) -> Result<Option<Duration>, StoreError> {
        let counted: Vec<_> = lanes
            .iter()
            .filter(|lane| lane.max_running.is_some() || lane.max_per_key.is_some())
            .map(|lane| lane.queue.as_str())
            .collect();
        if !counted.is_empty() {
            let rows: Vec<(String, Option<String>, i64)> =
                self.rows(statement::queue_running, vec![Value::json(&counted)]).await?;
            for (queue, key, jobs) in rows {
                if let Some(lane) = lanes.iter_mut().find(|lane| lane.queue == queue) {
                    lane.count_running(key, size(jobs));
                }
            }
        }
        let windows: Vec<_> = lanes.iter().filter_map(|lane| lane.window(self.now)).collect();
        if windows.is_empty() {
            return Ok(None);
        }
        let rows: Vec<(String, i64, Time)> = self.rows(statement::queue_started, vec![Value::json(&windows)]).await?;
        let mut again_in = None;
        for (queue, jobs, Time(first)) in rows {
            if let Some(lane) = lanes.iter_mut().find(|lane| lane.queue == queue) {
                soonest(&mut again_in, lane.count_started(size(jobs), first, self.now));
            }
        }
        Ok(again_in)
    }

    /// Chooses from each lane as many jobs as there is room for, page by page. Returns when to look again if others hold all
    /// that a lane has.
    async fn choose(&mut self, lanes: &mut [Lane], tasks: &mut Tasks) -> Result<Option<Duration>, StoreError> {
        let mut again_in = None;
        // No room is more than the limit.
        while let Some(size) =
            lanes.iter().filter(|lane| lane.is_open).map(|lane| lane.room).max().filter(|room| *room > 0)
        {
            let open = lanes.iter().filter(|lane| lane.is_open && lane.room > 0);
            let rows: Vec<_> = open.map(Lane::row).collect();
            let values = vec![
                Value::json(&rows),
                tasks.open(),
                Value::count(u64::try_from(size).unwrap_or(u64::MAX)),
                self.now.into(),
            ];
            let found: Vec<CandidateRow> = self.rows(statement::job_candidates, values).await?;
            let mut pages: HashMap<String, Vec<Candidate>> = HashMap::new();
            for (id, queue, priority, Time(run_at), key, task) in found {
                pages.entry(queue).or_default().push(Candidate { place: (priority, run_at, id), key, task });
            }
            for lane in lanes.iter_mut().filter(|lane| lane.is_open && lane.room > 0) {
                let page = pages.remove(&lane.queue).unwrap_or_default();
                if page.is_empty() && lane.by_key.is_empty() && !tasks.is_any_full() {
                    // There was something a moment ago, and no limit kept it from us.
                    soonest(&mut again_in, Some(CONTENDED));
                }
                // A page that was full and left room has jobs whose key is taken or whose task has no room: behind them may be
                // others.
                lane.is_open = page.len() >= size;
                lane.take(page, tasks);
            }
        }
        Ok(again_in)
    }

    /// Notes how many jobs of the lanes with a rate start now, and forgets what no rate counts any more.
    async fn note_starts(
        &mut self,
        lanes: &[Lane],
        queues: impl Iterator<Item = &QueueName>,
    ) -> Result<(), StoreError> {
        let mut started: BTreeMap<&str, usize> = BTreeMap::new();
        for queue in queues {
            *started.entry(queue.as_str()).or_default() += 1;
        }
        let rated: Vec<_> = lanes
            .iter()
            .filter(|lane| lane.rate.is_some())
            .filter_map(|lane| Some(StartRow { queue: &lane.queue, jobs: *started.get(lane.queue.as_str())? }))
            .collect();
        if rated.is_empty() {
            return Ok(());
        }
        self.execute(statement::queue_start_insert, vec![Value::json(&rated), self.now.into()]).await?;
        let over: Vec<_> = lanes.iter().filter_map(|lane| lane.window(self.now.minus(START_GRACE))).collect();
        self.execute(statement::queue_start_delete, vec![Value::json(&over)]).await.map(drop)
    }
}

impl Lane {
    fn new((queue, max_running, max_per_key, rate_limit, rate_period_ms, _): OpenRow, limit: usize) -> Self {
        let period = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        Self {
            queue,
            max_running: max_running.map(size),
            max_per_key: max_per_key.map(size),
            rate: rate_limit.zip(rate_period_ms).map(|(limit, millis)| (size(limit), period(millis))),
            // What runs and what started is taken off when it has been counted.
            room: [max_running, rate_limit].into_iter().flatten().map(size).fold(limit, usize::min),
            is_open: true,
            by_key: HashMap::new(),
            after: START,
            chosen: Vec::new(),
        }
    }

    fn is_unlimited(&self) -> bool {
        self.max_running.is_none() && self.max_per_key.is_none() && self.rate.is_none()
    }

    /// So many jobs of it run, all of one key or of none. All of these calls come before the first page.
    fn count_running(&mut self, key: Option<String>, jobs: usize) {
        if let Some(max) = &mut self.max_running {
            *max = max.saturating_sub(jobs);
            self.room = self.room.min(*max);
        }
        if let (Some(_), Some(key)) = (self.max_per_key, key) {
            self.by_key.insert(key, jobs);
        }
    }

    /// So many jobs of it started within its period, the first at `first`. Returns when there is room again, if there is none.
    fn count_started(&mut self, jobs: usize, first: Timestamp, now: Timestamp) -> Option<Duration> {
        let (limit, period) = self.rate?;
        let left = limit.saturating_sub(jobs);
        self.room = self.room.min(left);
        (left == 0).then(|| first.plus(period).since(now))
    }

    /// From when on a start counts for its rate.
    fn window(&self, now: Timestamp) -> Option<SinceRow<'_>> {
        let (_, period) = self.rate?;
        Some(SinceRow { queue: &self.queue, since: now.minus(period).as_micros() })
    }

    fn row(&self) -> LaneRow<'_> {
        let (priority, run_at, id) = self.after;
        let is_taken = |jobs: usize| self.max_per_key.is_some_and(|max| jobs >= max);
        LaneRow {
            queue: &self.queue,
            priority,
            run_at: run_at.as_micros(),
            id: hex(id),
            taken_keys: self.by_key.iter().filter(|(_, jobs)| is_taken(**jobs)).map(|(key, _)| key.as_str()).collect(),
        }
    }

    /// Chooses from a page what there is room for.
    fn take(&mut self, mut page: Vec<Candidate>, tasks: &mut Tasks) {
        page.sort_unstable_by_key(|candidate| candidate.place);
        for Candidate { place, key, task } in page {
            self.after = place;
            if self.room == 0 {
                return;
            }
            let key = key.filter(|_| self.max_per_key.is_some());
            let running = key.as_ref().and_then(|key| self.by_key.get(key)).copied().unwrap_or(0);
            if self.max_per_key.is_some_and(|max| key.is_some() && running >= max) || !tasks.take(&task) {
                continue;
            }
            if let Some(key) = key {
                self.by_key.insert(key, running + 1);
            }
            self.room -= 1;
            self.chosen.push(place);
        }
    }
}

fn soonest(of: &mut Option<Duration>, other: Option<Duration>) {
    *of = match (*of, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}

fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
