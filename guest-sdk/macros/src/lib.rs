//! The attribute that turns a function into a Windlass task. Use it through `windlass_guest::task`.

mod expand;
mod options;

use proc_macro::TokenStream;
use syn::{Item, parse_macro_input};

use crate::options::Options;

/// Turns `fn name(job: &Job, args: Args) -> Result<Output, TaskError>` into the component's `execute` and `describe`.
///
/// `Args` is `serde::Deserialize` and `schemars::JsonSchema`, `Output` is `serde::Serialize` and `JsonSchema`. The first line of
/// the function's doc comment is the task's title, the rest its description.
///
/// Options, all for jobs that do not say otherwise: `queue = "exports"`, `priority = -10` (smaller runs first),
/// `max_attempts = 5`, `timeout = "10m"`, `backoff = "2s..1h"` (from the first delay, doubling, to the longest) or
/// `backoff = "1s, 5s, 1m"` (exactly these, the last one again and again), `unique` (no two jobs with the same arguments at the same
/// time) or `unique = "key"` (no two jobs at all). A span is a number with `ms`, `s`, `m` or `h`.
///
/// And one for the operator: `wants = Wants::new().http("https://api.example.com", &["GET"], &["/v1/*"])`, the grants without which
/// the task cannot work. A daemon that was not told to give them does not put it in service, and says which lines are missing.
#[proc_macro_attribute]
pub fn task(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as Options);
    let item = parse_macro_input!(item as Item);
    expand::expand(&options, &item).unwrap_or_else(|error| error.to_compile_error()).into()
}
