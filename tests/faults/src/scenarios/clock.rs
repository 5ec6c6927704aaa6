//! Clocks of hosts are wrong, by an hour forwards and backwards: leases and due times go by the database's, so nobody is taken for
//! dead.

use anyhow::Result;

use crate::round::World;

const HOUR_MS: i64 = 3_600_000;

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    let count = world.fleet.len();
    for (number, by_ms) in [HOUR_MS, -HOUR_MS].into_iter().enumerate().map(|(place, by_ms)| (place % count, by_ms)) {
        world.fleet.kill(number)?;
        world.fleet.start_one(number, &[("WINDLASS_CLOCK_WRONG_MS", by_ms.to_string())])?;
        world.pass(200..800).await;
    }
    // Longer than the lease of those that were killed, and the pause between two looks.
    world.pass(3_500..4_000).await;
    let before = world.fleet.log_lines("jobs away from workers that died").len();
    for _ in 0..world.times(1, 4) {
        world.pass(2_500..3_500).await;
    }
    let after = world.fleet.log_lines("jobs away from workers that died").len();
    if after > before {
        world.broken.push(format!("{} times jobs were taken from workers that lived", after - before));
    }
    Ok(())
}
