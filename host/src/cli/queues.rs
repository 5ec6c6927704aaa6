//! `windlass queues`: how much is in the queues, and what is set about them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, ClientError};
use super::{Connection, print};

/// `windlass queues`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct QueuesArgs {
    #[command(subcommand)]
    command: Option<QueuesCommand>,
    #[command(flatten)]
    connection: Connection,
}

/// What can be done with queues. Without any of these they are listed.
#[derive(Subcommand)]
enum QueuesCommand {
    /// List the queues with the numbers of their jobs.
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// Show one queue.
    Show {
        /// The queue.
        name: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Start no more jobs of a queue, until it is resumed. Running ones go on.
    Pause {
        /// The queue.
        name: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Let a paused queue go on.
    Resume {
        /// The queue.
        name: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Set what limits a queue, and how long its finished jobs are kept. `none` takes a setting away.
    Set(SetArgs),
}

#[derive(Args)]
struct SetArgs {
    /// The queue.
    name: String,
    /// How many of its jobs may run at once, on all workers together.
    #[arg(long, value_name = "N|none", value_parser = jobs)]
    max_running: Option<Value>,
    /// How many of its jobs with the same concurrency key may run at once.
    #[arg(long, value_name = "N|none", value_parser = jobs)]
    max_running_per_key: Option<Value>,
    /// How many of its jobs may start within a period: 10/1s, 500/1m.
    #[arg(long, value_name = "N/PERIOD|none", value_parser = rate)]
    rate: Option<Value>,
    /// How long its completed jobs are kept: 90s, 12h, 7d.
    #[arg(long, value_name = "TIME|none", value_parser = keep)]
    keep_completed: Option<Value>,
    /// How long its discarded jobs are kept.
    #[arg(long, value_name = "TIME|none", value_parser = keep)]
    keep_discarded: Option<Value>,
    /// How long its cancelled jobs are kept.
    #[arg(long, value_name = "TIME|none", value_parser = keep)]
    keep_cancelled: Option<Value>,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(super) async fn run(args: QueuesArgs) -> Result<ExitCode, ClientError> {
    match args.command {
        None => list(&args.connection).await?,
        Some(QueuesCommand::List { connection }) => list(&connection).await?,
        Some(QueuesCommand::Show { name, connection }) => {
            let client = Client::new(&connection)?;
            let queue = client.json(client.request(Method::GET, &["queues", &name])).await?;
            show(&queue, connection.json)?;
        }
        Some(QueuesCommand::Pause { name, connection }) => {
            change(&name, &json!({ "paused": true }), &connection).await?;
        }
        Some(QueuesCommand::Resume { name, connection }) => {
            change(&name, &json!({ "paused": false }), &connection).await?;
        }
        Some(QueuesCommand::Set(args)) => change(&args.name, &patch(&args), &args.connection).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(connection: &Connection) -> Result<(), ClientError> {
    let client = Client::new(connection)?;
    let answer = client.json(client.request(Method::GET, &["queues"])).await?;
    if connection.json {
        print::json(&answer)?
    } else {
        print::queues(&answer)?
    }
    Ok(())
}

async fn change(name: &str, body: &Value, connection: &Connection) -> Result<(), ClientError> {
    let client = Client::new(connection)?;
    let queue = client.json(client.request(Method::PATCH, &["queues", name]).json(body)).await?;
    show(&queue, connection.json)
}

fn show(queue: &Value, as_json: bool) -> Result<(), ClientError> {
    if as_json {
        print::json(queue)?
    } else {
        print::queue(queue)?
    }
    Ok(())
}

fn patch(args: &SetArgs) -> Value {
    let given = |fields: &[(&str, &Option<Value>)]| -> Map<String, Value> {
        fields.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value).clone()?))).collect()
    };
    let mut body = given(&[
        ("max_running", &args.max_running),
        ("max_running_per_key", &args.max_running_per_key),
        ("rate", &args.rate),
    ]);
    let keep = given(&[
        ("completed", &args.keep_completed),
        ("discarded", &args.keep_discarded),
        ("cancelled", &args.keep_cancelled),
    ]);
    if !keep.is_empty() {
        body.insert("keep_ms".to_owned(), keep.into());
    }
    body.into()
}

fn jobs(raw: &str) -> Result<Value, String> {
    or_none(raw, |raw| raw.parse::<u32>().map(Value::from).map_err(|_| "write a number of jobs, or none".to_owned()))
}

fn rate(raw: &str) -> Result<Value, String> {
    or_none(raw, |raw| {
        let parts = raw.split_once('/').and_then(|(limit, period)| Some((limit.parse::<u32>().ok()?, millis(period)?)));
        let (limit, period_ms) = parts.ok_or("write it as 10/1s or 500/1m, or none")?;
        Ok(json!({ "limit": limit, "period_ms": period_ms }))
    })
}

fn keep(raw: &str) -> Result<Value, String> {
    or_none(raw, |raw| millis(raw).map(Value::from).ok_or_else(|| "write it as 90s, 12h or 7d, or none".to_owned()))
}

fn or_none(raw: &str, parse: impl FnOnce(&str) -> Result<Value, String>) -> Result<Value, String> {
    if raw == "none" { Ok(Value::Null) } else { parse(raw) }
}

/// A number with a unit: ms, s, m, h, d.
fn millis(raw: &str) -> Option<u64> {
    let (number, unit) = raw.split_at(raw.find(|c: char| !c.is_ascii_digit())?);
    let unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_people_say_them() {
        assert_eq!(jobs("12"), Ok(json!(12)));
        assert_eq!(jobs("none"), Ok(Value::Null));
        assert!(jobs("-1").is_err());
        assert_eq!(rate("10/1s"), Ok(json!({ "limit": 10, "period_ms": 1_000 })));
        assert_eq!(rate("500/1500ms"), Ok(json!({ "limit": 500, "period_ms": 1_500 })));
        assert!(rate("10").is_err() && rate("10/s").is_err() && rate("10/1").is_err());
        assert_eq!(keep("7d"), Ok(json!(604_800_000)));
        assert!(keep("99999999999999999999d").is_err() && keep("9999999999999999d").is_err());
    }

    #[test]
    fn a_patch_names_only_what_was_given() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: SetArgs,
        }
        let line = ["x", "mail", "--rate", "none", "--keep-completed", "1h"];
        let line = <Line as clap::Parser>::try_parse_from(line).unwrap();
        assert_eq!(patch(&line.args), json!({ "rate": null, "keep_ms": { "completed": 3_600_000 } }));
    }
}
