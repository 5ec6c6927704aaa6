//! Every statement: one `.sql` file for each database, under the name of its file.

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

impl Statement {
    /// Says of a driver's error which statement it is about.
    pub(crate) fn fault(self) -> impl FnOnce(sqlx::Error) -> crate::StoreError {
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
    artifact_insert artifact_list attempt_insert attempt_list checkpoint_delete checkpoint_load checkpoint_save clock
    event_append event_list job_cancel job_cancel_request job_claim job_finish job_get job_hold job_insert job_list
    job_next_due job_orphans job_promote job_retry log_append log_list ping progress_delete progress_save worker_cancels
    worker_expire_others worker_list worker_remove worker_save job_unheld
}
