//! Daemons are stopped past their lease while others take their jobs, and then go on: what they write then must not count.

use anyhow::Result;

use crate::database::Kind;
use crate::round::World;

pub(crate) async fn hurt(world: &mut World) -> Result<()> {
    for _ in 0..world.times(4, 12) {
        world.pass(300..800).await;
        let victim = world.any_daemon();
        world.fleet.signal(victim, "STOP")?;
        // The lease lasts for one second; the others look three times a second.
        world.pass(1_300..2_300).await;
        world.fleet.signal(victim, "CONT")?;
    }
    // It runs on when its last requests are answered.
    world.pass(1_000..1_500).await;
    let stale = world.fleet.log_lines("was taken away while it ran here").len();
    world.notes.push(format!("stale ends dropped {stale}"));
    if world.kind == Kind::Postgres && stale == 0 {
        world.broken.push("the harness itself: no zombie tried to end a job that it had lost".to_owned());
    }
    Ok(())
}
