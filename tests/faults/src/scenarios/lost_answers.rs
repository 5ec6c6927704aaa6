//! The database's answers to commits are lost on the way, as when a connection breaks at the wrong moment: what was asked for has
//! been done, and the daemon that asked lives on and does not know.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::round::World;

/// Often enough that each happens several times in a round, also where three daemons share the claims.
pub(crate) const POINTS: &str = "lost-enqueue=29,lost-claim=11,lost-finish=37";

/// How long a round waits for the first claim whose answer is lost, on a machine that is slow today.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    for _ in 0..world.times(2, 10) {
        world.pass(800..1_200).await;
        world.fleet.look_after()?;
    }
    let start = Instant::now();
    while world.fleet.log_lines("Cannot claim jobs").is_empty() && start.elapsed() < PATIENCE {
        world.pass(200..300).await;
        world.fleet.look_after()?;
    }
    let lost = world.fleet.log_lines("Cannot claim jobs").len();
    world.notes.push(format!("claims whose answer was lost {lost}"));
    if lost == 0 {
        world.broken.push("the harness itself: no answer to a claim was lost".to_owned());
    }
    Ok(())
}
