//! The seams, written once for both databases. What differs stands in the statements and in [`Dialect`].

mod claim;
mod dependencies;
mod directory;
mod inbox;
mod janitor;
mod key_values;
mod ledger;
mod operations;
mod queue;
mod queues;
mod submit;
mod turns;
mod upkeep;
mod versions;
mod write;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;
use windlass_model::{QueueName, Timestamp};

use crate::StoreError;
use crate::dialect::Dialect;
use crate::error::BEGIN;
use crate::record::Record;
use crate::seam::{ChangeFeed, ChangeSource, Changes};
use crate::statement::{self, Statement};
use crate::value::Value;

use self::turns::Turns;
use self::write::Write;

/// How often a transaction is begun again because somebody else wrote the same keys. Each time somebody else got on.
const MAX_RACES: u32 = 20;

/// Counts how often one call was overtaken.
#[derive(Default)]
struct Races(u32);

impl Races {
    /// Whether it was overtaken again, and should begin its transaction anew.
    fn lost<T>(&mut self, answer: &Result<T, StoreError>) -> bool {
        let lost = self.0 < MAX_RACES && answer.as_ref().is_err_and(StoreError::is_race);
        self.0 += u32::from(lost);
        lost
    }
}

/// The queues that have a row, as far as this process knows. Rows of queues are never removed, so none has to be asked for twice.
#[derive(Clone, Default)]
struct KnownQueues(Arc<RwLock<HashSet<QueueName>>>);

impl KnownQueues {
    fn has(&self, queue: &QueueName) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(queue)
    }

    fn add(&self, queues: impl IntoIterator<Item = QueueName>) {
        // A set of names is whole after every step, so a panic elsewhere does not spoil it.
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(queues);
    }
}

/// The queue in a SQL database.
#[derive(Clone)]
pub struct SqlStore<D> {
    pub(crate) dialect: D,
    queues: KnownQueues,
    turns: Turns,
}

#[expect(private_bounds, reason = "which databases there are is decided in this crate")]
impl<D: Dialect> SqlStore<D> {
    pub(crate) fn on(dialect: D) -> Self {
        Self { dialect, queues: KnownQueues::default(), turns: Turns::default() }
    }

    /// Which database this is: made with it, and never changed. What is kept outside it is kept under this name.
    pub async fn installation(&self) -> Result<Uuid, StoreError> {
        let rows: Vec<(Uuid,)> = self.read_rows(statement::installation, Vec::new()).await?;
        rows.first().map(|(id,)| *id).ok_or_else(|| StoreError::raced(statement::installation.name))
    }

    /// Begins a transaction that may write.
    async fn write(&self, now: Option<Timestamp>) -> Result<Write<D>, StoreError> {
        let mut tx = match self.dialect.begin().await {
            Ok(tx) => tx,
            Err(source) => return Err(StoreError::new(BEGIN, source)),
        };
        let now = clock(&self.dialect, &mut tx, now).await?;
        Ok(Write {
            dialect: self.dialect.clone(),
            tx,
            now,
            changes: Changes::default(),
            queues: self.queues.clone(),
            new_queues: BTreeSet::new(),
        })
    }

    /// Reads rows `R` as the model's `M`.
    async fn read<R, M>(&self, statement: Statement, values: Vec<Value>) -> Result<Vec<M>, StoreError>
    where
        R: Record,
        M: TryFrom<R, Error = StoreError>,
    {
        let rows: Vec<R> = self.read_rows(statement, values).await?;
        rows.into_iter().map(M::try_from).collect()
    }

    async fn read_rows<R: Record>(&self, statement: Statement, values: Vec<Value>) -> Result<Vec<R>, StoreError> {
        let mut connection = self.dialect.reader().await.map_err(statement.fault())?;
        self.dialect.fetch(&mut connection, statement, values.into()).await.map_err(statement.fault())
    }
}

impl<D: Dialect> ChangeSource for SqlStore<D> {
    fn changes(&self) -> Box<dyn ChangeFeed> {
        self.dialect.feed()
    }
}

/// The time that a call goes by: the given one, else the database's.
async fn clock<D: Dialect>(
    dialect: &D,
    connection: &mut D::Connection,
    now: Option<Timestamp>,
) -> Result<Timestamp, StoreError> {
    match now {
        Some(now) => Ok(now),
        None => dialect.clock(connection).await.map_err(|source| StoreError::new("clock", source)),
    }
}
