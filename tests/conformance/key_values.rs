//! What jobs keep for one another.

use std::collections::BTreeMap;

use windlass_model::{Job, KeyValueAct, KeyValueAnswer, KeyValueCall, TaskName};

use crate::fixture::{Fixture, Store, done};

const ROOM: u64 = 10_000;

fn call(act: KeyValueAct) -> KeyValueCall {
    KeyValueCall { store: "default".to_owned(), max_bytes: ROOM, act }
}

fn set(key: &str, value: &[u8]) -> KeyValueAct {
    KeyValueAct::Set(vec![(key.to_owned(), value.to_vec())])
}

fn get(key: &str) -> KeyValueAct {
    KeyValueAct::Get(vec![key.to_owned()])
}

fn found(key: &str, value: &[u8]) -> KeyValueAnswer {
    KeyValueAnswer::Values(BTreeMap::from([(key.to_owned(), value.to_vec())]))
}

fn nothing() -> KeyValueAnswer {
    KeyValueAnswer::Values(BTreeMap::new())
}

async fn ask<S: Store>(db: &Fixture<S>, job: &Job, call: &KeyValueCall) -> KeyValueAnswer {
    db.store.key_value(job.id, job.lease, &job.task, call).await.unwrap()
}

async fn act<S: Store>(db: &Fixture<S>, job: &Job, act: KeyValueAct) -> KeyValueAnswer {
    ask(db, job, &call(act)).await
}

pub(crate) async fn what_one_job_sets_a_later_one_gets<S: Store>(db: &Fixture<S>) {
    let first = db.running(1).await;
    assert_eq!(act(db, &first, get("cursor")).await, nothing());
    assert_eq!(act(db, &first, set("cursor", b"\0\xff")).await, KeyValueAnswer::Done);
    assert_eq!(act(db, &first, set("cursor", b"17")).await, KeyValueAnswer::Done);
    db.record(done(&first)).await;
    let second = db.running(2).await;
    assert_eq!(act(db, &second, get("cursor")).await, found("cursor", b"17"));
    assert_eq!(act(db, &second, KeyValueAct::Delete(vec!["cursor".into(), "gone".into()])).await, KeyValueAnswer::Done);
    assert_eq!(act(db, &second, get("cursor")).await, nothing());
}

pub(crate) async fn no_task_and_no_store_sees_anothers_keys<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    act(db, &job, set("a", b"1")).await;
    let elsewhere = KeyValueCall { store: "other".to_owned(), ..call(get("a")) };
    assert_eq!(ask(db, &job, &elsewhere).await, nothing());
    let stranger = TaskName::parse("stranger").unwrap();
    assert_eq!(db.store.key_value(job.id, job.lease, &stranger, &call(get("a"))).await.unwrap(), nothing());
}

pub(crate) async fn a_stale_lease_changes_no_value<S: Store>(db: &Fixture<S>) {
    let (old, new) = db.stolen(1).await;
    act(db, &new, set("a", b"1")).await;
    let swap = KeyValueAct::Swap { key: "a".into(), seen: Some(b"1".to_vec()), value: b"2".to_vec() };
    for late in
        [set("a", b"2"), KeyValueAct::Delete(vec!["a".into()]), KeyValueAct::Increment { key: "a".into(), by: 1 }, swap]
    {
        assert_eq!(act(db, &old, late).await, KeyValueAnswer::Stale);
    }
    assert_eq!(act(db, &new, get("a")).await, found("a", b"1"));
}

pub(crate) async fn a_store_holds_no_more_than_its_bound<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let most = (ROOM - KeyValueCall::size("a", b"")) as usize;
    assert_eq!(act(db, &job, set("a", &vec![0; most])).await, KeyValueAnswer::Done);
    let wanted = ROOM + KeyValueCall::size("b", b"");
    assert_eq!(act(db, &job, set("b", b"")).await, KeyValueAnswer::Full { wanted });
    assert_eq!(act(db, &job, get("b")).await, nothing());
    // A smaller value leaves room, and so does a key that is deleted.
    assert_eq!(act(db, &job, set("a", &vec![0; most - 100])).await, KeyValueAnswer::Done);
    assert_eq!(act(db, &job, set("b", b"")).await, KeyValueAnswer::Done);
    assert_eq!(act(db, &job, KeyValueAct::Delete(vec!["a".into(), "b".into()])).await, KeyValueAnswer::Done);
    assert_eq!(act(db, &job, set("a", &vec![0; most])).await, KeyValueAnswer::Done);
}

pub(crate) async fn a_bound_that_was_lowered_lets_values_shrink<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    act(db, &job, set("a", &[0; 500])).await;
    let lower = |act| KeyValueCall { max_bytes: 100, ..call(act) };
    assert!(matches!(ask(db, &job, &lower(set("a", &[0; 501]))).await, KeyValueAnswer::Full { .. }));
    assert_eq!(ask(db, &job, &lower(set("a", &[0; 400]))).await, KeyValueAnswer::Done);
}

pub(crate) async fn several_values_are_set_together_or_not_at_all<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let many = KeyValueAct::Set(vec![("a".into(), vec![1]), ("b".into(), vec![2]), ("a".into(), vec![3])]);
    assert_eq!(act(db, &job, many).await, KeyValueAnswer::Done);
    let both = KeyValueAct::Get(vec!["a".into(), "b".into(), "c".into()]);
    let expected = BTreeMap::from([("a".to_owned(), vec![3]), ("b".to_owned(), vec![2])]);
    assert_eq!(act(db, &job, both.clone()).await, KeyValueAnswer::Values(expected.clone()));
    let too_many = KeyValueAct::Set(vec![("a".into(), vec![9]), ("c".into(), vec![0; ROOM as usize])]);
    assert!(matches!(act(db, &job, too_many).await, KeyValueAnswer::Full { .. }));
    assert_eq!(act(db, &job, both).await, KeyValueAnswer::Values(expected));
}

pub(crate) async fn numbers_are_counted_and_what_is_none_stays<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let add = |by| KeyValueAct::Increment { key: "n".into(), by };
    assert_eq!(act(db, &job, add(5)).await, KeyValueAnswer::Number(5));
    assert_eq!(act(db, &job, add(-7)).await, KeyValueAnswer::Number(-2));
    assert_eq!(act(db, &job, get("n")).await, found("n", b"-2"));
    act(db, &job, set("n", i64::MAX.to_string().as_bytes())).await;
    assert_eq!(act(db, &job, add(1)).await, KeyValueAnswer::NotANumber);
    act(db, &job, set("n", b"many")).await;
    assert_eq!(act(db, &job, add(1)).await, KeyValueAnswer::NotANumber);
    assert_eq!(act(db, &job, get("n")).await, found("n", b"many"));
}

pub(crate) async fn two_that_count_at_once_lose_nothing<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let add = call(KeyValueAct::Increment { key: "n".into(), by: 1 });
    let twenty = async || {
        for _ in 0..20 {
            ask(db, &job, &add).await;
        }
    };
    tokio::join!(twenty(), twenty(), twenty());
    assert_eq!(act(db, &job, get("n")).await, found("n", b"60"));
}

pub(crate) async fn a_swap_loses_against_who_was_first<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let swap = |seen: Option<&[u8]>, value: &[u8]| KeyValueAct::Swap {
        key: "a".into(),
        seen: seen.map(<[u8]>::to_vec),
        value: value.to_vec(),
    };
    assert_eq!(act(db, &job, swap(None, b"1")).await, KeyValueAnswer::Done);
    assert_eq!(act(db, &job, swap(None, b"2")).await, KeyValueAnswer::Changed);
    assert_eq!(act(db, &job, swap(Some(b"0"), b"2")).await, KeyValueAnswer::Changed);
    assert_eq!(act(db, &job, swap(Some(b"1"), b"2")).await, KeyValueAnswer::Done);
    assert_eq!(act(db, &job, get("a")).await, found("a", b"2"));
}

pub(crate) async fn keys_are_listed_page_by_page_also_while_some_go<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let page = KeyValueCall::PAGE as usize;
    let names: Vec<_> = (0..page + 5).map(|n| format!("k{n}")).collect();
    let all = KeyValueAct::Set(names.iter().map(|name| (name.clone(), Vec::new())).collect());
    let roomy = KeyValueCall { max_bytes: u64::MAX, ..call(all) };
    assert_eq!(ask(db, &job, &roomy).await, KeyValueAnswer::Done);
    let KeyValueAnswer::Keys { keys: first, next: Some(next) } = act(db, &job, KeyValueAct::List { after: 0 }).await
    else {
        panic!("there is no second page");
    };
    act(db, &job, KeyValueAct::Delete(first[..500].to_vec())).await;
    let KeyValueAnswer::Keys { keys: second, next: None } = act(db, &job, KeyValueAct::List { after: next }).await
    else {
        panic!("the second page is not the last");
    };
    let mut listed = [first, second].concat();
    listed.sort();
    let mut names = names;
    names.sort();
    assert_eq!(listed, names);
}

pub(crate) async fn a_job_that_is_over_changes_no_value<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.record(done(&job)).await;
    assert_eq!(act(db, &job, set("a", b"1")).await, KeyValueAnswer::Stale);
}
