//! Daemons die at each fail point: between two steps that only a crash can part.

use std::time::Duration;

use anyhow::Result;

use crate::round::World;

/// All of them, each with the most times that a daemon may pass it before it dies. A rescue is rarer than the rest: the daemon that
/// is armed finds what the one before it left behind.
const POINTS: [(&str, u32); 8] = [
    ("mid-enqueue", 20),
    ("after-enqueue", 20),
    ("mid-claim", 20),
    ("after-claim", 20),
    ("mid-rescue", 1),
    ("before-finish", 20),
    ("mid-finish", 20),
    ("after-finish", 20),
];

/// How long a daemon may take to come to a point that lies on the way of every job.
const REACHED: Duration = Duration::from_secs(10);

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    for _ in 0..world.times(1, 3) {
        for (point, most) in POINTS {
            let victim = if point == "mid-rescue" { 0 } else { world.any_daemon() };
            if point == "mid-rescue" {
                // Long enough that those who are killed now have claimed something.
                world.pass(800..1_200).await;
            }
            world.fleet.kill(victim)?;
            if point == "mid-rescue" {
                // With the others down, nobody else can be quicker.
                for other in 1..world.fleet.len() {
                    world.fleet.kill(other)?;
                }
            }
            let spec = format!("{point}={}", world.rng.u32(1..=most));
            world.fleet.start_one(victim, &[("WINDLASS_FAILPOINT", spec.clone())])?;
            if !world.fleet.wait_for_death(victim, REACHED).await? {
                world
                    .broken
                    .push(format!("the harness itself: no daemon came to the fail point {spec} in {REACHED:?}"));
                world.fleet.kill(victim)?;
            }
            world.fleet.start_all()?;
        }
    }
    Ok(())
}
