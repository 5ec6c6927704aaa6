//! The commands that talk to a daemon, one function each.

use std::process::ExitCode;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, ClientError};
use super::{Command, EnqueueArgs, JobsCommand, WhichJobs, print, queues, schedules, tasks, watch};

/// How often the command line looks how far an operation is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs a command.
pub(super) async fn run(command: Command) -> Result<ExitCode, ClientError> {
    match command {
        Command::Enqueue(args) => enqueue(args).await,
        Command::Watch { id, connection } => watch::watch(&Client::new(&connection)?, &id, connection.json).await,
        Command::Jobs(command) => jobs(command).await,
        Command::Queues(args) => queues::run(args).await,
        Command::Schedules(command) => schedules::run(command),
        Command::Tasks(args) => tasks::run(args).await,
        // They need no daemon, and `main` has taken them.
        Command::Serve(_) | Command::Check(_) | Command::Bench(_) | Command::Plugin(_) | Command::Run(_) => {
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn enqueue(args: EnqueueArgs) -> Result<ExitCode, ClientError> {
    let client = Client::new(&args.connection)?;
    let body = body(&args)?;
    let mut request = client.request(Method::POST, &["jobs"]).json(&body);
    if let Some(key) = &args.idempotency_key {
        request = request.header("idempotency-key", key);
    }
    let job = client.json(request).await?;
    let id = job["id"].as_str().unwrap_or_default().to_owned();
    if job["deduplicated"] == true && !args.connection.json {
        print::aside("this job was there already and holds the same unique key; nothing was enqueued")?;
    }
    if args.watch {
        return watch::watch(&client, &id, args.connection.json).await;
    }
    if args.connection.json {
        print::json(&job)?
    } else {
        print::line(&id)?
    }
    Ok(ExitCode::SUCCESS)
}

fn body(args: &EnqueueArgs) -> Result<Value, ClientError> {
    let text = crate::run::given_text(&args.args).map_err(|error| ClientError::Input(format!("{error:#}")))?;
    let job_args: Value =
        serde_json::from_str(&text).map_err(|error| ClientError::Input(format!("--args is not JSON: {error}")))?;
    let mut body = Map::new();
    body.insert("task".to_owned(), json!(args.task));
    body.insert("args".to_owned(), job_args);
    let optional = [
        ("queue", args.queue.as_ref().map(|queue| json!(queue))),
        ("priority", args.priority.map(|priority| json!(priority))),
        ("delay_ms", args.delay_ms.map(|delay| json!(delay))),
        ("run_at", args.run_at.as_ref().map(|time| json!(time))),
        ("max_attempts", args.max_attempts.map(|max| json!(max))),
        ("timeout_ms", args.timeout_ms.map(|timeout| json!(timeout))),
        ("expires_in_ms", args.expires_in_ms.map(|span| json!(span))),
        ("backoff", (!args.delays_ms.is_empty()).then(|| json!({ "delays_ms": args.delays_ms }))),
        ("concurrency_key", args.concurrency_key.as_ref().map(|key| json!(key))),
        ("unique", args.unique.as_ref().map(|key| if key.is_empty() { json!({}) } else { json!({ "key": key }) })),
        ("after", (!args.after.is_empty()).then(|| json!(args.after))),
        ("tags", (!args.tags.is_empty()).then(|| json!(args.tags))),
    ];
    body.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Ok(Value::Object(body))
}

async fn jobs(command: JobsCommand) -> Result<ExitCode, ClientError> {
    match command {
        JobsCommand::List { states, task, queue, tag, limit, cursor, connection } => {
            let client = Client::new(&connection)?;
            let mut query: Vec<(&str, String)> = states.into_iter().map(|state| ("state", state)).collect();
            let optional = [
                ("task", task),
                ("queue", queue),
                ("tag", tag),
                ("limit", limit.map(|n| n.to_string())),
                ("cursor", cursor),
            ];
            query.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value?))));
            let page = client.json(client.request(Method::GET, &["jobs"]).query(&query)).await?;
            if connection.json { print::json(&page)? } else { print::jobs(&page)? }
        }
        JobsCommand::Show { id, connection } => {
            let client = Client::new(&connection)?;
            let job = client.json(client.request(Method::GET, &["jobs", &id])).await?;
            if connection.json { print::json(&job)? } else { print::job(&job)? }
        }
        JobsCommand::Cancel(which) => command_jobs("cancel", which).await?,
        JobsCommand::Retry(which) => command_jobs("retry", which).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Cancels or retries one job, or all that match.
async fn command_jobs(command: &str, which: WhichJobs) -> Result<(), ClientError> {
    let client = Client::new(&which.connection)?;
    if let Some(id) = &which.id {
        let job = client.json(client.request(Method::POST, &["jobs", id, command])).await?;
        let said = match (command, job["state"].as_str()) {
            ("cancel", Some("cancelled")) => "cancelled",
            ("cancel", _) => "told to stop",
            _ => "available",
        };
        if which.connection.json {
            print::json(&job)?
        } else {
            print::line(&format!("{id} {said}"))?
        }
        return Ok(());
    }
    let mut operation = client.json(client.request(Method::POST, &["jobs", command]).json(&filter(&which))).await?;
    while operation["finished_at"].is_null() {
        tokio::time::sleep(LOOK_EVERY).await;
        let id = print::text(&operation["id"]);
        operation = client.json(client.request(Method::GET, &["operations", &id])).await?;
    }
    if which.connection.json {
        return Ok(print::json(&operation)?);
    }
    let done = if command == "cancel" { "cancelled or told to stop" } else { "available" };
    Ok(print::line(&format!("{} of {} jobs {done}", operation["changed"], operation["seen"]))?)
}

fn filter(which: &WhichJobs) -> Value {
    let optional = [
        ("state", (!which.states.is_empty()).then(|| json!(which.states))),
        ("task", which.task.as_ref().map(|task| json!(task))),
        ("queue", which.queue.as_ref().map(|queue| json!(queue))),
        ("tag", which.tag.as_ref().map(|tag| json!(tag))),
        ("created_from", which.created_from.as_ref().map(|time| json!(time))),
        ("created_before", which.created_before.as_ref().map(|time| json!(time))),
        ("all", which.all.then_some(Value::Bool(true))),
    ];
    let given = optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(given.collect())
}
