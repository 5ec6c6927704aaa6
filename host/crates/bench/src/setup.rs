//! What all runs share: the folder, the component, and the database that each run begins as a copy of.

use std::path::PathBuf;

use tempfile::TempDir;
use windlass_store::PostgresSettings;

use crate::args::Common;
use crate::fleet::Fleet;
use crate::handler::Handler;
use crate::load;
use crate::place::Place;
use crate::report::say;
use crate::{BenchError, Scenario};

/// What all runs share.
pub(crate) struct Setup {
    pub(crate) common: Common,
    pub(crate) handler: Handler,
    pub(crate) server: Option<PostgresSettings>,
    /// What each run begins with.
    pub(crate) before: Option<Place>,
    folder: TempDir,
}

impl Setup {
    /// Makes the folder, and a database with what is to be there before each run. The component is compiled meanwhile, so that no run
    /// begins with that.
    pub(crate) async fn prepare(scenario: &Scenario) -> Result<Self, BenchError> {
        let common = scenario.common().clone();
        let handler = Handler::read(common.plugin.as_deref(), common.args.as_deref())?;
        let server = common.database_url.clone().map(|url| PostgresSettings { url, connections: 2, poll_only: false });
        if let Some(Err(fault)) = server.as_ref().map(PostgresSettings::check) {
            return Err(BenchError::Flag { flag: "--database-url", fault: fault.to_string() });
        }
        let mut making = tempfile::Builder::new();
        making.prefix("windlass-bench-").disable_cleanup(common.keep);
        let folder = match &common.dir {
            Some(dir) => making.tempdir_in(dir),
            None => making.tempdir(),
        };
        let folder = folder.map_err(BenchError::io("make a folder for the data directories (see --dir)"))?;
        let mut setup = Self { common, handler, server, before: None, folder };
        setup.handler.place(&setup.plugins(), setup.common.plugins - 1)?;
        if setup.common.keep {
            say(&format!("the data directories stay in {}", setup.folder.path().display()));
        }
        setup.before = Some(setup.fill().await?);
        Ok(setup)
    }

    /// A database with so many jobs that have completed.
    async fn fill(&self) -> Result<Place, BenchError> {
        let jobs = self.common.finished;
        let mut fleet = Fleet::start(self, "before").await?;
        if jobs > 0 {
            say(&format!("{jobs} jobs are run before the first run"));
            load::run_through(&fleet, self, jobs).await?;
        }
        fleet.stop().await?;
        Ok(fleet.close().await)
    }

    /// Where the plugins are, of all daemons.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// Where compiled components are, of all daemons.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The data directory of a daemon.
    pub(crate) fn data_dir(&self, run: &str, daemon: u16) -> PathBuf {
        self.folder.path().join(format!("{run}-{daemon}"))
    }

    /// The folder of all of it.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}
