//! PostgreSQL's fixture, and what is true of a server alone.

use std::any::Any;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener};
use windlass_model::{Arrival, ChangeReason, JobState, NewJob, Patch, QueueChange};
use windlass_store::{
    CancelOutcome, ChangeFeed, ChangeSource as _, Changes, JobDirectory as _, JobInbox as _, JobQueue as _, NewVersion,
    PostgresOpenError, PostgresSettings, PostgresStore, QueueBoard as _, Rollback, StoreError, Upkeep as _,
    VersionShelf as _,
};
use windlass_test_cluster::{Cluster, Database, Pooler};

use crate::fixture::{Fixture, Store as _, at, done, failed, full_report, id, later, new_job, slot, task, worker};

fn settings(url: String) -> PostgresSettings {
    PostgresSettings { url, connections: 4, poll_only: false }
}

async fn reopen(database: &Database) -> PostgresStore {
    PostgresStore::open(&settings(database.url())).await.unwrap()
}

pub(crate) async fn open() -> Fixture<PostgresStore> {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    let keep: Box<dyn Any> = Box::new(database);
    Fixture { store, _keep: keep }
}

#[tokio::test]
async fn every_statement_fits_the_migrated_schema() {
    assert_eq!(open().await.store.prepare_all().await.unwrap(), 103);
}

#[test]
fn the_database_answers_as_the_model_does() {
    // One database for all cases, because making one takes longer than a case.
    let kept = tokio::sync::OnceCell::new();
    crate::model::check(async || {
        let open = async || {
            let database = Rc::new(Database::create().await.unwrap());
            let store = reopen(&database).await;
            let keep: Box<dyn Any> = Box::new(database.clone());
            (database, Rc::new(Fixture { store, _keep: keep }))
        };
        let (database, fixture) = kept.get_or_init(open).await;
        // Queues stay, as they always do, but without their settings.
        database
            .run(
                "TRUNCATE jobs, job_attempts, queue_starts, queue_counts, dependencies_due, idempotency_keys, operations, workers, leaders CASCADE;
                 UPDATE queues SET paused_at = NULL, max_running = NULL, max_running_per_key = NULL, rate_limit = NULL, rate_period_ms = NULL",
            )
            .await
            .unwrap();
        fixture.clone()
    });
}

#[tokio::test]
async fn the_schema_is_the_one_that_was_reviewed() {
    insta::assert_snapshot!("postgres_schema", open().await.store.schema().await.unwrap());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_without_the_password() {
    let url = "postgres://windlass:secret@127.0.0.1:1/queue".to_owned();
    let error = PostgresStore::open(&settings(url)).await.err().unwrap();
    assert!(matches!(error, PostgresOpenError::Connect { .. }));
    let said = "cannot connect to PostgreSQL at 127.0.0.1:1/queue: does it run, and may this user use this database?";
    assert_eq!(error.to_string(), said);
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_by_its_version() {
    let url = format!("postgres://windlass@{}/queue?sslmode=disable", windlass_test_cluster::old_server().unwrap());
    let error = PostgresStore::open(&settings(url)).await.err().unwrap();
    assert!(matches!(&error, PostgresOpenError::TooOld { found, .. } if found == "14.9"), "{error:?}");
    assert!(error.to_string().ends_with("/queue has version 14.9: Windlass needs 15 or later"), "{error}");
}

#[tokio::test]
async fn a_database_of_a_newer_windlass_is_refused() {
    let database = Database::create().await.unwrap();
    reopen(&database).await.close().await;
    database
        .run("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'new', true, '', 0)")
        .await
        .unwrap();
    let error = PostgresStore::open(&settings(database.url())).await.err().unwrap();
    assert!(matches!(&error, PostgresOpenError::Newer { found: 99, .. }), "{error:?}");
    let said = "was written by a newer Windlass (schema 99): use that version, or another database";
    assert!(error.to_string().ends_with(said), "{error}");
}

#[tokio::test]
async fn daemons_that_start_together_bring_the_schema_up_once() {
    let database = Database::create().await.unwrap();
    let (first, second, third) = tokio::join!(reopen(&database), reopen(&database), reopen(&database));
    assert_eq!(first.installation().await.unwrap(), third.installation().await.unwrap());
    first.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    assert!(second.job_get(id(1)).await.unwrap().is_some());
    assert!(third.job_get(id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn daemons_that_start_together_behind_a_pooler_bring_the_schema_up_once() {
    let pooler = Pooler::start(Cluster::start(&[]).unwrap(), 3).unwrap();
    let settings = PostgresSettings { poll_only: true, ..settings(pooler.url("postgres")) };
    let opened = join_all((0..6).map(|_| PostgresStore::open(&settings))).await;
    let stores: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    stores[0].job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    // Many at once, because a single one gets the same connection to the server for all that it does.
    let reads = (0..200).map(|n| stores[n % stores.len()].job_get(id(1)));
    assert!(join_all(reads).await.into_iter().all(|job| job.unwrap().is_some()));
}

#[tokio::test]
async fn behind_a_pooler_nothing_is_kept_on_a_connection() {
    let database = Database::create().await.unwrap();
    let store = PostgresStore::open(&PostgresSettings { poll_only: true, ..settings(database.url()) }).await.unwrap();
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    let mut connection = database.connect().await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_listening_channels()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, 0);
}

/// Everything that was told on the channel while the given work was done, in order.
async fn told(database: &Database, work: impl Future<Output = ()>) -> Vec<String> {
    let mut listener = PgListener::connect(&database.url()).await.unwrap();
    listener.listen("windlass").await.unwrap();
    work.await;
    // What was committed before this comes before it.
    database.run("NOTIFY windlass, 'end'").await.unwrap();
    let mut told = Vec::new();
    loop {
        match listener.recv().await.unwrap().payload() {
            "end" => return told,
            letters => told.push(letters.to_owned()),
        }
    }
}

#[tokio::test]
async fn a_commit_of_many_jobs_is_told_once_with_what_it_changed() {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    let jobs: Vec<_> = (1..=300).map(|n| if n % 2 == 0 { later(n, at(60)) } else { new_job(n) }).collect();
    let work = async {
        store.job_insert(&jobs, Some(at(0))).await.unwrap();
        let running = store.job_claim(worker(1), &[task()], 9, Some(at(1))).await.unwrap().jobs;
        store.job_cancel(running[0].id, Some(at(2))).await.unwrap();
        let ends = [done(&running[1]), failed(&running[2]), failed(&running[3])];
        store.job_finish(&ends, Some(at(3))).await.unwrap();
        store.job_promote(500, Some(at(60))).await.unwrap();
        store.queue_change(&"exports".parse().unwrap(), &QueueChange::default(), Some(at(61))).await.unwrap();
    };
    assert_eq!(told(&database, work).await, ["as", "c", "s", "a", "a"]);
}

#[tokio::test]
async fn what_is_in_service_of_a_task_is_told_when_it_changes() {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    let task = task();
    let new = |digest| NewVersion {
        task: &task,
        digest,
        component: b"",
        arrival: Arrival::Uploaded,
        uploaded_by: None,
        author_version: None,
        keep: 9,
    };
    let work = async {
        for digest in ["a", "a", "b"] {
            store.version_publish(new(digest), Some(at(0))).await.unwrap();
        }
        let (reason, message) = (ChangeReason::Rollback, "");
        store.task_rollback(&task, Rollback { to: None, expected: None, reason, message }, Some(at(1))).await.unwrap();
        store.task_delete(&task, Some(at(2))).await.unwrap();
        store.task_delete(&task, Some(at(3))).await.unwrap();
    };
    assert_eq!(told(&database, work).await, ["t", "t", "t", "t"]);
}

#[tokio::test]
async fn what_changes_nothing_for_others_is_not_told() {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    let work = async {
        store.worker_register(&slot(1), Duration::from_secs(9), None).await.unwrap();
        store.worker_beat(&slot(1), Duration::from_secs(9), None).await.unwrap();
        assert_eq!(store.job_promote(9, None).await.unwrap(), 0);
        assert!(matches!(store.job_cancel(id(1), None).await.unwrap(), CancelOutcome::NotFound));
        // Not committed.
        store.job_insert(&[new_job(1), new_job(1)], None).await.unwrap_err();
    };
    assert_eq!(told(&database, work).await, [""; 0]);
}

#[tokio::test]
async fn behind_a_pooler_nobody_is_told_and_nobody_listens() {
    let database = Database::create().await.unwrap();
    let store = PostgresStore::open(&PostgresSettings { poll_only: true, ..settings(database.url()) }).await.unwrap();
    let work = async {
        store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    };
    assert_eq!(told(&database, work).await, [""; 0]);
    assert!(tokio::time::timeout(Duration::ZERO, store.changes().next()).await.is_err());
}

/// The feed's next answer, which comes.
async fn heard(feed: &mut Box<dyn ChangeFeed>) -> Result<Changes, StoreError> {
    tokio::time::timeout(Duration::from_secs(60), feed.next()).await.expect("nothing is heard")
}

#[tokio::test]
async fn a_listener_whose_connection_ends_says_so_and_hears_again() {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    let mut feed = store.changes();
    assert_eq!(heard(&mut feed).await.unwrap(), Changes::ANYTHING);
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    assert_eq!(heard(&mut feed).await.unwrap(), Changes { available: true, ..Changes::default() });

    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    database.run(end).await.unwrap();
    assert!(heard(&mut feed).await.unwrap_err().is_passing());
    assert_eq!(heard(&mut feed).await.unwrap(), Changes::ANYTHING);
    store.job_insert(&[later(2, at(9))], Some(at(0))).await.unwrap();
    assert_eq!(heard(&mut feed).await.unwrap(), Changes { scheduled: true, ..Changes::default() });
}

#[tokio::test]
async fn a_queue_with_limits_that_somebody_holds_holds_up_no_other() {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    let limited = QueueChange { max_running: Patch::Set(5.try_into().unwrap()), ..QueueChange::default() };
    store.queue_change(&"held".parse().unwrap(), &limited, None).await.unwrap();
    let job = |number, queue: &str| NewJob { queue: queue.parse().unwrap(), ..new_job(number) };
    store.job_insert(&[job(1, "held"), job(2, "free")], Some(at(0))).await.unwrap();
    // A daemon that was stopped in the middle of a claim.
    let mut stopped = database.url().parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT 1 FROM queues WHERE name = 'held' FOR NO KEY UPDATE")
        .execute(&mut stopped)
        .await
        .unwrap();
    let claimed = store.job_claim(worker(1), &[task()], 9, Some(at(1))).await.unwrap();
    assert_eq!(claimed.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(claimed.again_in, Some(Duration::from_millis(50)), "it is worth to look again soon");
    sqlx::raw_sql("ROLLBACK").execute(&mut stopped).await.unwrap();
    let claimed = store.job_claim(worker(1), &[task()], 9, Some(at(1))).await.unwrap();
    assert_eq!(claimed.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id(1)]);
}

/// Waits until so many transactions wait for the locks of others.
async fn blocked(database: &Database, transactions: i64) {
    // Not within a transaction, which would see the same activity each time.
    let mut watcher = database.connect().await.unwrap();
    let blocked = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";
    while sqlx::query_scalar::<_, i64>(blocked).fetch_one(&mut watcher).await.unwrap() < transactions {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// How many jobs another transaction may change that skips those that are locked. What refers to a job does not hinder that.
async fn free(connection: &mut PgConnection) -> usize {
    sqlx::query("SELECT 1 FROM jobs FOR NO KEY UPDATE SKIP LOCKED").fetch_all(connection).await.unwrap().len()
}

#[tokio::test]
async fn a_job_that_comes_after_one_that_is_just_ending_waits_to_see_it_end() {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    // A daemon that has written the end and has not committed.
    let mut ending = database.connect().await.unwrap();
    sqlx::raw_sql("BEGIN; UPDATE jobs SET state = 'completed', finished_at = now()")
        .execute(&mut ending)
        .await
        .unwrap();
    let mut submit = Box::pin(store.submit(NewJob { after: vec![id(1)], ..new_job(2) }));
    tokio::select! {
        answer = &mut submit => panic!("it believed what is not true any more: {answer:?}"),
        () = blocked(&database, 1) => (),
    }
    sqlx::raw_sql("COMMIT").execute(&mut ending).await.unwrap();
    submit.await;
    let job = store.job_get(id(2)).await.unwrap().unwrap();
    assert_eq!((job.state, job.waits_for), (JobState::Available, 0));
}

#[tokio::test]
async fn a_claim_locks_no_more_jobs_than_it_takes() {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    let jobs: Vec<_> = (1..=10).map(new_job).collect();
    store.job_insert(&jobs, Some(at(0))).await.unwrap();
    // Nobody can write a count, so that the claim stops before its end.
    let mut stopper = database.connect().await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE queue_counts IN SHARE MODE").execute(&mut stopper).await.unwrap();
    let tasks = [task()];
    let mut claim = Box::pin(store.job_claim(worker(1), &tasks, 1, Some(at(1))));
    tokio::select! {
        claimed = &mut claim => panic!("nothing stopped it: {claimed:?}"),
        () = blocked(&database, 1) => (),
    }
    assert_eq!(free(&mut stopper).await, 9, "the others are there for other claims");
    sqlx::raw_sql("ROLLBACK").execute(&mut stopper).await.unwrap();
    assert_eq!(claim.await.unwrap().jobs.len(), 1);
}

#[tokio::test]
async fn a_job_that_tells_something_is_not_taken_away_meanwhile() {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    let running = store.job_claim(worker(1), &[task()], 1, Some(at(1))).await.unwrap().jobs.pop().unwrap();
    let mut stopper = database.connect().await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE job_events IN SHARE MODE").execute(&mut stopper).await.unwrap();
    let told = full_report(&running);
    let mut report = Box::pin(store.job_report(&told, Some(at(2))));
    tokio::select! {
        told = &mut report => panic!("nothing stopped it: {told:?}"),
        () = blocked(&database, 1) => (),
    }
    assert_eq!(free(&mut stopper).await, 0, "a rescue leaves it for the next time");
    sqlx::raw_sql("ROLLBACK").execute(&mut stopper).await.unwrap();
    assert!(report.await.unwrap());
}

#[tokio::test]
async fn jobs_that_end_at_once_lock_what_comes_after_them_in_one_order() {
    let database = Database::create().await.unwrap();
    // The plan that a long table gets: through the index, by the jobs that ended.
    let plan = "DO $$ DECLARE setting text; BEGIN \
                FOREACH setting IN ARRAY ARRAY['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin', 'hashagg'] LOOP \
                EXECUTE format('ALTER DATABASE %I SET enable_%s = off', current_database(), setting); \
                END LOOP; END $$";
    database.run(plan).await.unwrap();
    let store = reopen(&database).await;
    let jobs: Vec<_> = (1..=4).map(new_job).collect();
    store.job_insert(&jobs, Some(at(0))).await.unwrap();
    let running = store.job_claim(worker(1), &[task()], 4, Some(at(1))).await.unwrap().jobs;
    // By the jobs that ended, the first two have 12, 13, 11 after them and the last two 11, 14, 12.
    let after =
        |number, parents: &[u128]| NewJob { after: parents.iter().map(|n| id(*n)).collect(), ..new_job(number) };
    let children = [after(11, &[2, 3]), after(12, &[1, 4]), after(13, &[1]), after(14, &[3])];
    store.job_insert(&children, Some(at(2))).await.unwrap();
    let mut stopper = database.connect().await.unwrap();
    let hold = "BEGIN; SELECT 1 FROM jobs WHERE id IN \
                ('00000000-0000-0000-0000-00000000000d', '00000000-0000-0000-0000-00000000000e') FOR UPDATE";
    sqlx::raw_sql(hold).execute(&mut stopper).await.unwrap();
    let ends: Vec<_> = running.iter().map(done).collect();
    let (first, last) = ends.split_at(2);
    let release = async {
        blocked(&database, 2).await;
        sqlx::raw_sql("ROLLBACK").execute(&mut stopper).await.unwrap();
    };
    let (first, last, ()) =
        tokio::join!(store.job_finish(first, Some(at(3))), store.job_finish(last, Some(at(3))), release);
    first.unwrap();
    last.unwrap();
    for number in 11..=14 {
        assert_eq!(store.job_get(id(number)).await.unwrap().unwrap().state, JobState::Available);
    }
}
