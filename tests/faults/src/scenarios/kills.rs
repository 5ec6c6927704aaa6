//! Daemons are killed at random moments, again and again.

use anyhow::Result;

use crate::round::World;

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    for _ in 0..world.times(6, 25) {
        world.pass(50..600).await;
        world.fleet.look_after()?;
        let victim = world.any_daemon();
        world.fleet.kill(victim)?;
        world.pass(0..300).await;
        world.fleet.start_one(victim, &[])?;
    }
    Ok(())
}
