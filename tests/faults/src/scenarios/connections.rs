//! There are not enough connections: the daemons have few each, many ask at once, and for a while another client takes all that the
//! server has left.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::round::World;

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    let mut taken_most = 0;
    for _ in 0..world.times(2, 6) {
        world.pass(300..800).await;
        // Whoever loses a connection now does not get another.
        let start = Instant::now();
        let mut taken = Vec::new();
        world.database.connect().await?.terminate_daemons().await?;
        while start.elapsed() < Duration::from_secs(2) {
            match world.database.connect().await {
                Ok(client) => taken.push(client),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        taken_most = taken_most.max(taken.len());
        for client in taken {
            client.close().await?;
        }
    }
    world.notes.push(format!("another client held {taken_most} connections"));
    Ok(())
}
