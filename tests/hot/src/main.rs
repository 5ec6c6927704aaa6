//! What every job passes through and what touches nothing outside. `windlass-hot NAME N` does one of these things N times;
//! without arguments it names them. `cargo xtask bench` runs it under valgrind twice, with two different N, and takes the
//! difference: so what a call costs is told in instructions, which are the same on a busy machine, and the start costs nothing.

#![expect(clippy::print_stdout, reason = "a command for developers talks to its terminal")]

mod cases;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let Some(name) = words.next() else {
        for (name, _) in cases::ALL {
            println!("{name}");
        }
        return Ok(());
    };
    let (_, case) = cases::ALL.iter().find(|(known, _)| *known == name).context("there is no such case")?;
    let calls: u32 = words.next().context("how often?")?.parse()?;
    case(calls)
}
