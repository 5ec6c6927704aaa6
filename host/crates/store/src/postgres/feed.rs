//! Hears what other daemons commit: LISTEN on a connection of its own.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use crate::StoreError;
use crate::seam::{ChangeFeed, Changes};

/// Where daemons tell one another; `statements/alone/postgres_notify.sql` has it too.
const CHANNEL: &str = "windlass";

/// Hears what other daemons commit.
pub(super) struct PostgresFeed {
    /// `None` behind a pooler.
    options: Option<PgConnectOptions>,
    listener: Option<PgListener>,
}

impl PostgresFeed {
    pub(super) const fn new(options: Option<PgConnectOptions>) -> Self {
        Self { options, listener: None }
    }
}

#[async_trait]
impl ChangeFeed for PostgresFeed {
    async fn next(&mut self) -> Result<Changes, StoreError> {
        let Some(options) = &self.options else { return std::future::pending().await };
        let Some(listener) = &mut self.listener else {
            self.listener = Some(listen(options.clone()).await.map_err(fault)?);
            return Ok(Changes::ANYTHING);
        };
        let heard = listener.try_recv().await;
        if !matches!(heard, Ok(Some(_))) {
            self.listener = None;
        }
        match heard {
            Ok(Some(told)) => Ok(Changes::of_letters(told.payload())),
            Ok(None) => Err(fault(io::Error::from(io::ErrorKind::ConnectionAborted).into())),
            Err(source) => Err(fault(source)),
        }
    }
}

fn fault(source: sqlx::Error) -> StoreError {
    StoreError::new("listen", source)
}

async fn listen(options: PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    // A pool of one, because the driver listens only on a connection of a pool; it may be quiet for as long as it likes.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    // Whoever asks is to know that something may have been missed.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
