//! Which database holds the queue.

use std::path::{Path, PathBuf};

use windlass_store::PostgresSettings;

/// Which database holds the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file that this daemon alone uses.
    Sqlite(PathBuf),
    /// A server that many daemons may share.
    Postgres(PostgresSettings),
}

/// What was given about the database.
pub(crate) struct Given {
    pub(crate) url: Option<String>,
    pub(crate) connections: Option<u32>,
    pub(crate) poll_only: Option<bool>,
}

impl Given {
    /// Puts what was given over the defaults. What comes back with a fault is not to be used. A URL may hold a password, so none
    /// is ever repeated.
    pub(crate) fn check(self, data_dir: &Path, faults: &mut Vec<String>) -> Database {
        let connections = self.connections.unwrap_or(10);
        // One listens and at least one works; a server takes a hundred or so from all daemons together unless it is told otherwise.
        if !(2..=200).contains(&connections) {
            faults.push(format!("database_connections: {connections} is not between 2 and 200"));
        }
        let Some(url) = self.url else { return Database::Sqlite(data_dir.join("windlass.db")) };
        if ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            let settings = PostgresSettings { url, connections, poll_only: self.poll_only.unwrap_or(false) };
            if let Err(fault) = settings.check() {
                faults.push(format!("database_url: {fault}"));
            }
            return Database::Postgres(settings);
        }
        match url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some(path) if !path.is_empty() => Database::Sqlite(PathBuf::from(path)),
            _ => {
                faults.push("database_url: it starts neither with sqlite:PATH nor with postgres://".to_owned());
                Database::Sqlite(PathBuf::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(url: &str) -> (Database, Vec<String>) {
        let mut faults = Vec::new();
        let given = Given { url: Some(url.to_owned()), connections: None, poll_only: None };
        (given.check(Path::new("data"), &mut faults), faults)
    }

    #[test]
    fn a_url_says_by_its_start_which_database_it_is() {
        for url in ["sqlite:a/b.db", "sqlite://a/b.db"] {
            assert_eq!(given(url), (Database::Sqlite(PathBuf::from("a/b.db")), Vec::new()));
        }
        for url in ["postgres://u:secret@db/x", "postgresql://u@db/x?sslmode=verify-full", "postgres:///x?host=/run/pg"]
        {
            let settings = PostgresSettings { url: url.to_owned(), connections: 10, poll_only: false };
            assert_eq!(given(url), (Database::Postgres(settings), Vec::new()));
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_not_repeated() {
        for url in
            ["mysql://u:secret@db/x", "sqlite:", "postgres://u:secret@db/x?pasword=secret", "postgres://u:secret@/:"]
        {
            let (_, faults) = given(url);
            assert_eq!(faults.len(), 1, "{url}");
            assert!(faults[0].starts_with("database_url: ") && !faults[0].contains("secret"), "{faults:?}");
        }
    }

    #[test]
    fn settings_do_not_show_the_url() {
        let (database, _) = given("postgres://u:secret@db/x");
        assert!(!format!("{database:?}").contains("secret"));
    }
}
