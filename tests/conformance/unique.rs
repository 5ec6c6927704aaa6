//! Jobs that may be there once, and requests that may come twice.

use std::time::Duration;

use windlass_model::{
    FinalStates, Idempotency, JobState, JsonText, NewJob, Parent, RunAt, Submission, Unique, UniqueMode,
};
use windlass_store::{Added, Refusal, RetryOutcome, Submitted};

use crate::fixture::{Fixture, Store, at, done, fatal, id, later, new_job};

const DAY: u64 = 24 * 3_600;

fn unique(number: u128, mode: UniqueMode) -> NewJob {
    unique_in(number, mode, &[])
}

fn unique_in(number: u128, mode: UniqueMode, states: &[JobState]) -> NewJob {
    let unique = Unique { key: "export-csv:key:a".to_owned(), held_in: FinalStates::among(states), mode };
    NewJob { unique: Some(unique), ..new_job(number) }
}

/// The one job of an answer, and whether it was there before.
fn one(answer: Submitted) -> Added {
    let Submitted::Added(mut added) = answer else { panic!("{answer:?}") };
    assert_eq!(added.len(), 1);
    added.pop().unwrap()
}

fn summary(answers: Vec<Submitted>) -> Vec<String> {
    let jobs = |jobs: &[Added]| {
        let job = |added: &Added| {
            format!("{}{}", added.job.id.as_uuid().as_u128(), if added.is_deduplicated { "=" } else { "" })
        };
        jobs.iter().map(job).collect::<Vec<_>>().join(" ")
    };
    let text = |answer: Submitted| match answer {
        Submitted::Added(added) => jobs(&added),
        Submitted::Repeated(added) => format!("again {}", jobs(&added)),
        Submitted::Refused(refusal) => format!("{refusal:?}"),
    };
    answers.into_iter().map(text).collect()
}

fn keyed(jobs: Vec<NewJob>, key: &str, fingerprint: &str) -> Submission {
    let idempotency = Idempotency { key: key.to_owned(), fingerprint: fingerprint.to_owned() };
    Submission { jobs, idempotency: Some(idempotency) }
}

pub(crate) async fn the_holder_of_a_key_stands_for_a_later_job_until_it_ends<S: Store>(db: &Fixture<S>) {
    let first = one(db.store.submit(unique(1, UniqueMode::Keep)).await);
    assert_eq!((first.job.id, first.is_deduplicated), (id(1), false));
    let second = one(db.store.submit(unique(2, UniqueMode::Keep)).await);
    assert_eq!((second.job.id, second.is_deduplicated), (id(1), true));
    assert!(db.store.job_get(id(2)).await.unwrap().is_none());
    let running = db.claim(1).await;
    assert_eq!(one(db.store.submit(unique(3, UniqueMode::Keep)).await).job.id, id(1));
    db.record(done(&running)).await;
    let fourth = one(db.store.submit(unique(4, UniqueMode::Keep)).await);
    assert_eq!((fourth.job.id, fourth.is_deduplicated), (id(4), false));
}

pub(crate) async fn a_job_goes_on_holding_its_key_in_the_final_states_it_names<S: Store>(db: &Fixture<S>) {
    one(db.store.submit(unique_in(1, UniqueMode::Keep, &[JobState::Completed])).await);
    let running = db.claim(1).await;
    db.record(done(&running)).await;
    let kept = one(db.store.submit(unique(2, UniqueMode::Keep)).await);
    assert_eq!((kept.job.id, kept.job.state, kept.is_deduplicated), (id(1), JobState::Completed, true));

    let other = |number| {
        let unique = Unique {
            key: "other".to_owned(),
            held_in: FinalStates::among(&[JobState::Completed]),
            mode: UniqueMode::Keep,
        };
        NewJob { unique: Some(unique), ..new_job(number) }
    };
    one(db.store.submit(other(3)).await);
    let running = db.claim(1).await;
    db.record(fatal(&running)).await;
    assert!(!one(db.store.submit(other(4)).await).is_deduplicated, "a discarded job does not hold it");
}

pub(crate) async fn a_key_that_is_held_can_refuse_the_whole_submission<S: Store>(db: &Fixture<S>) {
    one(db.store.submit(unique(1, UniqueMode::Keep)).await);
    let submissions = [vec![new_job(2), unique(3, UniqueMode::Reject)].into(), vec![new_job(4)].into()];
    let answers = db.store.job_submit(&submissions, Some(at(0))).await.unwrap();
    assert!(
        matches!(answers[0], Submitted::Refused(Refusal::Duplicate { index: 1, holder }) if holder == id(1)),
        "{answers:?}"
    );
    assert!(matches!(answers[1], Submitted::Added(_)), "the others do not suffer for it");
    assert!(db.store.job_get(id(2)).await.unwrap().is_none());
    assert!(db.store.job_get(id(4)).await.unwrap().is_some());
}

pub(crate) async fn a_later_job_replaces_the_arguments_of_one_that_has_not_started<S: Store>(db: &Fixture<S>) {
    let first = NewJob { run_at: Some(RunAt::Time(at(60))), ..unique(1, UniqueMode::Replace) };
    one(db.store.submit(first).await);
    let args = JsonText::parse(r#"{"newer": true}"#).unwrap();
    let second = NewJob {
        args: args.clone(),
        tags: vec!["b".to_owned()],
        run_at: Some(RunAt::Time(at(90))),
        ..unique(2, UniqueMode::Replace)
    };
    let replaced = one(db.store.submit(second).await);
    assert_eq!((replaced.job.id, replaced.is_deduplicated), (id(1), true));
    let job = db.get(id(1)).await;
    assert_eq!(
        (job.args, job.tags, job.run_at, job.state),
        (args.clone(), vec!["b".to_owned()], at(90), JobState::Scheduled)
    );
    assert_eq!(db.states(id(1)).await, ["scheduled", "scheduled"]);

    let third =
        NewJob { args: JsonText::empty_object(), run_at: Some(RunAt::Time(at(0))), ..unique(3, UniqueMode::Replace) };
    assert_eq!(one(db.store.submit(third).await).job.state, JobState::Available, "it is due now");
    let running = db.claim(1).await;
    let fourth = NewJob { args, ..unique(4, UniqueMode::Replace) };
    let kept = one(db.store.submit(fourth).await);
    assert_eq!(
        (kept.job.id, kept.job.args),
        (running.id, JsonText::empty_object()),
        "a running job keeps its arguments"
    );
}

pub(crate) async fn a_key_is_held_within_one_call_too<S: Store>(db: &Fixture<S>) {
    let submissions: [Submission; 4] = [
        vec![unique(1, UniqueMode::Keep), unique(2, UniqueMode::Keep), new_job(3)].into(),
        vec![unique(4, UniqueMode::Reject)].into(),
        vec![unique(5, UniqueMode::Keep)].into(),
        vec![new_job(6)].into(),
    ];
    let answers = summary(db.store.job_submit(&submissions, Some(at(0))).await.unwrap());
    let refused = format!("Duplicate {{ index: 0, holder: {} }}", id(1));
    assert_eq!(answers, ["1 1= 3", &refused, "1=", "6"]);
}

pub(crate) async fn what_a_refused_submission_would_have_held_is_free<S: Store>(db: &Fixture<S>) {
    let submissions: [Submission; 2] = [
        vec![unique(1, UniqueMode::Keep), NewJob { after: vec![id(99)], ..new_job(2) }].into(),
        vec![unique(3, UniqueMode::Reject)].into(),
    ];
    let answers = summary(db.store.job_submit(&submissions, Some(at(0))).await.unwrap());
    assert_eq!(answers, [format!("NoSuchJob {{ index: 1, after: {} }}", id(99)), "3".to_owned()]);
}

pub(crate) async fn of_many_at_once_one_holds_the_key<S: Store>(db: &Fixture<S>) {
    let calls = (1..=12).map(|number| db.store.submit(unique(number, UniqueMode::Keep)));
    let answers: Vec<_> = futures_util::future::join_all(calls).await.into_iter().map(one).collect();
    assert_eq!(answers.iter().filter(|added| !added.is_deduplicated).count(), 1);
    let holder = answers[0].job.id;
    assert!(answers.iter().all(|added| added.job.id == holder));
}

pub(crate) async fn a_retry_does_not_take_a_key_that_another_job_holds<S: Store>(db: &Fixture<S>) {
    one(db.store.submit(unique(1, UniqueMode::Keep)).await);
    let running = db.claim(1).await;
    db.record(done(&running)).await;
    one(db.store.submit(unique(2, UniqueMode::Keep)).await);
    let outcome = db.store.job_retry(id(1), Some(at(9))).await.unwrap();
    assert!(matches!(outcome, RetryOutcome::Duplicate(holder) if holder == id(2)), "{outcome:?}");
    assert_eq!(db.get(id(1)).await.state, JobState::Completed);
    let outcome = db.store.job_retry(id(2), Some(at(9))).await.unwrap();
    assert!(matches!(outcome, RetryOutcome::Retried(_)), "its own key is no obstacle");
}

pub(crate) async fn the_same_request_gets_the_same_answer_for_a_day<S: Store>(db: &Fixture<S>) {
    let submit = async |number: u128, fingerprint: &str, second: u64| {
        let submission = keyed(vec![new_job(number), later(number + 1, at(600))], "k", fingerprint);
        summary(db.store.job_submit(&[submission], Some(at(second))).await.unwrap()).pop().unwrap()
    };
    assert_eq!(submit(1, "f", 0).await, "1 2");
    let running = db.claim(1).await;
    db.record(done(&running)).await;
    assert_eq!(submit(11, "f", 10).await, "again 1 2");
    assert_eq!(submit(13, "other", 11).await, "KeyReused");
    assert_eq!(submit(15, "f", DAY - 1).await, "again 1 2");
    assert_eq!(submit(17, "other", DAY + 1).await, "17 18", "after a day it is another request");
    assert_eq!(submit(19, "f", DAY + 2).await, "KeyReused");
    assert!(db.store.job_get(id(11)).await.unwrap().is_none());

    let repeated = db.store.job_submit(&[keyed(Vec::new(), "k", "other")], Some(at(DAY + 3))).await.unwrap();
    let [Submitted::Repeated(added)] = &repeated[..] else { panic!("{repeated:?}") };
    assert_eq!((added[0].job.state, added[0].job.created_at), (JobState::Available, at(DAY + 1)), "as it was then");
}

pub(crate) async fn the_same_request_twice_in_one_call_is_done_once<S: Store>(db: &Fixture<S>) {
    let submissions = [
        keyed(vec![new_job(1)], "k", "f"),
        keyed(vec![new_job(2)], "k", "f"),
        keyed(vec![new_job(3)], "k", "g"),
        keyed(vec![new_job(4)], "l", "f"),
    ];
    let answers = summary(db.store.job_submit(&submissions, Some(at(0))).await.unwrap());
    assert_eq!(answers, ["1", "again 1", "KeyReused", "4"]);
}

pub(crate) async fn of_the_same_request_many_times_at_once_one_is_done<S: Store>(db: &Fixture<S>) {
    let submissions: Vec<_> = (1..=12).map(|number| [keyed(vec![new_job(number)], "k", "f")]).collect();
    let calls = submissions.iter().map(|submission| db.store.job_submit(submission, Some(at(0))));
    let answers: Vec<_> =
        futures_util::future::join_all(calls).await.into_iter().map(|answer| summary(answer.unwrap())).collect();
    let done: Vec<_> = answers.iter().filter(|answer| !answer[0].starts_with("again ")).collect();
    assert_eq!(done.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer[0].trim_start_matches("again ") == done[0][0]), "{answers:?}");
}

pub(crate) async fn a_refusal_is_not_kept<S: Store>(db: &Fixture<S>) {
    let after = NewJob { after: vec![id(7)], ..new_job(1) };
    let refused = summary(db.store.job_submit(&[keyed(vec![after.clone()], "k", "f")], Some(at(0))).await.unwrap());
    assert_eq!(refused, [format!("NoSuchJob {{ index: 0, after: {} }}", id(7))]);
    db.add(new_job(7)).await;
    let added = summary(db.store.job_submit(&[keyed(vec![after], "k", "f")], Some(at(0))).await.unwrap());
    assert_eq!(added, ["1"]);
}

pub(crate) async fn a_job_enqueues_the_same_child_once<S: Store>(db: &Fixture<S>) {
    let parent = db.running(1).await;
    let child = |number, lease, key: &str| {
        let parent = Parent { id: parent.id, lease, child_key: key.to_owned() };
        NewJob { parent: Some(parent), ..new_job(number) }
    };
    let first = one(db.store.submit(child(2, parent.lease, "0:a")).await);
    assert_eq!((first.job.id, first.job.parent_id, first.is_deduplicated), (id(2), Some(parent.id), false));
    assert_eq!(one(db.store.submit(child(3, parent.lease, "0:a")).await).job.id, id(2));
    assert_eq!(one(db.store.submit(child(4, parent.lease, "1:a")).await).job.id, id(4));
}

pub(crate) async fn a_job_that_was_taken_away_enqueues_nothing<S: Store>(db: &Fixture<S>) {
    let (old, new) = db.stolen(1).await;
    let child = |lease| {
        let parent = Parent { id: old.id, lease, child_key: "0:a".to_owned() };
        NewJob { parent: Some(parent), ..new_job(2) }
    };
    let refused = db.store.submit(child(old.lease)).await;
    assert!(matches!(refused, Submitted::Refused(Refusal::ParentLost)), "{refused:?}");
    assert!(db.store.job_get(id(2)).await.unwrap().is_none());
    assert!(!one(db.store.submit(child(new.lease)).await).is_deduplicated);
}

pub(crate) async fn a_job_that_it_is_too_late_for_is_neither_started_nor_kept_waiting<S: Store>(db: &Fixture<S>) {
    let late =
        |number, job: NewJob| NewJob { id: id(number), expires_at: Some(RunAt::After(Duration::from_secs(10))), ..job };
    db.add(late(1, new_job(1))).await;
    db.add(late(2, later(2, at(60)))).await;
    db.add(NewJob { after: vec![id(1)], ..new_job(3) }).await;
    let running = db.claim(1).await;
    assert_eq!(running.expires_at, Some(at(10)));
    assert!(db.store.job_expire(9, Some(at(9))).await.unwrap().is_empty());
    assert_eq!(db.store.job_expire(9, Some(at(10))).await.unwrap(), [id(2)], "the running one goes on");
    let job = db.get(id(2)).await;
    assert_eq!(
        (job.state, job.error.unwrap().kind.as_str(), job.finished_at),
        (JobState::Discarded, "expired", Some(at(10)))
    );
    assert_eq!(db.states(id(2)).await, ["scheduled", "discarded"]);

    db.record(crate::fixture::failed(&running)).await;
    assert_eq!(db.store.job_expire(9, Some(at(11))).await.unwrap(), [id(1)], "but does not start again");
    assert_eq!(db.get(id(3)).await.state, JobState::Cancelled, "what comes after it is settled");
    assert!(db.store.job_expire(9, Some(at(12))).await.unwrap().is_empty());
}

pub(crate) async fn an_expiry_is_bounded<S: Store>(db: &Fixture<S>) {
    for number in 1..=3 {
        db.add(NewJob { expires_at: Some(RunAt::Time(at(10 - number as u64))), ..later(number, at(60)) }).await;
    }
    assert_eq!(db.store.job_expire(2, Some(at(20))).await.unwrap().len(), 2);
    assert_eq!(db.store.job_expire(2, Some(at(20))).await.unwrap(), [id(1)], "the earliest first");
}
