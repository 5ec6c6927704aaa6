//! Every statement, one `.sql` file each, under the name of its file.

/// A statement and its name, which errors mention.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement {
    /// The name of the file.
    pub(super) name: &'static str,
    /// Its text.
    pub(super) sql: &'static str,
}

macro_rules! statements {
    ($($name:ident)*) => {
        $(
            #[expect(non_upper_case_globals, reason = "a statement is named as its file")]
            pub(super) const $name: Statement =
                Statement { name: stringify!($name), sql: include_str!(concat!("sql/", stringify!($name), ".sql")) };
        )*

        /// All of them, for the test that prepares each against the migrated schema.
        pub(super) const ALL: &[Statement] = &[$($name),*];
    };
}

statements! {
    artifact_insert artifact_list attempt_insert attempt_list checkpoint_delete checkpoint_load checkpoint_save clock
    event_append event_list job_cancel job_cancel_request job_claim job_finish job_get job_hold job_insert job_list
    job_next_due job_orphans job_promote job_retry log_append log_list ping progress_delete progress_save worker_cancels
    worker_expire_others worker_list worker_remove worker_save
}
