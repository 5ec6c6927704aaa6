//! The daemons of one run, and the database that they share.

use std::time::Duration;

use crate::BenchError;
use crate::client::Connection;
use crate::daemon::{Daemon, Start};
use crate::place::{Books, Place};
use crate::process::Usage;
use crate::setup::Setup;

/// The daemons of one run, and the database that they share.
pub(crate) struct Fleet {
    // Before the place, so that they are gone when it is dropped.
    daemons: Vec<Daemon>,
    pub(crate) books: Box<dyn Books>,
    place: Place,
}

impl Fleet {
    /// Starts them on a database of their own.
    pub(crate) async fn start(setup: &Setup, run: &str) -> Result<Self, BenchError> {
        let data_dir = setup.data_dir(run, 0);
        let place = Place::create(data_dir, setup.server.as_ref(), setup.before.as_ref(), setup.common.keep).await?;
        let mut daemons = Vec::new();
        let url = place.url();
        for number in 0..setup.common.daemons {
            let start = Start {
                data_dir: &setup.data_dir(run, number),
                plugins: &setup.plugins(),
                cache_dir: &setup.cache_dir(),
                database_url: url.as_deref(),
                slots: setup.common.slots,
                flags: &setup.common.serve,
            };
            daemons.push(start.run().await?);
        }
        let books = place.books().await?;
        Ok(Self { daemons, books, place })
    }

    /// A connection to one of them; in turn, if the number goes up.
    pub(crate) async fn connect(&self, number: usize) -> Result<Connection, BenchError> {
        Connection::open(self.daemons[number % self.daemons.len()].address).await
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.daemons.len()
    }

    /// What they have used so far: their processor time together, and the memory of the one that has most.
    pub(crate) fn usage(&self) -> Usage {
        self.daemons.iter().map(Daemon::usage).fold(Usage::default(), |sum, usage| Usage {
            cpu_seconds: sum.cpu_seconds + usage.cpu_seconds,
            system_seconds: sum.system_seconds + usage.system_seconds,
            resident_mib: sum.resident_mib.max(usage.resident_mib),
            peak_mib: sum.peak_mib.max(usage.peak_mib),
        })
    }

    /// How long the slowest took until its first answer.
    pub(crate) fn start_time(&self) -> Duration {
        self.daemons.iter().map(|daemon| daemon.start).max().unwrap_or_default()
    }

    /// The database's name.
    pub(crate) fn database(&self) -> String {
        self.place.name()
    }

    /// Stops the daemons. What they have done can be read then.
    pub(crate) async fn stop(&mut self) -> Result<(), BenchError> {
        for daemon in self.daemons.drain(..) {
            daemon.stop().await?;
        }
        Ok(())
    }

    /// Lets go of the database, after the daemons were stopped.
    pub(crate) async fn close(self) -> Place {
        self.books.close().await;
        self.place
    }
}
