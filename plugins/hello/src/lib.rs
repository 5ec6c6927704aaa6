//! Greets somebody: the smallest plugin there can be.

use serde::{Deserialize, Serialize};
use windlass_guest::schemars::{self, JsonSchema};
use windlass_guest::{Job, TaskError, task};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Who is greeted.
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Output {
    greeting: String,
}

/// Greets somebody.
#[task]
fn hello(job: &Job, args: Args) -> Result<Output, TaskError> {
    job.progress().step(1).percent(50).info(format!("Greeting {}", args.name)).report();
    Ok(Output { greeting: format!("Hello, {}!", args.name) })
}
