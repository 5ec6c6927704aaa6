//! The cases.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, anyhow};
use uuid::Uuid;
use windlass_model::{
    AttemptError, AttemptFacts, AttemptOutcome, Backoff, Bounds, ErrorKind, Job, JobId, JobState, JsonText, Priority,
    Progress, QueueName, TaskName, Timestamp, Transition, WorkerId,
};

/// Does its thing so many times.
type Case = fn(u32) -> Result<()>;

/// All of them, by name.
pub(crate) const ALL: &[(&str, Case)] = &[
    ("enqueue_body_parse", enqueue_body_parse),
    ("arguments_parse", arguments_parse),
    ("job_view_render", job_view_render),
    ("transition_after_success", transition_after_success),
    ("transition_after_failure", transition_after_failure),
];

/// About 200 bytes, as `windlass bench` sends them.
const ARGS: &str = r#"{"customer":"Grace Hopper, Arlington","lines":[{"article":"relay","pieces":17,"cents":1240},{"article":"moth trap","pieces":1,"cents":89900}],"note":"Please leave the parcel with the neighbour."}"#;

const NOW: Timestamp = Timestamp::EPOCH;

/// A request to enqueue one job: parsed and checked.
fn enqueue_body_parse(calls: u32) -> Result<()> {
    let body = format!(r#"{{"task":"noop","queue":"orders","priority":0,"args":{ARGS}}}"#);
    for _ in 0..calls {
        black_box(windlass_api::parse_enqueue(black_box(&body), NOW).map_err(|fault| anyhow!("{fault:?}"))?);
    }
    Ok(())
}

/// The arguments alone.
fn arguments_parse(calls: u32) -> Result<()> {
    for _ in 0..calls {
        black_box(JsonText::parse(black_box(ARGS))?);
    }
    Ok(())
}

/// A job as an answer says it.
fn job_view_render(calls: u32) -> Result<()> {
    let job = job()?;
    for _ in 0..calls {
        black_box(windlass_api::render_job(black_box(job.clone())));
    }
    Ok(())
}

/// What becomes of a job whose attempt ended well.
fn transition_after_success(calls: u32) -> Result<()> {
    let (job, output) = (job()?, JsonText::parse(ARGS)?);
    for _ in 0..calls {
        let outcome = AttemptOutcome::Completed(black_box(&output).clone());
        black_box(Transition::after(AttemptFacts::of(black_box(&job)), outcome, Bounds::default(), 0.5));
    }
    Ok(())
}

/// What becomes of a job whose attempt failed and that has more.
fn transition_after_failure(calls: u32) -> Result<()> {
    let job = job()?;
    for _ in 0..calls {
        let outcome = AttemptOutcome::Failed(AttemptError::new(ErrorKind::Retryable, "not today"));
        black_box(Transition::after(AttemptFacts::of(black_box(&job)), outcome, Bounds::default(), 0.5));
    }
    Ok(())
}

/// A job that runs.
fn job() -> Result<Job> {
    Ok(Job {
        id: JobId::from_uuid(Uuid::from_u128(1)),
        task: TaskName::parse("noop")?,
        queue: QueueName::default(),
        priority: Priority::default(),
        state: JobState::Running,
        args: JsonText::parse(ARGS)?,
        output: None,
        error: None,
        attempt: 1,
        max_attempts: 5,
        timeout: Some(Duration::from_secs(60)),
        backoff: Backoff::default(),
        lease: 1,
        worker_id: Some(WorkerId::from_uuid(Uuid::from_u128(2))),
        crash_count: 0,
        host_fault_count: 0,
        cancel_requested_at: None,
        progress: Progress::default(),
        tags: Vec::new(),
        metadata: JsonText::parse("{}")?,
        plugin_digest: None,
        created_at: NOW,
        run_at: NOW,
        started_at: Some(NOW),
        finished_at: None,
        expires_at: None,
        concurrency_key: None,
        parent_id: None,
        waits_for: 0,
        bill: None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_case_can_be_called() {
        for (name, case) in super::ALL {
            case(3).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
