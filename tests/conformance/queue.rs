//! Claim, report, finish: each promise of `JobQueue`.

use std::collections::HashSet;

use windlass_model::{
    Artifact, AttemptOutcome, ErrorKind, EventKind, JobId, JobState, LogLine, LogStream, NewJob, Progress,
};
use windlass_store::{FinishOutcome, Finished, StepReport};

use crate::fixture::{
    Fixture, assert_refused, at, completed, due, failed, fatal, finished, ids, job_id, json, line, new_job, priority,
    progress, report, seconds, task, worker_id,
};

// job_claim

pub(crate) async fn jobs_are_claimed_by_priority_then_run_at_then_id(f: Fixture) {
    let urgent = NewJob { priority: priority(-1), ..due(9, -1) };
    let idle = NewJob { priority: priority(5), ..due(1, -100) };
    f.add(&[idle, due(4, -2), due(3, -2), due(5, -3), urgent]).await;
    let mut taken = ids(&f.claim(1, 3, at(1)).await);
    assert_eq!(taken, [9, 5, 3].map(job_id));
    taken.extend(ids(&f.claim(1, 9, at(1)).await));
    assert_eq!(taken, [9, 5, 3, 4, 1].map(job_id));
}

pub(crate) async fn a_claimed_job_is_returned_as_it_is_after_the_claim(f: Fixture) {
    f.add(&[new_job(1)]).await;
    let claimed = f.claim(1, 1, at(3)).await.remove(0);
    for job in [claimed, f.get(job_id(1)).await] {
        assert_eq!((job.state, job.lease, job.attempt), (JobState::Running, 1, 1));
        assert_eq!((job.worker_id, job.started_at), (Some(worker_id(1)), Some(at(3))));
        assert!(job.progress.is_empty() && job.finished_at.is_none());
    }
}

pub(crate) async fn a_second_claim_raises_the_lease_and_the_attempt_and_empties_the_progress(f: Fixture) {
    let running = f.running(1).await;
    let end = Finished { progress: progress(40, 2, "reading"), ..finished(&running, AttemptOutcome::Interrupted) };
    f.record(end).await;
    let again = f.claim(2, 1, at(9)).await.remove(0);
    // The interrupted attempt was handed back, so it has the same number; the lease never goes back.
    assert_eq!((again.lease, again.attempt, again.started_at), (2, 1, Some(at(9))));
    assert!(again.progress.is_empty());
    f.finish(&again, failed()).await;
    f.store.job_promote(9, Some(at(600))).await.unwrap();
    let third = f.claim(2, 1, at(600)).await.remove(0);
    assert_eq!((third.lease, third.attempt), (3, 2));
}

pub(crate) async fn a_claim_is_in_the_history(f: Fixture) {
    f.add(&[new_job(1), new_job(2)]).await;
    f.claim(1, 2, at(3)).await;
    for id in [1, 2] {
        let last = f.history(job_id(id)).await.pop().unwrap();
        assert_eq!((last.seq, last.at, last.attempt), (2, at(3), 1));
        assert_eq!(last.kind, EventKind::State { state: JobState::Running, reason: None });
    }
}

pub(crate) async fn a_claim_takes_at_most_its_limit(f: Fixture) {
    f.add(&[new_job(1), new_job(2), new_job(3)]).await;
    assert_eq!(ids(&f.claim(1, 2, at(1)).await), [job_id(1), job_id(2)]);
    assert_eq!(f.get(job_id(3)).await.state, JobState::Available);
}

pub(crate) async fn no_job_is_handed_out_twice(f: Fixture) {
    let jobs: Vec<_> = (1..=40).map(new_job).collect();
    f.add(&jobs).await;
    let claims = (0..8).map(|worker| {
        let store = f.store.clone();
        tokio::spawn(async move { store.job_claim(worker_id(worker), &[task("export")], 7, Some(at(1))).await })
    });
    let mut taken = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        taken.extend(claim.await.unwrap().unwrap());
    }
    assert_eq!(taken.len(), 40);
    assert_eq!(ids(&taken).into_iter().collect::<HashSet<_>>().len(), 40);
    assert!(taken.iter().all(|job| job.lease == 1));
}

pub(crate) async fn only_jobs_of_the_given_tasks_are_claimed(f: Fixture) {
    let of = |id, name| NewJob { task: task(name), ..new_job(id) };
    f.add(&[of(1, "import"), of(2, "export"), of(3, "resize")]).await;
    let claimed = f.store.job_claim(worker_id(1), &[task("resize"), task("export")], 9, Some(at(1))).await.unwrap();
    assert_eq!(ids(&claimed), [job_id(2), job_id(3)]);
    assert_eq!(f.get(job_id(1)).await.state, JobState::Available);
}

pub(crate) async fn only_available_jobs_are_claimed(f: Fixture) {
    let retryable = f.running(1).await;
    f.finish(&retryable, failed()).await;
    let over = f.running(2).await;
    f.finish(&over, completed()).await;
    f.add(&[due(3, 60)]).await;
    f.running(4).await;
    // Long after everything is due: it is upkeep that makes a waiting job available.
    assert!(f.claim(1, 9, at(9_999)).await.is_empty());
}

pub(crate) async fn a_claim_of_no_jobs_or_no_tasks_takes_nothing(f: Fixture) {
    f.add(&[new_job(1)]).await;
    assert!(f.claim(1, 0, at(1)).await.is_empty());
    assert!(f.store.job_claim(worker_id(1), &[], 9, Some(at(1))).await.unwrap().is_empty());
    assert_eq!(f.get(job_id(1)).await.state, JobState::Available);
}

// job_finish

pub(crate) async fn a_finished_attempt_is_written_down_as_a_whole(f: Fixture) {
    let running = f.running(1).await;
    let artifact = artifact("report.csv", 1);
    let end = Finished {
        progress: progress(100, 2, "done"),
        steps: vec![(at(2), progress(50, 1, "half")), (at(3), progress(90, 2, "more"))],
        logs: vec![line(&running, "one"), line(&running, "two")],
        artifacts: vec![artifact.clone()],
        ..finished(&running, completed())
    };
    let job = f.record(end).await;
    assert_eq!((job.state, job.finished_at, job.worker_id), (JobState::Completed, Some(at(5)), None));
    assert_eq!((job.attempt, job.lease, job.run_at), (1, 1, at(0)));
    assert_eq!(job.output, Some(json(r#"{"rows":1.10}"#)));
    assert_eq!((job.progress, job.plugin_digest), (progress(100, 2, "done"), Some("d1".to_owned())));
    assert_eq!(f.log(job.id).await, ["one", "two"]);
    assert_eq!(f.store.artifact_list(job.id).await.unwrap(), [artifact]);

    let history: Vec<_> = f.history(job.id).await.into_iter().map(|event| (event.seq, event.at, event.kind)).collect();
    let state = |state| EventKind::State { state, reason: None };
    assert_eq!(
        history[2..],
        [
            (3, at(2), EventKind::Step(progress(50, 1, "half"))),
            (4, at(3), EventKind::Step(progress(90, 2, "more"))),
            (5, at(5), state(JobState::Completed)),
        ]
    );
    let attempt = f.attempts(job.id).await.remove(0);
    assert_eq!((attempt.lease, attempt.attempt, attempt.worker_id), (1, 1, worker_id(1)));
    assert_eq!((attempt.started_at, attempt.ended_at), (at(1), Some(at(5))));
    assert_eq!((attempt.plugin_digest, attempt.error), (Some("d1".to_owned()), None));
}

pub(crate) async fn a_failed_attempt_keeps_its_error_and_the_job_waits_for_its_delay(f: Fixture) {
    let running = f.running(1).await;
    let job = f.finish(&running, failed()).await;
    // The default backoff starts with two seconds, counted from the finish.
    assert_eq!((job.state, job.run_at, job.finished_at), (JobState::Retryable, at(7), None));
    assert_eq!((job.attempt, job.lease, job.worker_id), (1, 1, None));
    let attempt = f.attempts(job.id).await.remove(0);
    assert_eq!(attempt.error.as_ref().unwrap().kind, ErrorKind::Retryable);
    assert_eq!(attempt.error, job.error);
    let last = f.history(job.id).await.pop().unwrap().kind;
    let reason = Some("retryable: the server is away".to_owned());
    assert_eq!(last, EventKind::State { state: JobState::Retryable, reason });
}

pub(crate) async fn an_attempt_that_does_not_count_gives_its_number_back(f: Fixture) {
    let running = f.running(1).await;
    let job = f.finish(&running, AttemptOutcome::Snoozed(seconds(60))).await;
    assert_eq!((job.state, job.attempt, job.lease, job.run_at), (JobState::Scheduled, 0, 1, at(65)));
    // What ran still has the number that it ran under.
    assert_eq!(f.attempts(job.id).await[0].attempt, 1);
    assert_eq!(f.history(job.id).await.pop().unwrap().attempt, 1);
}

pub(crate) async fn the_counts_of_crashes_and_host_faults_are_written_down(f: Fixture) {
    let running = f.running(1).await;
    let job = f.finish(&running, AttemptOutcome::HostFault("the disk is full".to_owned())).await;
    assert_eq!((job.host_fault_count, job.crash_count, job.attempt), (1, 0, 0));
    let mut end = finished(&running, failed());
    end.transition.crash_count = 2;
    f.store.job_promote(1, Some(at(60))).await.unwrap();
    end.attempt.lease = f.claim(1, 1, at(60)).await.remove(0).lease;
    assert_eq!(f.record(end).await.crash_count, 2);
}

pub(crate) async fn a_wait_without_end_stops_at_the_last_time_that_can_be_kept(f: Fixture) {
    let running = f.running(1).await;
    let forever = AttemptOutcome::Snoozed(std::time::Duration::from_millis(u64::MAX));
    let job = f.finish(&running, forever).await;
    assert_eq!((job.state, job.run_at), (JobState::Scheduled, windlass_model::Timestamp::MAX));
    assert!(f.claim(1, 1, at(9)).await.is_empty());
}

pub(crate) async fn only_a_completed_job_keeps_the_artifacts_of_its_attempt(f: Fixture) {
    for (id, outcome) in [(1, failed()), (2, fatal())] {
        let running = f.running(id).await;
        let end = Finished { artifacts: vec![artifact("part.csv", 1)], ..finished(&running, outcome) };
        f.record(end).await;
        assert!(f.store.artifact_list(job_id(id)).await.unwrap().is_empty());
    }
}

pub(crate) async fn a_later_attempts_artifact_takes_the_place_of_an_earlier_one(f: Fixture) {
    for lease in [1, 2] {
        if lease == 1 {
            f.add(&[new_job(1)]).await;
        } else {
            f.store.job_retry(job_id(1), Some(at(9))).await.unwrap();
        }
        let running = f.claim(1, 1, at(9)).await.remove(0);
        let end = Finished { artifacts: vec![artifact("report.csv", lease)], ..finished(&running, completed()) };
        f.record(end).await;
    }
    assert_eq!(f.store.artifact_list(job_id(1)).await.unwrap(), [artifact("report.csv", 2)]);
}

pub(crate) async fn a_stale_lease_cannot_finish_a_job(f: Fixture) {
    let (old, new) = f.stolen(1).await;
    let before = f.history(new.id).await;
    let end = Finished {
        progress: progress(99, 9, "late"),
        steps: vec![(at(101), progress(99, 9, "late"))],
        logs: vec![line(&old, "late")],
        artifacts: vec![artifact("late.csv", 1)],
        ..finished(&old, completed())
    };
    let outcome = f.finish_at(at(101), end).await;
    assert!(matches!(outcome, FinishOutcome::Stale), "{outcome:?}");
    let job = f.get(new.id).await;
    assert_eq!((job.state, job.lease, job.worker_id), (JobState::Running, 2, Some(worker_id(2))));
    assert!(job.output.is_none() && job.progress.is_empty());
    assert_eq!(f.history(new.id).await, before);
    assert!(f.log(new.id).await.is_empty());
    assert!(f.store.artifact_list(new.id).await.unwrap().is_empty());
    // One that was lost, and the one that runs.
    assert_eq!(f.attempts(new.id).await.len(), 2);
    assert_eq!(f.finish(&new, completed()).await.state, JobState::Completed);
}

pub(crate) async fn a_job_that_does_not_run_cannot_be_finished_under_its_last_lease(f: Fixture) {
    let running = f.running(1).await;
    f.finish(&running, failed()).await;
    let outcome = f.finish_at(at(6), finished(&running, completed())).await;
    assert!(matches!(outcome, FinishOutcome::Stale), "{outcome:?}");
    let job = f.get(running.id).await;
    assert_eq!((job.state, job.lease, job.output), (JobState::Retryable, 1, None));
}

pub(crate) async fn a_finish_may_be_repeated_and_is_stale_the_second_time(f: Fixture) {
    let running = f.running(1).await;
    let end = Finished { logs: vec![line(&running, "one")], ..finished(&running, completed()) };
    f.record(end.clone()).await;
    let outcome = f.finish_at(at(6), end).await;
    assert!(matches!(outcome, FinishOutcome::Stale), "{outcome:?}");
    assert_eq!(f.get(running.id).await.finished_at, Some(at(5)));
    assert_eq!(f.log(running.id).await.len(), 1);
    assert_eq!(f.attempts(running.id).await.len(), 1);
    assert_eq!(f.states(running.id).await.len(), 3);
}

pub(crate) async fn a_job_that_is_not_there_cannot_be_finished(f: Fixture) {
    let mut end = finished(&f.running(1).await, completed());
    end.attempt.job_id = job_id(2);
    let outcome = f.finish_at(at(6), end).await;
    assert!(matches!(outcome, FinishOutcome::Stale), "{outcome:?}");
}

pub(crate) async fn each_of_a_list_is_fenced_for_itself_and_answered_in_its_place(f: Fixture) {
    let (old, new) = f.stolen(2).await;
    let (first, third) = (f.running(1).await, f.running(3).await);
    let list = [finished(&third, completed()), finished(&old, completed()), finished(&first, failed())];
    let outcomes = f.store.job_finish(&list, Some(at(105))).await.unwrap();
    assert!(
        matches!(outcomes[..], [FinishOutcome::Recorded, FinishOutcome::Stale, FinishOutcome::Recorded]),
        "{outcomes:?}"
    );
    assert_eq!(f.get(third.id).await.state, JobState::Completed);
    assert_eq!(f.get(new.id).await.state, JobState::Running);
    assert_eq!(f.get(first.id).await.state, JobState::Retryable);
}

pub(crate) async fn an_old_and_the_present_lease_of_one_job_may_be_in_one_list(f: Fixture) {
    let (old, new) = f.stolen(1).await;
    let list = [finished(&old, fatal()), finished(&new, completed())];
    let outcomes = f.store.job_finish(&list, Some(at(105))).await.unwrap();
    assert!(matches!(outcomes[..], [FinishOutcome::Stale, FinishOutcome::Recorded]), "{outcomes:?}");
    let job = f.get(new.id).await;
    assert_eq!((job.state, job.error), (JobState::Completed, None));
}

pub(crate) async fn a_list_is_written_as_a_whole_or_not_at_all(f: Fixture) {
    let (first, second) = (f.running(1).await, f.running(2).await);
    let mut bad = finished(&second, completed());
    // No attempt ends in this state, so the schema refuses it.
    bad.transition.to = JobState::Running;
    assert_refused(f.store.job_finish(&[finished(&first, completed()), bad], Some(at(5))).await);
    for id in [first.id, second.id] {
        assert_eq!(f.get(id).await.state, JobState::Running);
        assert_eq!(f.states(id).await.len(), 2);
    }
}

pub(crate) async fn an_empty_list_of_ends_writes_nothing(f: Fixture) {
    assert!(f.store.job_finish(&[], Some(at(1))).await.unwrap().is_empty());
}

pub(crate) async fn a_wish_to_cancel_that_came_while_the_attempt_failed_cancels_the_job(f: Fixture) {
    let waits = [failed(), AttemptOutcome::Snoozed(seconds(60)), AttemptOutcome::Interrupted];
    for (id, outcome) in (1..).zip(waits) {
        let running = f.running(id).await;
        // The end was decided before the wish came.
        let end = finished(&running, outcome);
        f.store.job_cancel(running.id, Some(at(4))).await.unwrap();
        let job = f.record(end).await;
        assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(5))));
        assert_eq!(job.error.unwrap().kind, ErrorKind::Cancelled);
        assert_eq!(f.states(job.id).await.pop(), Some(JobState::Cancelled));
        assert_eq!(f.attempts(job.id).await.len(), 1);
        assert!(f.claim(1, 9, at(9_999)).await.is_empty());
    }
}

pub(crate) async fn a_wish_to_cancel_does_not_change_an_end_that_is_final(f: Fixture) {
    for (id, outcome, state) in [(1, completed(), JobState::Completed), (2, fatal(), JobState::Discarded)] {
        let running = f.running(id).await;
        let end = finished(&running, outcome);
        f.store.job_cancel(running.id, Some(at(4))).await.unwrap();
        assert_eq!(f.record(end).await.state, state);
    }
}

// job_report

pub(crate) async fn a_report_keeps_progress_steps_and_log(f: Fixture) {
    let running = f.running(1).await;
    let first = StepReport {
        progress: progress(20, 1, "reading"),
        steps: vec![(at(2), progress(0, 1, "reading")), (at(3), progress(20, 2, "writing"))],
        logs: vec![line(&running, "one"), line(&running, "two")],
        ..report(&running)
    };
    assert!(f.store.job_report(&first, Some(at(4))).await.unwrap());
    assert_eq!(f.get(running.id).await.progress, progress(20, 1, "reading"));
    let second = StepReport {
        progress: progress(60, 3, "closing"),
        steps: vec![(at(5), progress(60, 3, "closing"))],
        logs: vec![line(&running, "three")],
        ..report(&running)
    };
    assert!(f.store.job_report(&second, Some(at(6))).await.unwrap());
    assert_eq!(f.get(running.id).await.progress, progress(60, 3, "closing"));

    let steps: Vec<_> = f.history(running.id).await.split_off(2);
    let told: Vec<_> = steps.into_iter().map(|event| (event.seq, event.at, event.attempt, event.kind)).collect();
    assert_eq!(
        told,
        [
            (3, at(2), 1, EventKind::Step(progress(0, 1, "reading"))),
            (4, at(3), 1, EventKind::Step(progress(20, 2, "writing"))),
            (5, at(5), 1, EventKind::Step(progress(60, 3, "closing"))),
        ]
    );
    assert_eq!(f.log(running.id).await, ["one", "two", "three"]);
    assert_eq!(f.get(running.id).await.state, JobState::Running);
}

pub(crate) async fn a_stale_lease_cannot_report(f: Fixture) {
    let (old, new) = f.stolen(1).await;
    let before = f.history(new.id).await;
    assert!(!f.store.job_report(&full_report(&old), Some(at(101))).await.unwrap());
    assert!(f.get(new.id).await.progress.is_empty());
    assert_eq!(f.history(new.id).await, before);
    assert!(f.log(new.id).await.is_empty());
}

pub(crate) async fn a_job_that_does_not_run_takes_no_report(f: Fixture) {
    let running = f.running(1).await;
    f.finish(&running, completed()).await;
    assert!(!f.store.job_report(&full_report(&running), Some(at(6))).await.unwrap());
    assert!(f.get(running.id).await.progress.is_empty());
    assert!(f.log(running.id).await.is_empty());
    let elsewhere = StepReport { id: job_id(9), ..full_report(&running) };
    assert!(!f.store.job_report(&elsewhere, Some(at(6))).await.unwrap());
}

pub(crate) async fn a_lease_that_was_never_given_out_holds_nothing(f: Fixture) {
    let running = f.running(1).await;
    for lease in [0, 2, u64::MAX] {
        assert!(!f.store.job_report(&StepReport { lease, ..full_report(&running) }, Some(at(2))).await.unwrap());
        assert!(!f.store.checkpoint_save(running.id, lease, b"x").await.unwrap());
    }
}

pub(crate) async fn what_a_handler_wrote_comes_back_as_it_was(f: Fixture) {
    let running = f.running(1).await;
    let texts = ["", "tab\t and \"quotes\" and \\", "ü 猫 🦀", "{\"a\":1}", "null", "12"];
    let logs: Vec<_> = texts.iter().map(|text| line(&running, text)).collect();
    let status = Progress { status_info: Some(texts[2].to_owned()), ..Progress::default() };
    let told = StepReport { progress: status.clone(), logs, ..report(&running) };
    assert!(f.store.job_report(&told, Some(at(2))).await.unwrap());
    assert_eq!(f.log(running.id).await, texts);
    assert_eq!(f.get(running.id).await.progress, status);
    let first = f.store.log_list(running.id, 0, 1).await.unwrap().remove(0);
    let expected = LogLine { seq: 1, at: at(2), attempt: 1, stream: LogStream::Stdout, text: String::new() };
    assert_eq!(first, expected);
}

// checkpoint_save, checkpoint_load

pub(crate) async fn a_checkpoint_takes_the_place_of_the_one_before(f: Fixture) {
    let running = f.running(1).await;
    assert!(f.store.checkpoint_save(running.id, 1, b"first, and longer").await.unwrap());
    assert!(f.store.checkpoint_save(running.id, 1, &[0, 255, 1]).await.unwrap());
    assert_eq!(load(&f, running.id).await, Some(vec![0, 255, 1]));
    assert!(f.store.checkpoint_save(running.id, 1, b"").await.unwrap());
    assert_eq!(load(&f, running.id).await, Some(Vec::new()));
}

pub(crate) async fn a_checkpoint_is_there_for_the_next_attempt(f: Fixture) {
    let running = f.running(1).await;
    f.store.checkpoint_save(running.id, 1, b"row 7").await.unwrap();
    f.finish(&running, failed()).await;
    f.store.job_promote(1, Some(at(60))).await.unwrap();
    let again = f.claim(2, 1, at(60)).await.remove(0);
    assert_eq!(load(&f, again.id).await, Some(b"row 7".to_vec()));
    assert!(f.store.checkpoint_save(again.id, again.lease, b"row 9").await.unwrap());
    assert_eq!(load(&f, again.id).await, Some(b"row 9".to_vec()));
}

pub(crate) async fn a_stale_lease_cannot_keep_a_checkpoint(f: Fixture) {
    let (old, new) = f.stolen(1).await;
    assert!(f.store.checkpoint_save(new.id, new.lease, b"new").await.unwrap());
    assert!(!f.store.checkpoint_save(old.id, old.lease, b"old").await.unwrap());
    assert_eq!(load(&f, new.id).await, Some(b"new".to_vec()));
    f.finish(&new, failed()).await;
    assert!(!f.store.checkpoint_save(new.id, new.lease, b"late").await.unwrap());
    assert_eq!(load(&f, new.id).await, Some(b"new".to_vec()));
}

pub(crate) async fn a_job_without_a_checkpoint_has_none(f: Fixture) {
    let running = f.running(1).await;
    assert_eq!(load(&f, running.id).await, None);
    assert_eq!(load(&f, job_id(9)).await, None);
}

pub(crate) async fn a_job_that_is_over_keeps_no_checkpoint(f: Fixture) {
    let endings = [(1, completed()), (2, fatal())];
    for (id, outcome) in endings {
        let running = f.running(id).await;
        f.store.checkpoint_save(running.id, 1, b"row 7").await.unwrap();
        f.finish(&running, outcome).await;
        assert_eq!(load(&f, running.id).await, None);
    }
    let waiting = f.running(3).await;
    f.store.checkpoint_save(waiting.id, 1, b"row 7").await.unwrap();
    f.finish(&waiting, failed()).await;
    f.store.job_cancel(waiting.id, Some(at(6))).await.unwrap();
    assert_eq!(load(&f, waiting.id).await, None);
}

async fn load(f: &Fixture, id: JobId) -> Option<Vec<u8>> {
    f.store.checkpoint_load(id).await.unwrap()
}

fn full_report(job: &windlass_model::Job) -> StepReport {
    StepReport {
        progress: progress(99, 9, "late"),
        steps: vec![(at(101), progress(99, 9, "late"))],
        logs: vec![line(job, "late")],
        ..report(job)
    }
}

fn artifact(name: &str, lease: u64) -> Artifact {
    Artifact {
        name: name.to_owned(),
        bytes: 12 + lease,
        content_type: "text/csv".to_owned(),
        sha256: format!("{lease:064x}"),
        lease,
    }
}
