//! Wants one grant of each kind, so that it is not put in service without them.

use serde::{Deserialize, Serialize};
use windlass_guest::schemars::{self, JsonSchema};
use windlass_guest::{Job, TaskError, Wants, task};

#[derive(Deserialize, JsonSchema)]
struct Args {}

#[derive(Serialize, JsonSchema)]
struct Output {
    region: Option<String>,
}

fn wants() -> Wants {
    Wants::new()
        .env("REGION", "north")
        .secret("api-key")
        .read_directory("/data")
        .http("https://api.example.com", &["GET", "POST"], &["/v1/*"])
        .tcp("smtp.example.com", 587)
        .enqueue("send-email")
}

/// Wants much
#[task(wants = wants())]
#[expect(clippy::disallowed_methods, reason = "a guest has no settings; its environment is what was granted")]
fn wanting(_: &Job, _: Args) -> Result<Output, TaskError> {
    Ok(Output { region: std::env::var("REGION").ok() })
}
