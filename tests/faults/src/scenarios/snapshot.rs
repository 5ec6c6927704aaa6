//! Somebody reads for as long as jobs pass: nothing may wait for him, and nothing he still sees may be in the way.

use anyhow::Result;

use crate::round::World;

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    let mut reader = world.database.connect().await?;
    reader.hold_snapshot().await?;
    let wanted = world.times(300, 2_000) as usize;
    // That they end while he reads is what is tried; a round that waits for it in vain is a broken promise.
    let ended = loop {
        let ended = world.ledger.starts()?.values().filter(|starts| starts.ended > 0).count();
        if ended >= wanted {
            break ended;
        }
        world.pass(200..400).await;
        world.fleet.look_after()?;
    };
    world.notes.push(format!("{ended} jobs ended under the reader"));
    reader.close().await
}
