//! Claims jobs as long as there is room to run them, and a few ahead while the slots take them fast.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use windlass_model::WorkerId;
use windlass_store::{Claimed, Claiming, FailPoint, JobQueue, Offer, StoreError};

use crate::buffer::{Buffer, Buffered};
use crate::clock;
use crate::executor::Executor;
use crate::port::TaskRunner;
use crate::slots::Slots;
use crate::wake::Wake;

/// The longest wait after an error.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// Claims jobs and hands each to the executor with the slot that it takes.
pub(crate) struct Dispatcher {
    pub(crate) worker: WorkerId,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) executor: Arc<Executor>,
    pub(crate) slots: Slots,
    pub(crate) wake: Wake,
    pub(crate) poll_every: Duration,
    pub(crate) claimed_ttl: Duration,
}

/// What was asked of the database, and how many jobs at most.
#[derive(Default)]
struct Asked {
    claim: Option<(u32, Claiming)>,
    offer: Option<(u32, Claiming)>,
    /// Whether there may be something for the offer to claim already.
    is_for_backlog: bool,
    /// Whether this database knows offers.
    knows_offers: bool,
}

/// When to look into the database.
struct Looking {
    /// There may be something that was not seen.
    may_find: bool,
    /// At the latest, whatever is told.
    poll_at: Instant,
    /// Not before, after an error.
    not_before: Option<Instant>,
    failures: u32,
    /// Whether an end may leave room for what was not claimed.
    is_bounded: bool,
}

impl Dispatcher {
    /// Runs until `stop` fires; then what has no slot is handed back.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let (wake, room) = (self.wake.for_dispatcher(), self.wake.for_room());
        let mut changes = self.runner.changes();
        let start = Instant::now();
        let mut buffer = Buffer::new(self.claimed_ttl, start);
        let mut looking = Looking { may_find: true, poll_at: start, not_before: None, failures: 0, is_bounded: false };
        let mut asked = Asked::default();
        while !stop.is_cancelled() {
            // Ask to be woken before looking: a job enqueued between the query and the wait would otherwise lie until the
            // next poll.
            let (woken, has_room) = (wake.notified(), room.notified());
            let now = Instant::now();
            self.fill_slots(&mut buffer, now);
            self.hand_back_overdue(&mut buffer, now);
            if asked.claim.is_none() {
                self.ask(&mut asked, &mut buffer, &mut looking, now);
            }
            let next = looking.next().min(buffer.next_overdue().unwrap_or(looking.poll_at));
            tokio::select! {
                () = stop.cancelled() => (),
                (wanted, claimed) = answer(&mut asked.claim) => {
                    asked.claim = None;
                    self.take(claimed, wanted, &mut buffer, &mut looking);
                }
                (wanted, claimed) = answer(&mut asked.offer) => {
                    asked.offer = None;
                    self.take(claimed, wanted, &mut buffer, &mut looking);
                }
                () = woken => looking.may_find = true,
                // What comes after a job that ended is told by the offer.
                () = has_room => looking.may_find |= looking.is_bounded || !asked.knows_offers,
                changed = changes.changed() => {
                    looking.may_find = true;
                    if changed.is_err() { break }
                }
                () = tokio::time::sleep_until(next.into()) => looking.turn(Instant::now(), self.poll_every),
            }
        }
        if self.queue.job_withdraw() {
            asked.offer = None;
        }
        // What a claim that is under way brings is this worker's: it goes back too.
        for (wanted, claim) in asked.claim.into_iter().chain(asked.offer) {
            self.take(claim.await, wanted, &mut buffer, &mut looking);
        }
        for job in buffer.drain() {
            self.executor.hand_back(job, "the worker shuts down");
        }
        info!("The dispatcher has stopped: no more jobs are claimed");
    }

    fn fill_slots(&self, buffer: &mut Buffer, now: Instant) {
        for _ in 0..self.slots.free() {
            let Some(job) = buffer.pop(now) else { return };
            self.executor.start(job);
        }
    }

    fn hand_back_overdue(&self, buffer: &mut Buffer, now: Instant) {
        for job in buffer.overdue(now) {
            debug!(job.id = %job.job.id, "Job {} is handed back: it waited here for a slot", job.job.id);
            self.executor.hand_back(job, "no slot became free on the worker that claimed it");
        }
    }

    /// Asks for what there is room for: at once if there may be something for idle slots, and otherwise along with what is written next.
    fn ask(&self, asked: &mut Asked, buffer: &mut Buffer, looking: &mut Looking, now: Instant) {
        let free = self.slots.free();
        let wanted = buffer.wanted(free, now);
        let mut may_find = looking.is_time(now) || (asked.offer.is_some() && asked.is_for_backlog);
        let is_urgent = may_find && free > buffer.len();
        let is_asked = asked
            .offer
            .as_ref()
            .is_some_and(|(offered, _)| wanted <= offered.saturating_mul(2) && asked.is_for_backlog == may_find);
        if wanted == 0 || (is_asked && !is_urgent) {
            return;
        }
        if asked.offer.is_some() {
            if !self.queue.job_withdraw() {
                // Its answer is under way.
                return;
            }
            asked.offer = None;
        }
        let tasks = self.slots.room(&*self.runner);
        // Nothing can be found until an end leaves room, and that wakes.
        if tasks.is_empty() {
            looking.may_find |= may_find;
            return;
        }
        if !is_urgent {
            let offer = self.queue.job_offer(self.worker, &tasks, wanted, may_find);
            asked.knows_offers = !matches!(offer, Offer::Unknown);
            may_find |= matches!(offer, Offer::Late);
            if let Offer::Standing(offer) = offer {
                (asked.offer, asked.is_for_backlog) = (Some((wanted, offer)), may_find);
            }
        }
        if may_find && asked.offer.is_none() {
            let (queue, worker) = (Arc::clone(&self.queue), self.worker);
            let claim = async move { queue.job_claim_within(worker, &tasks, wanted, None).await };
            asked.claim = Some((wanted, claim.boxed()));
        }
        if may_find {
            looking.may_find = false;
        }
    }

    fn take(&self, claimed: Result<Claimed, StoreError>, wanted: u32, buffer: &mut Buffer, looking: &mut Looking) {
        let now = Instant::now();
        let Claimed { jobs, again_in, is_bounded } = match claimed {
            Ok(claimed) => claimed,
            Err(fault) => {
                let pause = looking.fail(now);
                warn!(
                    error = &fault as &dyn std::error::Error,
                    "Cannot claim jobs, trying again in {pause:?}: {fault}"
                );
                return;
            }
        };
        (looking.failures, looking.is_bounded) = (0, is_bounded);
        let poll = clock::spread_out(self.poll_every);
        looking.poll_at = now + again_in.map_or(poll, |again_in| again_in.min(poll));
        if jobs.is_empty() {
            return;
        }
        FailPoint::AfterClaim.hit();
        // Where it took all that it might there may be more.
        looking.may_find |= jobs.len() >= wanted as usize;
        self.executor.bus.publish_progress(jobs.iter().map(|job| job.id));
        for job in jobs {
            let signals = self.executor.running.add(job.id, job.lease);
            let claim = self.slots.claim(&job.task);
            buffer.push(Buffered { job, signals, claim, since: now });
        }
    }
}

/// The answer to a claim, if one is under way.
async fn answer(asked: &mut Option<(u32, Claiming)>) -> (u32, Result<Claimed, StoreError>) {
    match asked {
        Some((wanted, claim)) => (*wanted, claim.await),
        None => std::future::pending().await,
    }
}

impl Looking {
    fn is_time(&self, now: Instant) -> bool {
        self.may_find && self.not_before.is_none_or(|time| time <= now)
    }

    /// When something is to be done at the latest.
    fn next(&self) -> Instant {
        self.not_before.unwrap_or(self.poll_at)
    }

    fn turn(&mut self, now: Instant, poll_every: Duration) {
        if self.not_before.is_some_and(|time| time <= now) {
            self.not_before = None;
            self.may_find = true;
        }
        if self.poll_at <= now {
            self.may_find = true;
            self.poll_at = now + clock::spread_out(poll_every);
        }
    }

    fn fail(&mut self, now: Instant) -> Duration {
        self.failures += 1;
        let pause = Duration::from_millis(100).saturating_mul(1 << self.failures.min(7)).min(MAX_BACKOFF);
        self.not_before = Some(now + pause);
        self.may_find = true;
        pause
    }
}
