//! The database server crashes and starts again, and its connections are ended, under load.

use anyhow::Result;

use crate::round::World;

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    let (mut ended, mut crashes) = (0, 0);
    for _ in 0..world.times(2, 6) {
        for _ in 0..8 {
            world.pass(50..250).await;
            let mut client = world.database.connect().await?;
            ended += client.terminate_daemons().await?;
            client.close().await?;
        }
        world.pass(100..400).await;
        world.database.cluster()?.kill()?;
        world.pass(0..2_000).await;
        world.database.cluster()?.start_again()?;
        crashes += 1;
    }
    world.notes.push(format!("server crashes {crashes}, connections ended {ended}"));
    Ok(())
}
