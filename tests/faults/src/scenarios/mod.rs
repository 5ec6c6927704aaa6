//! The faults.

mod clock;
mod connections;
mod crash_points;
mod disk;
mod kills;
mod lost_answers;
mod server;
mod snapshot;
mod zombie;

use std::fmt;
use std::path::Path;

use anyhow::Result;

use crate::database::Kind;
use crate::load::Mix;
use crate::round::{Size, World};

pub(crate) use self::disk::Place;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// Daemons are killed at random moments, again and again.
    Kills,
    /// Daemons die at each fail point.
    CrashPoints,
    /// The database's answers to commits are lost on the way.
    LostAnswers,
    /// Daemons are stopped past their lease, and go on.
    Zombie,
    /// The database server crashes and starts again, and its connections are ended.
    Server,
    /// There are not enough connections.
    Connections,
    /// Somebody reads for a long time.
    Snapshot,
    /// The disk is full for a while.
    Disk,
    /// Clocks of hosts are wrong.
    Clock,
}

impl Scenario {
    pub(crate) fn all() -> &'static [Self] {
        clap::ValueEnum::value_variants()
    }

    pub(crate) fn is_for(self, kind: Kind) -> bool {
        match self {
            Self::Server | Self::Connections => kind == Kind::Postgres,
            Self::Disk => kind == Kind::Sqlite,
            _ => true,
        }
    }

    /// What the daemons are started with, besides what all scenarios need.
    pub(crate) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Connections => &["--database-connections", "2"],
            _ => &[],
        }
    }

    /// How long a daemon that says nothing is believed to be alive. Short, or a round would mostly wait for that; longer where the
    /// death of a worker, and the rescue after it, would hide what is looked for.
    pub(crate) fn ttl_ms(self) -> u32 {
        match self {
            Self::LostAnswers | Self::Server | Self::Snapshot | Self::Clock => 2_000,
            _ => 1_000,
        }
    }

    /// Whether no worker dies, or is kept from saying that it lives: then none may be taken for dead.
    pub(crate) fn spares_workers(self) -> bool {
        matches!(self, Self::LostAnswers | Self::Snapshot)
    }

    /// What the environment of every daemon holds.
    pub(crate) fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::LostAnswers => &[("WINDLASS_FAILPOINT", lost_answers::POINTS)],
            _ => &[],
        }
    }

    /// What is enqueued meanwhile.
    pub(crate) fn mix(self, size: Size) -> Mix {
        let jobs = if size == Size::Small { 600 } else { 4_000 };
        let mix = Mix { senders: 8, jobs, max_ms: 100 };
        match self {
            // A zombie must wake while somebody else runs its job.
            Self::Zombie => Mix { max_ms: 1_500, jobs: jobs / 2, ..mix },
            Self::Connections => Mix { senders: 64, ..mix },
            _ => mix,
        }
    }

    /// Makes the place where a SQLite file lies. An error says why that cannot be had here.
    pub(crate) fn prepare(self, folder: &Path) -> Result<Place> {
        match self {
            Self::Disk => Place::small_disk(folder),
            _ => Ok(Place::beside(folder)),
        }
    }

    /// Hurts the daemons or their database while jobs are enqueued, and ends when nothing hurts any more.
    pub(crate) async fn hurt(self, world: &mut World, place: &Path) -> Result<()> {
        match self {
            Self::Kills => kills::hurt(world).await,
            Self::CrashPoints => crash_points::hurt(world).await,
            Self::LostAnswers => lost_answers::hurt(world).await,
            Self::Zombie => zombie::hurt(world).await,
            Self::Server => server::hurt(world).await,
            Self::Connections => connections::hurt(world).await,
            Self::Snapshot => snapshot::hurt(world).await,
            Self::Disk => disk::hurt(world, place).await,
            Self::Clock => clock::hurt(world).await,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = clap::ValueEnum::to_possible_value(self);
        f.write_str(value.as_ref().map_or("scenario", |value| value.get_name()))
    }
}

impl World {
    /// As many as fit the round: `small` for every change, `large` for a long run.
    fn times(&self, small: u32, large: u32) -> u32 {
        if self.size == Size::Small { small } else { large }
    }

    /// Lets a random span pass, in milliseconds.
    async fn pass(&mut self, span: std::ops::Range<u64>) {
        let span = self.rng.u64(span);
        tokio::time::sleep(std::time::Duration::from_millis(span)).await;
    }

    /// A daemon by chance.
    fn any_daemon(&mut self) -> usize {
        let count = self.fleet.len();
        self.rng.usize(..count)
    }
}
