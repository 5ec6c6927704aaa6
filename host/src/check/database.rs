//! The database: whether it is there, keeps its word, and has room for this daemon.

use std::path::Path;
use std::time::Duration;

use windlass_engine::now;
use windlass_model::Timestamp;
use windlass_store::{PostgresFacts, PostgresSettings, PostgresStore, SchemaFact, SqliteFacts, SqliteStore};

use super::findings::{Findings, chain};
use crate::store;

/// From here on what a person reads about times is confusing.
const CLOCKS_APART: Duration = Duration::from_secs(2);

/// From here on time limits and planned times, which go by different clocks, do not fit together.
const CLOCKS_FAR_APART: Duration = Duration::from_secs(60);

/// Looks at a SQLite file.
pub(super) async fn sqlite(findings: &mut Findings, path: &Path, is_running: bool) -> anyhow::Result<()> {
    let subject = "database";
    if !path.exists() {
        findings.ok(subject, format!("{} will be made", path.display()));
        return Ok(());
    }
    if !is_running && store::is_database_in_use(path)? {
        let text = format!("another daemon uses {}", path.display());
        findings.fault(subject, text, "give this daemon a file of its own, or let both use PostgreSQL");
        return Ok(());
    }
    match SqliteStore::examine(path).await {
        Ok(facts) => judge_sqlite(findings, path, &facts),
        Err(error) => findings.fault(
            subject,
            chain(&error),
            "see whether it is a SQLite database that the user who runs Windlass may read and write",
        ),
    }
    Ok(())
}

fn judge_sqlite(findings: &mut Findings, path: &Path, facts: &SqliteFacts) {
    let text = format!("{}, SQLite {}", path.display(), facts.version);
    match &facts.damage {
        None => findings.ok("database", text),
        Some(damage) => findings.fault(
            "database",
            format!("{} is damaged: {damage}", path.display()),
            "stop the daemon, keep a copy, then restore a backup or use `sqlite3 FILE .recover`",
        ),
    }
    match facts.journal_mode.as_str() {
        "wal" => findings.ok("database journal", "wal"),
        other => findings.warning(
            "database journal",
            format!("{other}; the next start sets it to wal"),
            "see who changed it; a file system without shared memory (NFS) cannot have wal and must not hold the file",
        ),
    }
    match facts.is_synchronous {
        true => findings.ok("database durability", "a commit waits for the disk (synchronous=full)"),
        false => findings.fault(
            "database durability",
            "a commit does not wait for the disk",
            "use a build of Windlass whose SQLite honours `PRAGMA synchronous`",
        ),
    }
    schema(findings, facts.schema, true);
}

/// Looks at a PostgreSQL server.
pub(super) async fn postgres(findings: &mut Findings, settings: &PostgresSettings, is_running: bool) {
    let before = now();
    match PostgresStore::examine(settings).await {
        Ok(facts) => {
            judge_postgres(findings, &facts, settings.poll_only);
            clocks(findings, before, facts.now, now());
            if settings.poll_only {
                findings.ok("connections", format!("{} to the pooler", settings.connections));
            } else {
                connections(findings, settings.connections, &facts, is_running);
            }
        }
        Err(error) => findings.fault(
            "database",
            chain(&error),
            "mend database_url, or see to it that the server runs and lets this user in",
        ),
    }
}

fn judge_postgres(findings: &mut Findings, facts: &PostgresFacts, poll_only: bool) {
    let text = format!("PostgreSQL {} at {}", facts.version, facts.at);
    match facts.is_standby {
        false => findings.ok("database", text),
        true => findings.fault(
            "database",
            format!("{text} is a standby"),
            "use the URL of the primary: a standby takes no writes",
        ),
    }
    let mut settings = Findings::default();
    let subject = "database settings";
    if !facts.fsync {
        let text = "fsync is off: a power cut loses jobs that were accepted, or the whole database";
        settings.fault(subject, text, "set fsync = on in postgresql.conf and reload");
    }
    if !facts.full_page_writes {
        let text = "full_page_writes is off: a power cut may damage the database";
        settings.fault(subject, text, "set full_page_writes = on in postgresql.conf and reload");
    }
    if facts.synchronous_commit == "off" {
        let text = "synchronous_commit is off: a crash loses the last jobs that were accepted";
        settings.fault(subject, text, "ALTER ROLE … SET synchronous_commit = on, for the user of database_url");
    }
    if !facts.autovacuum {
        let text = "autovacuum is off: the tables of the queue grow, and claims become slow";
        settings.warning(subject, text, "set autovacuum = on and track_counts = on in postgresql.conf and reload");
    }
    if !facts.ends_idle_transactions {
        let text = "idle_in_transaction_session_timeout is 0: a daemon that hangs keeps its locks";
        let remedy = if poll_only {
            "ALTER ROLE … SET idle_in_transaction_session_timeout = '60s', because behind a pooler the daemon cannot set it"
        } else {
            "take the setting out of the options of database_url"
        };
        settings.warning(subject, text, remedy);
    }
    if settings.0.is_empty() {
        settings.ok(subject, format!("commits are durable (synchronous_commit={})", facts.synchronous_commit));
    }
    findings.0.append(&mut settings.0);
    schema(findings, facts.schema, facts.may_create);
}

fn schema(findings: &mut Findings, schema: SchemaFact, may_create: bool) {
    let subject = "schema";
    let forbidden = "this user may not make tables";
    let grant = "GRANT CREATE ON SCHEMA public TO … for the user of database_url, or make it the owner of the database";
    match schema {
        SchemaFact::Absent if !may_create => {
            findings.fault(subject, format!("it is to be made, but {forbidden}"), grant)
        }
        SchemaFact::Absent => findings.ok(subject, "will be made"),
        SchemaFact::Present(version) => findings.ok(subject, format!("version {version}, as it should be")),
        SchemaFact::Older(found, newest) if !may_create => {
            findings.fault(subject, format!("it is to go from version {found} to {newest}, but {forbidden}"), grant);
        }
        SchemaFact::Older(found, newest) => findings.warning(
            subject,
            format!(
                "version {found}; the next start brings it to {newest}, and older daemons cannot start on it any more"
            ),
            "make a backup first",
        ),
        SchemaFact::Newer(found) => findings.fault(
            subject,
            format!("version {found}, written by a newer Windlass"),
            "use that version of Windlass, or another database",
        ),
    }
}

/// The database's clock must lie between the host's before and after it was read. What lies outside, they are apart.
fn clocks(findings: &mut Findings, before: Timestamp, database: Timestamp, after: Timestamp) {
    // `since` is zero if the other time is later.
    let (ahead, behind) = (database.since(after), before.since(database));
    let (apart, direction) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    let text = format!("the database's clock is {:.1} s {direction} this host's", apart.as_secs_f64());
    let remedy = "set both clocks by NTP (timedatectl set-ntp true)";
    match apart {
        apart if apart >= CLOCKS_FAR_APART => findings.fault("clock", text, remedy),
        apart if apart >= CLOCKS_APART => findings.warning("clock", text, remedy),
        _ => findings.ok("clock", "the database and this host agree"),
    }
}

fn connections(findings: &mut Findings, wanted: u32, facts: &PostgresFacts, is_running: bool) {
    let PostgresFacts { connections_most: most, connections_free: free, .. } = *facts;
    let subject = "connections";
    let remedy = "lower database_connections of the daemons, or raise max_connections of the server";
    let text = format!("this daemon takes at most {wanted}; of {most} that this user may have {free} are free");
    if most < wanted {
        findings.fault(subject, text, remedy);
    } else if free < wanted && !is_running {
        findings.warning(subject, text, remedy);
    } else {
        // Those of a daemon that runs are not free, but its own.
        findings.ok(subject, text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::Level;
    use super::*;

    fn good() -> PostgresFacts {
        PostgresFacts {
            at: "db:5432/queue".to_owned(),
            version: "16.4".to_owned(),
            now: Timestamp::from_micros(0),
            is_standby: false,
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".to_owned(),
            autovacuum: true,
            ends_idle_transactions: true,
            may_create: true,
            connections_most: 97,
            connections_free: 90,
            schema: SchemaFact::Present(2),
        }
    }

    fn found(look: impl FnOnce(&mut Findings)) -> Vec<(Level, String)> {
        let mut findings = Findings::default();
        look(&mut findings);
        assert!(findings.0.iter().all(|finding| (finding.level == Level::Ok) == finding.remedy.is_none()));
        let notable = findings.0.into_iter().filter(|finding| finding.level != Level::Ok);
        notable.map(|finding| (finding.level, finding.text)).collect()
    }

    fn judged(facts: PostgresFacts) -> Vec<(Level, String)> {
        found(|findings| judge_postgres(findings, &facts, false))
    }

    #[test]
    fn a_server_as_it_should_be_has_nothing_notable() {
        assert_eq!(judged(good()), []);
    }

    #[test]
    fn whatever_breaks_a_promise_is_a_fault() {
        for facts in [
            PostgresFacts { fsync: false, ..good() },
            PostgresFacts { full_page_writes: false, ..good() },
            PostgresFacts { synchronous_commit: "off".to_owned(), ..good() },
            PostgresFacts { is_standby: true, ..good() },
            PostgresFacts { schema: SchemaFact::Newer(9), ..good() },
            PostgresFacts { schema: SchemaFact::Absent, may_create: false, ..good() },
            PostgresFacts { schema: SchemaFact::Older(1, 2), may_create: false, ..good() },
        ] {
            let found = judged(facts);
            assert!(matches!(found[..], [(Level::Fault, _)]), "{found:?}");
        }
    }

    #[test]
    fn what_only_makes_it_worse_is_a_warning() {
        for facts in [
            PostgresFacts { autovacuum: false, ..good() },
            PostgresFacts { ends_idle_transactions: false, ..good() },
            PostgresFacts { schema: SchemaFact::Older(1, 2), ..good() },
        ] {
            let found = judged(facts);
            assert!(matches!(found[..], [(Level::Warning, _)]), "{found:?}");
        }
    }

    #[test]
    fn clocks_may_differ_by_as_long_as_the_question_took() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let level = |database| found(|findings| clocks(findings, at(100), at(database), at(103))).pop();
        for database in [99, 100, 102, 103, 104] {
            assert_eq!(level(database), None, "{database}");
        }
        let said = |level, text: &str| Some((level, format!("the database's clock is {text} this host's")));
        assert_eq!(level(105), said(Level::Warning, "2.0 s ahead of"));
        assert_eq!(level(98), said(Level::Warning, "2.0 s behind"));
        assert_eq!(level(163), said(Level::Fault, "60.0 s ahead of"));
        assert_eq!(level(40), said(Level::Fault, "60.0 s behind"));
    }

    #[test]
    fn a_pool_that_never_fits_is_a_fault_and_one_that_does_not_fit_now_a_warning() {
        let level = |wanted, is_running| {
            found(|findings| connections(findings, wanted, &good(), is_running)).pop().map(|(level, _)| level)
        };
        assert_eq!(level(90, false), None);
        assert_eq!(level(91, false), Some(Level::Warning));
        assert_eq!(level(91, true), None);
        assert_eq!(level(98, true), Some(Level::Fault));
    }

    #[test]
    fn a_damaged_file_is_a_fault() {
        let facts = SqliteFacts {
            version: "3.50.0".to_owned(),
            journal_mode: "wal".to_owned(),
            is_synchronous: true,
            damage: Some("row 3 missing from index jobs_waiting".to_owned()),
            schema: SchemaFact::Present(2),
        };
        let found = found(|findings| judge_sqlite(findings, Path::new("queue.db"), &facts));
        let said = "queue.db is damaged: row 3 missing from index jobs_waiting".to_owned();
        assert_eq!(found, [(Level::Fault, said)]);
    }
}
