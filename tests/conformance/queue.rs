//! Claim, report, finish.

use std::time::Duration;

use windlass_model::{
    Artifact, AttemptError, AttemptOutcome, Bill, ErrorKind, EventKind, JobState, JsonText, LogLine, LogStream, NewJob,
    Priority, Progress, TaskName, Timestamp,
};
use windlass_store::{CancelOutcome, FinishOutcome, Finished, StepReport};

use crate::fixture::{
    Fixture, Store, at, done, failed, fatal, finished, full_report, id, later, line, new_job, progress, report, task,
    worker,
};

fn artifact(name: &str) -> Artifact {
    Artifact { name: name.to_owned(), bytes: 3, content_type: "text/csv".to_owned(), sha256: "00".to_owned(), lease: 1 }
}

pub(crate) async fn a_claim_raises_lease_and_attempt_and_names_the_worker<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    assert_eq!((job.state, job.lease, job.attempt), (JobState::Running, 1, 1));
    assert_eq!((job.worker_id, job.started_at), (Some(worker(1)), Some(at(1))));
    assert_eq!(db.states(job.id).await, ["available", "running"]);
}

pub(crate) async fn jobs_are_claimed_by_priority_then_run_at_then_id<S: Store>(db: &Fixture<S>) {
    let urgent = NewJob { priority: Priority::try_from(-5).unwrap(), ..new_job(9) };
    let earlier = later(8, windlass_model::Timestamp::from_micros(1_000));
    for job in [new_job(4), new_job(3), new_job(2), earlier, urgent] {
        db.add(job).await;
    }
    // One by one, and then two at once: which jobs are taken, and in what order they are returned.
    for expected in [9, 8, 2] {
        assert_eq!(db.claim(1).await.id, id(expected));
    }
    let claimed = db.store.job_claim(worker(1), &[task()], 10, Some(at(1))).await.unwrap().jobs;
    assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>(), [id(3), id(4)]);
}

pub(crate) async fn no_job_is_handed_out_twice<S: Store>(db: &Fixture<S>) {
    let jobs: Vec<_> = (1..=40).map(new_job).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    let tasks = [task()];
    let claim = |by| db.store.job_claim(worker(by), &tasks, 15, Some(at(1)));
    let (first, second, third) = tokio::join!(claim(1), claim(2), claim(3));
    let mut ids: Vec<_> =
        [first, second, third].into_iter().flat_map(|claimed| claimed.unwrap().jobs).map(|job| job.id).collect();
    assert_eq!(ids.len(), 40);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

pub(crate) async fn a_claim_takes_no_more_than_its_limit<S: Store>(db: &Fixture<S>) {
    let jobs: Vec<_> = (1..=5).map(new_job).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    assert_eq!(db.store.job_claim(worker(1), &[task()], 2, Some(at(1))).await.unwrap().jobs.len(), 2);
    assert_eq!(db.store.job_claim(worker(1), &[task()], 9, Some(at(1))).await.unwrap().jobs.len(), 3);
}

pub(crate) async fn a_claim_takes_only_the_given_tasks<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    let other = TaskName::parse("other").unwrap();
    assert!(db.store.job_claim(worker(1), std::slice::from_ref(&other), 9, Some(at(1))).await.unwrap().jobs.is_empty());
    assert_eq!(db.store.job_claim(worker(1), &[other, task()], 9, Some(at(1))).await.unwrap().jobs.len(), 1);
}

pub(crate) async fn a_claim_for_nothing_takes_nothing<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    assert!(db.store.job_claim(worker(1), &[task()], 0, Some(at(1))).await.unwrap().jobs.is_empty());
    assert!(db.store.job_claim(worker(1), &[], 9, Some(at(1))).await.unwrap().jobs.is_empty());
}

pub(crate) async fn a_completed_job_has_its_output_its_artifacts_and_an_end<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let end = Finished { artifacts: vec![artifact("b.csv"), artifact("a.csv")], ..done(&job) };
    assert!(matches!(db.store.job_finish(&[end], Some(at(5))).await.unwrap()[..], [FinishOutcome::Recorded]));
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.finished_at, job.worker_id), (JobState::Completed, Some(at(5)), None));
    assert_eq!((job.output.unwrap().as_str(), job.plugin_digest.as_deref()), (r#"{"rows": 3}"#, Some("abc")));
    assert_eq!(job.progress, progress(100, 9));
    assert_eq!(db.store.artifact_list(job.id).await.unwrap(), [artifact("a.csv"), artifact("b.csv")]);
    let attempts = db.store.attempt_list(job.id).await.unwrap();
    assert_eq!((attempts.len(), attempts[0].ended_at, &attempts[0].error), (1, Some(at(5)), &None));
}

pub(crate) async fn a_failed_attempt_waits_for_its_delay<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_finish(&[failed(&job)], Some(at(5))).await.unwrap();
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.run_at, job.attempt), (JobState::Retryable, at(7), 1));
    assert_eq!((job.error.unwrap().message.as_str(), job.finished_at), ("not today", None));
    assert!(db.store.job_claim(worker(1), &[task()], 1, Some(at(6))).await.unwrap().jobs.is_empty());
}

pub(crate) async fn an_attempt_that_does_not_count_is_given_back<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let snoozed = finished(&job, AttemptOutcome::Snoozed(Duration::from_secs(30)));
    db.store.job_finish(&[snoozed], Some(at(5))).await.unwrap();
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.run_at, job.attempt, job.lease), (JobState::Scheduled, at(35), 0, 1));
}

pub(crate) async fn a_stale_lease_cannot_finish_a_job<S: Store>(db: &Fixture<S>) {
    let first = db.running(1).await;
    db.store.job_finish(&[finished(&first, AttemptOutcome::Interrupted)], Some(at(2))).await.unwrap();
    let second = db.claim(2).await;
    assert_eq!(second.lease, 2);
    assert!(matches!(db.store.job_finish(&[done(&first)], Some(at(3))).await.unwrap()[..], [FinishOutcome::Stale]));
    let job = db.get(first.id).await;
    assert_eq!((job.state, job.lease, job.worker_id), (JobState::Running, 2, Some(worker(2))));
    assert_eq!(db.store.attempt_list(job.id).await.unwrap().len(), 2);
}

pub(crate) async fn a_finish_that_is_repeated_is_stale<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_finish(&[done(&job)], Some(at(2))).await.unwrap();
    assert!(matches!(db.store.job_finish(&[failed(&job)], Some(at(3))).await.unwrap()[..], [FinishOutcome::Stale]));
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.finished_at), (JobState::Completed, Some(at(2))));
}

pub(crate) async fn one_stale_finish_does_not_hold_up_the_others<S: Store>(db: &Fixture<S>) {
    let (first, second) = (db.running(1).await, db.running(2).await);
    let stale = Finished { attempt: windlass_model::Attempt { lease: 77, ..done(&first).attempt }, ..done(&first) };
    let outcomes = db.store.job_finish(&[stale, done(&second)], Some(at(2))).await.unwrap();
    assert!(matches!(outcomes[..], [FinishOutcome::Stale, FinishOutcome::Recorded]));
    assert_eq!(db.get(first.id).await.state, JobState::Running);
    assert_eq!(db.get(second.id).await.state, JobState::Completed);
}

pub(crate) async fn a_wish_to_cancel_that_came_before_the_finish_holds<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let wish = db.store.job_cancel(job.id, Some(at(2))).await.unwrap();
    assert!(matches!(wish, CancelOutcome::Requested(_)));
    // The attempt's own view of the job is from before the wish.
    db.store.job_finish(&[failed(&job)], Some(at(3))).await.unwrap();
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(3))));
    assert_eq!(db.states(job.id).await, ["available", "running", "retryable", "cancelled"]);
}

pub(crate) async fn artifacts_of_a_failed_attempt_are_not_kept<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let end = Finished { artifacts: vec![artifact("a.csv")], ..failed(&job) };
    db.store.job_finish(&[end], Some(at(2))).await.unwrap();
    assert!(db.store.artifact_list(job.id).await.unwrap().is_empty());
}

pub(crate) async fn a_report_is_seen_at_once_and_the_next_claim_starts_anew<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    for percent in [10, 40] {
        assert!(db.store.job_report(&report(&job, progress(percent, 1)), Some(at(2))).await.unwrap());
    }
    assert_eq!(db.get(job.id).await.progress, progress(40, 1));
    db.store.job_finish(&[finished(&job, AttemptOutcome::Interrupted)], Some(at(3))).await.unwrap();
    assert_eq!(db.get(job.id).await.progress, progress(100, 9));
    db.claim(1).await;
    assert_eq!(db.get(job.id).await.progress, Progress::default());
}

pub(crate) async fn a_stale_report_writes_nothing<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_finish(&[finished(&job, AttemptOutcome::Interrupted)], Some(at(2))).await.unwrap();
    let mut stale = report(&job, progress(40, 1));
    stale.steps.push((at(2), progress(40, 1)));
    assert!(!db.store.job_report(&stale, Some(at(3))).await.unwrap());
    db.claim(2).await;
    assert!(!db.store.job_report(&stale, Some(at(3))).await.unwrap());
    assert_eq!(db.get(job.id).await.progress, Progress::default());
    assert_eq!(db.store.event_list(job.id, 0, 100).await.unwrap().len(), 4);
}

pub(crate) async fn steps_and_lines_keep_their_order<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let line = |text: &str| LogLine { seq: 0, at: at(2), attempt: 1, stream: LogStream::Stdout, text: text.to_owned() };
    let mut first = report(&job, progress(20, 2));
    first.steps = vec![(at(2), progress(10, 1)), (at(2), progress(20, 2))];
    first.logs = vec![line("one"), line("two \"quoted\"\ttabbed")];
    db.store.job_report(&first, Some(at(3))).await.unwrap();
    let mut end = done(&job);
    end.steps = vec![(at(4), progress(30, 3))];
    end.logs = vec![line("three")];
    db.store.job_finish(&[end], Some(at(5))).await.unwrap();
    let lines = db.store.log_list(job.id, 0, 100).await.unwrap();
    let lines: Vec<_> = lines.iter().map(|line| (line.seq, line.text.as_str())).collect();
    assert_eq!(lines, [(1, "one"), (2, "two \"quoted\"\ttabbed"), (3, "three")]);
    let times: Vec<_> = db.history(job.id).await.into_iter().map(|event| event.at).collect();
    assert_eq!(times, [at(0), at(1), at(2), at(2), at(4), at(5)]);
    assert_eq!(db.states(job.id).await, ["available", "running", "completed"]);
}

pub(crate) async fn a_checkpoint_outlives_its_attempt_and_ends_with_the_job<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    assert_eq!(db.store.checkpoint_load(job.id).await.unwrap(), None);
    assert!(db.store.checkpoint_save(job.id, job.lease, b"one").await.unwrap());
    assert!(db.store.checkpoint_save(job.id, job.lease, b"two\0").await.unwrap());
    db.store.job_finish(&[finished(&job, AttemptOutcome::Interrupted)], Some(at(2))).await.unwrap();
    assert_eq!(db.store.checkpoint_load(job.id).await.unwrap().as_deref(), Some(&b"two\0"[..]));
    db.store.job_finish(&[done(&db.claim(1).await)], Some(at(3))).await.unwrap();
    assert_eq!(db.store.checkpoint_load(job.id).await.unwrap(), None);
}

pub(crate) async fn a_stale_checkpoint_is_not_kept<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    assert!(!db.store.checkpoint_save(job.id, job.lease + 1, b"x").await.unwrap());
    db.store.job_finish(&[done(&job)], Some(at(2))).await.unwrap();
    assert!(!db.store.checkpoint_save(job.id, job.lease, b"x").await.unwrap());
    assert_eq!(db.store.checkpoint_load(job.id).await.unwrap(), None);
}

pub(crate) async fn only_available_jobs_are_claimed<S: Store>(db: &Fixture<S>) {
    db.record(failed(&db.running(1).await)).await;
    db.record(done(&db.running(2).await)).await;
    db.running(3).await;
    db.add(later(4, at(30))).await;
    db.add(later(5, at(30))).await;
    db.store.job_cancel(id(5), Some(at(1))).await.unwrap();
    // Long after all of them are due: it is upkeep that makes a waiting job available.
    assert!(db.store.job_claim(worker(1), &[task()], 9, Some(at(9_999))).await.unwrap().jobs.is_empty());
}

pub(crate) async fn an_attempt_keeps_its_error_and_the_history_its_reason<S: Store>(db: &Fixture<S>) {
    let job = db.record(failed(&db.running(1).await)).await;
    let attempt = db.store.attempt_list(job.id).await.unwrap().remove(0);
    assert_eq!((attempt.lease, attempt.attempt, attempt.worker_id), (1, 1, worker(1)));
    assert_eq!((attempt.started_at, attempt.ended_at, attempt.error), (at(1), Some(at(5)), job.error));
    let last = db.history(job.id).await.remove(2);
    let reason = Some("retryable: not today".to_owned());
    assert_eq!((last.at, last.attempt), (at(5), 1));
    assert_eq!(last.kind, EventKind::State { state: JobState::Retryable, reason });
}

pub(crate) async fn the_number_of_an_attempt_that_does_not_count_stays_in_its_record<S: Store>(db: &Fixture<S>) {
    let end = finished(&db.running(1).await, AttemptOutcome::HostFault("the disk is full".to_owned()));
    let job = db.record(end).await;
    assert_eq!((job.attempt, job.host_fault_count), (0, 1));
    assert_eq!(db.store.attempt_list(job.id).await.unwrap()[0].attempt, 1);
    assert_eq!(db.history(job.id).await[2].attempt, 1);
}

pub(crate) async fn a_wait_without_end_stops_at_the_last_time_that_is_kept<S: Store>(db: &Fixture<S>) {
    let first = db.running(1).await;
    let second = db.running(2).await;
    let forever = finished(&first, AttemptOutcome::Snoozed(Duration::from_millis(u64::MAX)));
    let outcomes = db.store.job_finish(&[forever, done(&second)], Some(at(5))).await.unwrap();
    assert!(matches!(outcomes[..], [FinishOutcome::Recorded, FinishOutcome::Recorded]), "{outcomes:?}");
    let job = db.get(first.id).await;
    assert_eq!((job.state, job.run_at), (JobState::Scheduled, Timestamp::MAX));
}

pub(crate) async fn a_later_attempts_artifact_takes_the_place_of_an_earlier_one<S: Store>(db: &Fixture<S>) {
    db.record(Finished { artifacts: vec![artifact("a.csv")], ..done(&db.running(1).await) }).await;
    db.store.job_retry(id(1), Some(at(6))).await.unwrap();
    let newer = Artifact { lease: 2, bytes: 9, ..artifact("a.csv") };
    db.record(Finished { artifacts: vec![newer.clone()], ..done(&db.claim(1).await) }).await;
    assert_eq!(db.store.artifact_list(id(1)).await.unwrap(), [newer]);
}

pub(crate) async fn a_stale_finish_writes_nothing<S: Store>(db: &Fixture<S>) {
    let (old, new) = db.stolen(1).await;
    let before = db.store.event_list(new.id, 0, 100).await.unwrap();
    let mut late = Finished { artifacts: vec![artifact("late.csv")], ..done(&old) };
    late.steps = full_report(&old).steps;
    late.logs = full_report(&old).logs;
    let outcomes = db.store.job_finish(&[late], Some(at(7))).await.unwrap();
    assert!(matches!(outcomes[..], [FinishOutcome::Stale]), "{outcomes:?}");
    let job = db.get(new.id).await;
    assert_eq!((job.state, job.output, job.progress), (JobState::Running, None, Progress::default()));
    assert_eq!(db.store.event_list(new.id, 0, 100).await.unwrap(), before);
    assert!(db.store.log_list(new.id, 0, 9).await.unwrap().is_empty());
    assert!(db.store.artifact_list(new.id).await.unwrap().is_empty());
    assert_eq!(db.record(done(&new)).await.state, JobState::Completed);
}

pub(crate) async fn an_old_and_the_present_lease_of_one_job_may_be_in_one_list<S: Store>(db: &Fixture<S>) {
    let (old, new) = db.stolen(1).await;
    let outcomes = db.store.job_finish(&[fatal(&old), done(&new)], Some(at(7))).await.unwrap();
    assert!(matches!(outcomes[..], [FinishOutcome::Stale, FinishOutcome::Recorded]), "{outcomes:?}");
    let job = db.get(new.id).await;
    assert_eq!((job.state, job.error), (JobState::Completed, None));
}

pub(crate) async fn a_list_is_written_as_a_whole_or_not_at_all<S: Store>(db: &Fixture<S>) {
    let (first, second) = (db.running(1).await, db.running(2).await);
    let mut bad = done(&second);
    // No attempt ends in this state: the schema refuses it.
    bad.transition.to = JobState::Running;
    let error = db.store.job_finish(&[done(&first), bad], Some(at(5))).await.unwrap_err();
    assert!(!error.is_passing(), "{error:?}");
    for job in [first, second] {
        assert_eq!(db.get(job.id).await.state, JobState::Running);
        assert_eq!(db.states(job.id).await, ["available", "running"]);
    }
}

pub(crate) async fn a_job_that_is_not_there_cannot_be_finished<S: Store>(db: &Fixture<S>) {
    let mut end = done(&db.running(1).await);
    end.attempt.job_id = id(2);
    assert!(matches!(db.store.job_finish(&[end], Some(at(5))).await.unwrap()[..], [FinishOutcome::Stale]));
    assert!(db.store.job_finish(&[], Some(at(5))).await.unwrap().is_empty());
}

pub(crate) async fn a_wish_to_cancel_that_came_while_the_attempt_failed_cancels_the_job<S: Store>(db: &Fixture<S>) {
    let waits = [
        AttemptOutcome::Failed(AttemptError::new(ErrorKind::Retryable, "not today")),
        AttemptOutcome::Snoozed(Duration::from_secs(60)),
        AttemptOutcome::Interrupted,
        AttemptOutcome::HostFault("the disk is full".to_owned()),
    ];
    for (number, outcome) in (1..).zip(waits) {
        let end = finished(&db.running(number).await, outcome);
        db.store.job_cancel(id(number), Some(at(2))).await.unwrap();
        let job = db.record(end).await;
        assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(5))));
        assert_eq!(job.error.unwrap().kind, ErrorKind::Cancelled);
        assert_eq!(db.states(id(number)).await.last().unwrap(), "cancelled");
        assert_eq!(db.store.attempt_list(id(number)).await.unwrap().len(), 1);
    }
}

pub(crate) async fn a_wish_to_cancel_does_not_change_an_end_that_is_final<S: Store>(db: &Fixture<S>) {
    let (first, second) = (db.running(1).await, db.running(2).await);
    for job in [&first, &second] {
        db.store.job_cancel(job.id, Some(at(2))).await.unwrap();
    }
    assert_eq!(db.record(done(&first)).await.state, JobState::Completed);
    assert_eq!(db.record(fatal(&second)).await.state, JobState::Discarded);
}

pub(crate) async fn a_lease_that_was_never_given_out_holds_nothing<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    for lease in [0, 2, u64::MAX] {
        let claimed = StepReport { lease, ..full_report(&job) };
        assert!(!db.store.job_report(&claimed, Some(at(3))).await.unwrap());
        assert!(!db.store.checkpoint_save(job.id, lease, b"x").await.unwrap());
    }
    let elsewhere = StepReport { id: id(9), ..full_report(&job) };
    assert!(!db.store.job_report(&elsewhere, Some(at(3))).await.unwrap());
    assert!(db.store.log_list(job.id, 0, 9).await.unwrap().is_empty());
}

pub(crate) async fn a_job_that_does_not_run_takes_no_report<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let before = db.record(done(&job)).await;
    assert!(!db.store.job_report(&full_report(&job), Some(at(6))).await.unwrap());
    assert_eq!(db.get(job.id).await.progress, before.progress);
    assert_eq!(db.store.event_list(job.id, 0, 9).await.unwrap().len(), 3);
    assert!(db.store.log_list(job.id, 0, 9).await.unwrap().is_empty());
}

pub(crate) async fn what_a_handler_wrote_comes_back_as_it_was<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let texts = ["", "tab\t \"quotes\" \\ \r", "ü 猫 🦀", "{\"a\":1}", "null", "12"];
    let info = Progress { status_info: Some(texts[2].to_owned()), ..Progress::default() };
    let logs = texts.iter().map(|text| line(&job, text)).collect();
    let told = StepReport { logs, ..report(&job, info.clone()) };
    assert!(db.store.job_report(&told, Some(at(3))).await.unwrap());
    let lines = db.store.log_list(job.id, 0, 100).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), texts);
    assert_eq!(lines[0], LogLine { seq: 1, ..line(&job, "") });
    assert_eq!(db.get(job.id).await.progress, info);
}

pub(crate) async fn a_stale_lease_cannot_keep_a_checkpoint<S: Store>(db: &Fixture<S>) {
    let (old, new) = db.stolen(1).await;
    assert!(db.store.checkpoint_save(new.id, new.lease, b"new").await.unwrap());
    assert!(!db.store.checkpoint_save(old.id, old.lease, b"old").await.unwrap());
    db.record(failed(&new)).await;
    assert!(!db.store.checkpoint_save(new.id, new.lease, b"late").await.unwrap());
    assert_eq!(db.store.checkpoint_load(new.id).await.unwrap().as_deref(), Some(&b"new"[..]));
    db.store.job_cancel(new.id, Some(at(9))).await.unwrap();
    assert_eq!(db.store.checkpoint_load(new.id).await.unwrap(), None);
}

pub(crate) async fn a_nul_in_a_text_is_replaced_and_json_stays_as_it_is<S: Store>(db: &Fixture<S>) {
    let json = |text| JsonText::parse(text).unwrap();
    let (args, metadata) = (json(r#"{"a": "\u0000", "b": "\\u0000"}"#), json(r#"{"c": "\u0000\ud800"}"#));
    db.add(NewJob { args: args.clone(), metadata: metadata.clone(), ..new_job(1) }).await;
    let job = db.claim(1).await;
    let told = |text: &str| Progress { status_info: Some(text.to_owned()), ..progress(10, 1) };
    let step = StepReport {
        steps: vec![(at(2), told("s\0"))],
        logs: vec![line(&job, "\0l\0"), line(&job, "\\u0000")],
        ..report(&job, told("p\0"))
    };
    assert!(db.store.job_report(&step, Some(at(2))).await.unwrap());
    assert_eq!(db.get(job.id).await.progress, told("p\u{FFFD}"));

    let error = AttemptOutcome::Failed(AttemptError::new(ErrorKind::Retryable, "e\0"));
    let mut end = Finished { progress: told("f\0"), ..finished(&job, error) };
    end.transition.reason = Some("r\0".to_owned());
    let job = db.record(end).await;
    assert_eq!((job.args, job.metadata), (args, metadata));
    assert_eq!(job.progress, told("f\u{FFFD}"));
    assert_eq!(job.error.unwrap().message, "e\u{FFFD}");
    let texts: Vec<_> = db.store.log_list(job.id, 0, 9).await.unwrap().into_iter().map(|line| line.text).collect();
    assert_eq!(texts, ["\u{FFFD}l\u{FFFD}", "\\u0000"]);
    let history = format!("{:?}", db.store.event_list(job.id, 0, 9).await.unwrap());
    assert!(history.contains("s\u{FFFD}") && history.contains("r\u{FFFD}"), "{history}");

    let job = db.running(2).await;
    let output = json(r#"["\u0000"]"#);
    let job = db.record(finished(&job, AttemptOutcome::Completed(output.clone()))).await;
    assert_eq!(job.output, Some(output));
}

pub(crate) async fn the_bill_of_an_attempt_is_kept_with_it_and_the_last_with_its_job<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let bill = Bill { cpu_us: 7, peak_memory_bytes: u64::from(u32::MAX) + 1, host_calls: 3, ..Bill::default() };
    // It goes on at once.
    let mut end = finished(&job, AttemptOutcome::Interrupted);
    end.attempt.bill = Some(bill);
    db.record(end).await;
    assert_eq!(db.store.job_get(id(1)).await.unwrap().unwrap().bill, Some(bill));
    let attempts = db.store.attempt_list(id(1)).await.unwrap();
    assert_eq!(attempts.iter().map(|attempt| attempt.bill).collect::<Vec<_>>(), [Some(bill)]);
    // Of an attempt that nobody told of there is none, and the job shows its last attempt.
    let job = db.claim(1).await;
    db.record(done(&job)).await;
    assert_eq!(db.store.job_get(id(1)).await.unwrap().unwrap().bill, None);
    let attempts = db.store.attempt_list(id(1)).await.unwrap();
    assert_eq!(attempts.iter().map(|attempt| attempt.bill).collect::<Vec<_>>(), [Some(bill), None]);
}
