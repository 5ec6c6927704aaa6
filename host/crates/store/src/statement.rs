//! Every statement: one `.sql` file for each database, under the name of its file.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// A statement and its name, which errors mention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    /// The name of its files.
    pub(crate) name: &'static str,
    /// Its text for SQLite.
    pub(crate) sqlite: &'static str,
    /// Its text for PostgreSQL.
    pub(crate) postgres: &'static str,
}

/// How a statement for SQLite that takes many rows names one: a group of nameless placeholders behind this word.
const ONE_ROW: &str = "VALUES (?";

impl Statement {
    /// Whether SQLite takes many rows at once. Otherwise it takes one after the other, which is as good where nothing is returned for
    /// most of them.
    pub(crate) fn takes_many(self) -> bool {
        self.sqlite.contains(ONE_ROW)
    }

    /// The text for SQLite with so many rows in place of its one. Each is made once: there are few sizes, see `Rows::parts`.
    pub(crate) fn sqlite_of(self, rows: usize) -> &'static str {
        static MADE: LazyLock<Mutex<HashMap<(&'static str, usize), &'static str>>> = LazyLock::new(Mutex::default);
        if rows == 1 {
            return self.sqlite;
        }
        // A map of texts is whole after every step, so a panic elsewhere does not spoil it.
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry((self.name, rows)).or_insert_with(|| Box::leak(self.with_rows(rows).into_boxed_str()))
    }

    fn with_rows(self, rows: usize) -> String {
        let Some(start) = self.sqlite.find(ONE_ROW).map(|at| at + ONE_ROW.len() - 2) else {
            return self.sqlite.to_owned();
        };
        let (before, rest) = self.sqlite.split_at(start);
        let (row, after) = rest.split_at(rest.find(')').map_or(rest.len(), |end| end + 1));
        format!("{before}{}{after}", vec![row; rows].join(", "))
    }

    /// Says of a driver's error which statement it is about.
    pub(crate) fn fault(self) -> impl FnOnce(crate::error::DriverError) -> crate::StoreError {
        move |source| crate::StoreError::new(self.name, source)
    }
}

macro_rules! statements {
    ($($name:ident)*) => {
        $(
            #[expect(non_upper_case_globals, reason = "a statement is named as its file")]
            pub(crate) const $name: Statement = Statement {
                name: stringify!($name),
                sqlite: include_str!(concat!("../statements/sqlite/", stringify!($name), ".sql")),
                postgres: include_str!(concat!("../statements/postgres/", stringify!($name), ".sql")),
            };
        )*

        /// All of them, for the test that prepares each against the migrated schemas.
        pub(crate) const ALL: &[Statement] = &[$($name),*];
    };
}

statements! {
    artifact_insert artifact_list attempt_insert attempt_list attempt_tidy checkpoint_delete checkpoint_load checkpoint_save child_find
    dependencies_due_insert dependencies_due_take dependency_insert dependency_list dependency_open dependency_parents
    dependency_settle dependency_waive event_append event_list idempotency_find idempotency_prune idempotency_save
    installation job_cancel job_cancel_request job_candidates job_claim job_claim_first job_counts job_expire job_finish job_get job_get_many job_hold
    job_insert job_list job_next_due job_orphans job_promote job_prune job_release job_replace job_retry job_unheld job_unknown
    key_value_delete key_value_get key_value_hold key_value_list key_value_set key_value_settle leader_resign leader_take ledger_lifecycles ledger_settings
    ledger_shares ledger_spans log_append log_list operation_get operation_insert operation_move operation_page
    operation_prune operation_take operation_window ping progress_save queue_counts_fold queue_ensure
    queue_hold queue_list queue_open queue_running queue_save queue_start_delete queue_start_insert queue_started
    task_change_append task_change_list task_change_prune task_component_delete task_component_load task_component_prune
    task_component_save task_ensure task_hold task_list task_save task_version_list task_version_save task_version_use
    unique_holders unique_rival worker_cancels worker_expire_others worker_forget worker_list worker_remove worker_save
    worker_task_delete worker_task_insert worker_task_list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_for_one_row_becomes_one_for_many() {
        let one = Statement { name: "one", sqlite: "INSERT INTO t SELECT * FROM (VALUES (?, ?)) AS new", postgres: "" };
        assert_eq!(one.sqlite_of(1), one.sqlite);
        assert_eq!(one.sqlite_of(3), "INSERT INTO t SELECT * FROM (VALUES (?, ?), (?, ?), (?, ?)) AS new");
        assert!(std::ptr::eq(one.sqlite_of(3), one.sqlite_of(3)), "it is made once");
    }
}
