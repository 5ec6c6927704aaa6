//! The versions of tasks.

use std::time::Duration;

use futures_util::future::join_all;
use windlass_model::{
    Arrival, ChangeReason, Placement, RollbackRefusal, TaskName, TaskRecord, VersionSource, WorkerTask,
};
use windlass_store::{NewVersion, Published, Rollback, RollbackOutcome};

use crate::fixture::{Fixture, Store, at, slot, task, worker};

/// More than any case has.
const MANY: u32 = 100;

/// A component whose digest is one letter.
fn version<'a>(task: &'a TaskName, digest: &'a str, arrival: Arrival) -> NewVersion<'a> {
    NewVersion {
        task,
        digest,
        component: digest.as_bytes(),
        arrival,
        uploaded_by: Some("Ada"),
        author_version: Some("1.0.0"),
        keep: MANY,
    }
}

const BACK: Rollback<'static> = Rollback { to: None, expected: None, reason: ChangeReason::Rollback, message: "back" };

fn by_itself(expected: &str) -> Rollback<'_> {
    Rollback { expected: Some(expected), reason: ChangeReason::AutoRollback, message: "it trapped", ..BACK }
}

impl<S: Store> Fixture<S> {
    async fn publish(&self, digest: &str, arrival: Arrival, second: u64) -> Published {
        self.store.version_publish(version(&task(), digest, arrival), Some(at(second))).await.unwrap()
    }

    async fn upload(&self, digest: &str, second: u64) -> Published {
        self.publish(digest, Arrival::Uploaded, second).await
    }

    async fn task_record(&self) -> TaskRecord {
        self.store.task_record(&task()).await.unwrap().expect("the task has no row")
    }

    async fn in_service(&self) -> Option<String> {
        self.task_record().await.digest
    }

    /// The digests whose components are kept, the one that was used last first.
    async fn kept(&self) -> Vec<String> {
        let versions = self.store.version_list(&task()).await.unwrap();
        versions.into_iter().filter(|version| version.is_kept).map(|version| version.digest).collect()
    }

    async fn reasons(&self) -> Vec<ChangeReason> {
        let changes = self.store.task_changes(&task(), MANY).await.unwrap();
        changes.into_iter().map(|change| change.reason).collect()
    }

    async fn roll_back(&self, rollback: Rollback<'_>) -> RollbackOutcome {
        self.store.task_rollback(&task(), rollback, Some(at(50))).await.unwrap()
    }
}

pub(crate) async fn a_new_version_is_kept_and_in_service<S: Store>(db: &Fixture<S>) {
    let published = db.upload("a", 1).await;
    assert_eq!((published.placement, published.is_new), (Placement::PutInService, true));
    assert_eq!(published.record, db.task_record().await);
    assert_eq!((published.record.digest.as_deref(), published.record.source), (Some("a"), Some(VersionSource::Upload)));
    let versions = db.store.version_list(&task()).await.unwrap();
    let kept = &versions[0];
    assert_eq!((kept.bytes, kept.uploaded_at, kept.is_kept), (1, at(1), true));
    assert_eq!((kept.uploaded_by.as_deref(), kept.author_version.as_deref()), (Some("Ada"), Some("1.0.0")));
    assert_eq!(db.store.version_component(&task(), "a").await.unwrap().as_deref(), Some(&b"a"[..]));
    assert_eq!(db.store.version_component(&task(), "b").await.unwrap(), None);
    assert_eq!(db.store.task_records().await.unwrap(), [published.record]);
    let changes = db.store.task_changes(&task(), 9).await.unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].at, changes[0].from.as_deref(), changes[0].to.as_deref()), (at(1), None, Some("a")));
}

pub(crate) async fn a_component_is_kept_byte_for_byte<S: Store>(db: &Fixture<S>) {
    let component: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
    let task = task();
    let new = NewVersion { component: &component, ..version(&task, "a", Arrival::Changed) };
    assert!(db.store.version_publish(new, Some(at(1))).await.is_ok());
    assert_eq!(db.store.version_component(&task, "a").await.unwrap().unwrap(), component);
}

pub(crate) async fn a_version_that_is_in_service_changes_nothing<S: Store>(db: &Fixture<S>) {
    db.upload("a", 1).await;
    for arrival in [Arrival::Uploaded, Arrival::Changed, Arrival::FoundAtStart] {
        let again = db.publish("a", arrival, 9).await;
        assert_eq!((again.placement, again.is_new), (Placement::InServiceAlready, false));
    }
    assert_eq!(db.reasons().await, [ChangeReason::Upload]);
    assert_eq!(db.store.version_list(&task()).await.unwrap()[0].uploaded_at, at(1));
}

pub(crate) async fn a_file_that_is_sent_too_is_served_everywhere_and_stays_so<S: Store>(db: &Fixture<S>) {
    db.publish("a", Arrival::FoundAtStart, 1).await;
    assert_eq!(db.task_record().await.source, Some(VersionSource::Directory));
    assert_eq!(db.upload("a", 2).await.record.source, Some(VersionSource::Upload));
    db.upload("b", 3).await;
    assert_eq!(db.publish("a", Arrival::Changed, 4).await.record.source, Some(VersionSource::Upload));
    assert_eq!(db.task_record().await.source, Some(VersionSource::Upload));
}

pub(crate) async fn a_known_file_says_nothing_at_the_start_and_what_is_wanted_later<S: Store>(db: &Fixture<S>) {
    db.publish("a", Arrival::FoundAtStart, 1).await;
    db.upload("b", 2).await;
    assert_eq!(db.publish("a", Arrival::FoundAtStart, 3).await.placement, Placement::Superseded);
    assert_eq!(db.in_service().await.as_deref(), Some("b"));
    let changed = db.publish("a", Arrival::Changed, 4).await;
    assert_eq!((changed.placement, changed.is_new), (Placement::PutInService, false));
    assert_eq!(db.reasons().await, [ChangeReason::Directory, ChangeReason::Upload, ChangeReason::Directory]);
}

pub(crate) async fn a_pinned_task_keeps_what_comes_and_serves_what_it_served<S: Store>(db: &Fixture<S>) {
    assert_eq!(db.store.task_pin(&task(), true, None).await.unwrap(), None);
    db.upload("a", 1).await;
    for _ in 0..2 {
        assert!(db.store.task_pin(&task(), true, Some(at(2))).await.unwrap().unwrap().is_pinned);
    }
    let held = db.upload("b", 3).await;
    assert_eq!((held.placement, held.is_new, held.record.digest.as_deref()), (Placement::HeldByPin, true, Some("a")));
    assert_eq!(db.kept().await, ["b", "a"]);
    assert_eq!(db.roll_back(BACK).await, RollbackOutcome::Refused(RollbackRefusal::Pinned));
    assert!(!db.store.task_pin(&task(), false, Some(at(4))).await.unwrap().unwrap().is_pinned);
    assert_eq!(db.in_service().await.as_deref(), Some("a"), "what was kept does not go into service by itself");
    assert_eq!(db.reasons().await, [ChangeReason::Unpin, ChangeReason::Pin, ChangeReason::Upload]);
}

pub(crate) async fn a_rollback_goes_to_the_version_before_or_to_a_named_one<S: Store>(db: &Fixture<S>) {
    assert_eq!(db.roll_back(BACK).await, RollbackOutcome::NotFound);
    db.upload("a", 1).await;
    assert_eq!(db.roll_back(BACK).await, RollbackOutcome::Refused(RollbackRefusal::NoVersionBefore));
    db.upload("b", 2).await;
    db.upload("c", 3).await;
    let RollbackOutcome::RolledBack(record) = db.roll_back(BACK).await else { panic!("it was refused") };
    assert_eq!((record.digest.as_deref(), record.previous.as_deref()), (Some("b"), Some("c")));
    assert_eq!(record, db.task_record().await);
    let named = |digest| Rollback { to: Some(digest), ..BACK };
    assert!(matches!(db.roll_back(named("a")).await, RollbackOutcome::RolledBack(_)));
    let refused = |refusal| RollbackOutcome::Refused(refusal);
    assert_eq!(db.roll_back(named("a")).await, refused(RollbackRefusal::InServiceAlready("a".to_owned())));
    assert_eq!(db.roll_back(named("x")).await, refused(RollbackRefusal::NotKept("x".to_owned())));
    let change = &db.store.task_changes(&task(), 1).await.unwrap()[0];
    assert_eq!((change.from.as_deref(), change.to.as_deref(), change.message.as_str()), (Some("b"), Some("a"), "back"));
}

pub(crate) async fn of_many_rollbacks_by_itself_one_is_done<S: Store>(db: &Fixture<S>) {
    db.upload("a", 1).await;
    assert_eq!(db.roll_back(by_itself("a")).await, RollbackOutcome::Refused(RollbackRefusal::Overtaken));
    db.upload("b", 2).await;
    let outcomes = join_all((0..5).map(|_| db.roll_back(by_itself("b")))).await;
    let done = outcomes.iter().filter(|outcome| matches!(outcome, RollbackOutcome::RolledBack(_))).count();
    assert_eq!((done, db.in_service().await.as_deref()), (1, Some("a")), "{outcomes:?}");
    // What a rollback put in service stays.
    assert_eq!(db.roll_back(by_itself("a")).await, RollbackOutcome::Refused(RollbackRefusal::Overtaken));
    assert_eq!(db.reasons().await[0], ChangeReason::AutoRollback);
}

pub(crate) async fn the_versions_that_were_used_longest_ago_are_freed<S: Store>(db: &Fixture<S>) {
    let digests = ["a", "b", "c", "d", "e", "f"];
    for (second, digest) in (1..).zip(digests) {
        db.store
            .version_publish(NewVersion { keep: 2, ..version(&task(), digest, Arrival::Uploaded) }, Some(at(second)))
            .await
            .unwrap();
    }
    // The one in service, the one before it, and two more.
    assert_eq!(db.kept().await, ["f", "e", "d", "c"]);
    assert_eq!(db.store.version_list(&task()).await.unwrap().len(), 6, "they are still known");
    // A version that is used again is not the oldest any more.
    db.roll_back(Rollback { to: Some("c"), ..BACK }).await;
    db.store
        .version_publish(NewVersion { keep: 0, ..version(&task(), "g", Arrival::Uploaded) }, Some(at(60)))
        .await
        .unwrap();
    assert_eq!(db.kept().await, ["g", "c"]);
    assert!(matches!(db.roll_back(BACK).await, RollbackOutcome::RolledBack(_)), "what a rollback needs is there");
    assert_eq!(
        db.roll_back(Rollback { to: Some("a"), ..BACK }).await,
        RollbackOutcome::Refused(RollbackRefusal::NotKept("a".to_owned()))
    );
    // One that was freed is kept again when it comes again.
    assert_eq!(db.upload("a", 70).await.placement, Placement::PutInService);
    assert!(db.kept().await.contains(&"a".to_owned()));
}

pub(crate) async fn a_deleted_task_serves_nothing_and_its_file_does_not_bring_it_back<S: Store>(db: &Fixture<S>) {
    assert!(!db.store.task_delete(&task(), None).await.unwrap());
    db.publish("a", Arrival::FoundAtStart, 1).await;
    db.upload("b", 2).await;
    db.store.task_pin(&task(), true, Some(at(3))).await.unwrap();
    assert!(db.store.task_delete(&task(), Some(at(4))).await.unwrap());
    assert!(!db.store.task_delete(&task(), Some(at(5))).await.unwrap());
    let record = db.task_record().await;
    assert_eq!((record.digest, record.previous, record.is_pinned, record.source), (None, None, false, None));
    assert!(db.kept().await.is_empty());
    assert_eq!(db.publish("a", Arrival::FoundAtStart, 6).await.placement, Placement::Superseded);
    assert_eq!(db.in_service().await, None);
    assert_eq!(db.reasons().await[0], ChangeReason::Delete);
    assert_eq!(db.publish("a", Arrival::Changed, 7).await.placement, Placement::PutInService);
    assert_eq!(db.store.version_component(&task(), "a").await.unwrap().as_deref(), Some(&b"a"[..]));
}

pub(crate) async fn tasks_are_apart_from_one_another_and_listed_by_name<S: Store>(db: &Fixture<S>) {
    let other = TaskName::parse("a-task").unwrap();
    db.upload("a", 1).await;
    db.store.version_publish(version(&other, "b", Arrival::Changed), Some(at(2))).await.unwrap();
    let names: Vec<_> = db.store.task_records().await.unwrap().into_iter().map(|record| record.task).collect();
    assert_eq!(names, [other.clone(), task()]);
    assert!(db.store.task_delete(&other, Some(at(3))).await.unwrap());
    assert_eq!((db.in_service().await.as_deref(), db.kept().await), (Some("a"), vec!["a".to_owned()]));
    assert_eq!(db.store.version_component(&task(), "b").await.unwrap(), None);
    assert_eq!(db.store.task_record(&TaskName::parse("none").unwrap()).await.unwrap(), None);
}

pub(crate) async fn a_history_is_short<S: Store>(db: &Fixture<S>) {
    db.upload("a", 1).await;
    for n in 0..110 {
        db.store.task_pin(&task(), n % 2 == 0, Some(at(n + 2))).await.unwrap();
    }
    let changes = db.store.task_changes(&task(), 1_000).await.unwrap();
    assert_eq!((changes.len(), changes[0].at, changes[0].reason), (100, at(111), ChangeReason::Unpin));
    assert_eq!(db.store.task_changes(&task(), 3).await.unwrap(), changes[..3]);
}

pub(crate) async fn workers_say_what_they_serve_and_are_forgotten_with_it<S: Store>(db: &Fixture<S>) {
    let said = |number, digest: Option<&str>, fault: Option<&str>| WorkerTask {
        worker: worker(number),
        task: task(),
        digest: digest.map(str::to_owned),
        load_error: fault.map(str::to_owned),
    };
    let ttl = Duration::from_secs(30);
    for number in [1, 2] {
        db.store.worker_register(&slot(number), ttl, Some(at(number as u64))).await.unwrap();
    }
    db.store.worker_tasks_save(worker(2), &[said(2, Some("a"), Some("too large"))]).await.unwrap();
    db.store.worker_tasks_save(worker(1), &[said(1, Some("b"), None)]).await.unwrap();
    // One that is not there says nothing.
    db.store.worker_tasks_save(worker(3), &[said(3, Some("b"), None)]).await.unwrap();
    let found = async |second| db.store.worker_tasks(&task(), Some(at(second))).await.unwrap();
    assert_eq!(found(5).await, [said(1, Some("b"), None), said(2, Some("a"), Some("too large"))]);
    assert_eq!(found(31).await, [said(2, Some("a"), Some("too large"))], "the lease of the first has run out");
    db.store.worker_tasks_save(worker(2), &[said(2, None, Some("gone"))]).await.unwrap();
    assert_eq!(found(31).await, [said(2, None, Some("gone"))]);
    db.store.worker_tasks_save(worker(2), &[]).await.unwrap();
    db.store.worker_remove(worker(1)).await.unwrap();
    assert!(found(5).await.is_empty());
}
