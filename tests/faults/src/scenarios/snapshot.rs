//! Somebody reads for as long as jobs pass: nothing may wait for him, and nothing he still sees may be in the way.

use anyhow::Result;

use crate::round::World;

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    let mut reader = world.database.connect().await?;
    reader.hold_snapshot().await?;
    let wanted = world.times(900, 4_000) as usize;
    while world.ledger.acknowledged_count() < wanted {
        world.pass(50..100).await;
        world.fleet.look_after()?;
    }
    world.pass(1_000..1_500).await;
    // Those who began before the reader have long ended; that they could is what is tried here.
    let ended = world.ledger.starts()?.values().filter(|starts| starts.ended > 0).count();
    world.notes.push(format!("{ended} jobs ended under the reader"));
    if ended < wanted / 2 {
        world.broken.push(format!("only {ended} of {wanted} jobs ended while somebody read"));
    }
    reader.close().await
}
