//! Follows one job for an event stream: its history without a gap, its live progress without a flood, and its end.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::response::sse::Event;
use serde::Serialize;
use tracing::{error, warn};
use windlass_model::{EventKind, JobId, Progress};
use windlass_store::StoreError;

use crate::pace::{Pace, Woken};
use crate::router::Api;
use crate::routes::events::{HistoryView, ProgressEventView};
use crate::routes::jobs::whole;
use crate::routes::logs::LogLineView;

/// How many rows one look takes. A long history goes out in such pieces, so that no stream holds more of it in memory.
const PAGE: u32 = 500;

/// Follows one job.
pub(crate) struct Follower {
    api: Api,
    id: JobId,
    pace: Pace,
    /// The last event of the history that was sent.
    after: u64,
    /// The last line of the log that was sent; `None` if the client does not want the log.
    log_after: Option<u64>,
    /// How far the client believes that the job is, and in which attempt.
    told: (u32, Progress),
    ready: VecDeque<Event>,
    next_step: Next,
}

/// What to do once everything that is ready has been sent.
enum Next {
    /// Look at once: there may be more.
    Look,
    /// Wait until something may have changed.
    Wait,
    /// The stream ends.
    End,
}

impl Follower {
    /// Follows a job from after the event `after` of its history. It is on the watch from now on, so whatever happens after
    /// its first look is seen by a later one.
    pub(crate) fn new(api: Api, id: JobId, after: u64, logs: bool) -> Self {
        let pace = Pace::new(&api.handle, id, api.settings.poll_every, api.settings.stream_pace);
        Self {
            api,
            id,
            pace,
            after,
            log_after: logs.then_some(0),
            told: (0, Progress::default()),
            ready: VecDeque::new(),
            next_step: Next::Look,
        }
    }

    /// The next event; `None` when the stream ends.
    pub(crate) async fn next(&mut self) -> Option<Result<Event, Infallible>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            match self.next_step {
                Next::Look => (),
                Next::Wait => match self.pace.wait(&self.api.handle).await {
                    Woken::Look => (),
                    Woken::Stopping => return None,
                },
                Next::End => return None,
            }
            let id = self.id;
            self.next_step = match self.look().await {
                Ok(next) => next,
                Err(fault) if fault.is_passing() => {
                    let error = &fault as &(dyn std::error::Error + 'static);
                    warn!(error, job.id = %id, "The event stream of job {id} looks again in a moment: {fault}");
                    Next::Wait
                }
                Err(fault) => {
                    let error = &fault as &(dyn std::error::Error + 'static);
                    error!(error, job.id = %id, "The event stream of job {id} ends early: {fault}");
                    Next::End
                }
            };
        }
    }

    /// Makes ready what is new.
    ///
    /// The job is read before its history. So when the history (and the log) has nothing new any more, everything up to the
    /// moment at which the job was read has been sent, and its state and progress can be told without getting ahead of it.
    async fn look(&mut self) -> Result<Next, StoreError> {
        let Some(job) = self.api.handle.directory().job_get(self.id).await? else { return Ok(Next::End) };
        let is_more = self.take_history().await? | self.take_log().await?;
        if is_more {
            return Ok(Next::Look);
        }
        if job.state.is_final() {
            let view = whole(&self.api, job).await?;
            self.push("end", None, &view);
            return Ok(Next::End);
        }
        let now = (job.attempt, job.progress);
        if now != self.told && !now.1.is_empty() {
            let at = self.api.handle.now();
            self.push("progress", None, &ProgressEventView::new(now.1.clone(), now.0, at));
        }
        self.told = now;
        Ok(Next::Wait)
    }

    /// Makes a page of the history ready, and says whether it had anything.
    async fn take_history(&mut self) -> Result<bool, StoreError> {
        let events = self.api.handle.directory().event_list(self.id, self.after, PAGE).await?;
        for event in &events {
            self.after = event.seq;
            if let EventKind::Step(progress) = &event.kind {
                self.told = (event.attempt, progress.clone());
            }
            match HistoryView::from(event.clone()) {
                HistoryView::State(view) => self.push("state", Some(event.seq), &view),
                HistoryView::Step(view) => self.push("step", Some(event.seq), &view),
            }
        }
        Ok(!events.is_empty())
    }

    /// Makes a page of the log ready, and says whether it had anything.
    async fn take_log(&mut self) -> Result<bool, StoreError> {
        let Some(after) = self.log_after else { return Ok(false) };
        let lines = self.api.handle.directory().log_list(self.id, after, PAGE).await?;
        let is_any = !lines.is_empty();
        for line in lines {
            self.log_after = Some(line.seq);
            self.push("log", None, &LogLineView::from(line));
        }
        Ok(is_any)
    }

    fn push(&mut self, name: &str, seq: Option<u64>, data: &impl Serialize) {
        match Event::default().event(name).json_data(data) {
            Ok(event) => self.ready.push_back(match seq {
                Some(seq) => event.id(seq.to_string()),
                None => event,
            }),
            // Our own views always serialise; if one does not, the rest of the stream is still worth having.
            Err(fault) => {
                let (id, error) = (self.id, &fault as &(dyn std::error::Error + 'static));
                error!(error, job.id = %id, "An event `{name}` of job {id} cannot be written: {fault}");
            }
        }
    }
}
