//! The database's answers to commits are lost on the way, as when a connection breaks at the wrong moment: what was asked for has
//! been done, and the daemon that asked lives on and does not know.

use anyhow::Result;

use crate::round::World;

/// Often enough that each happens many times in a round.
pub(crate) const POINTS: &str = "lost-enqueue=29,lost-claim=31,lost-finish=37";

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    for _ in 0..world.times(2, 10) {
        world.pass(800..1_200).await;
        world.fleet.look_after()?;
    }
    let lost = world.fleet.log_lines("Cannot claim jobs").len();
    world.notes.push(format!("claims whose answer was lost {lost}"));
    if lost == 0 {
        world.broken.push("the harness itself: no answer to a claim was lost".to_owned());
    }
    Ok(())
}
