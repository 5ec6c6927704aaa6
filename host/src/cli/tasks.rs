//! `windlass tasks`: what jobs can ask for, and which version of it is in service.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::{Connection, print};

/// `windlass tasks`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TasksArgs {
    #[command(subcommand)]
    command: Option<TasksCommand>,
    /// The task to show; all are listed if absent.
    name: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// What can be done with tasks. Without any of these they are listed.
#[derive(Subcommand)]
enum TasksCommand {
    /// List the tasks that the daemon knows.
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// Show one task: its version, its grants, what each worker serves.
    Show(OneTask),
    /// Send a component: a new version of a task, or a new task.
    Upload {
        /// The component.
        file: PathBuf,
        /// The task; the file's name without its ending if absent.
        #[arg(long, value_name = "TASK")]
        name: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// List the versions of a task that are kept, and its last changes.
    Versions(OneTask),
    /// Put an earlier version in service.
    Rollback {
        /// The task.
        name: String,
        /// The digest of the version; the one that was in service before if absent.
        #[arg(long, value_name = "DIGEST")]
        to: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Keep the version in service, whatever comes, until it is unpinned.
    Pin(OneTask),
    /// Lift a pin.
    Unpin(OneTask),
    /// Take a task out of service on every daemon, and free its components.
    Delete(OneTask),
}

#[derive(Args)]
struct OneTask {
    /// The task.
    name: String,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(super) async fn run(args: TasksArgs) -> Result<ExitCode, ClientError> {
    match (args.command, args.name) {
        (None, None) => list(&args.connection).await?,
        (None, Some(name)) => show(&name, &args.connection).await?,
        (Some(TasksCommand::List { connection }), _) => list(&connection).await?,
        (Some(TasksCommand::Show(task)), _) => show(&task.name, &task.connection).await?,
        (Some(TasksCommand::Upload { file, name, connection }), _) => upload(file, name, &connection).await?,
        (Some(TasksCommand::Versions(task)), _) => {
            let client = Client::new(&task.connection)?;
            let answer = client.json(client.request(Method::GET, &["tasks", &task.name, "versions"])).await?;
            if task.connection.json { print::json(&answer)? } else { print::versions(&answer)? }
        }
        (Some(TasksCommand::Rollback { name, to, connection }), _) => {
            let body = to.map_or_else(|| json!({}), |digest| json!({ "digest": digest }));
            let answer = command(&name, "rollback", &body, &connection).await?;
            said(&answer, &connection, &format!("{name} is back at {}", print::text(&answer["in_service"])))?;
        }
        (Some(TasksCommand::Pin(task)), _) => {
            let answer = command(&task.name, "pin", &json!({}), &task.connection).await?;
            let digest = print::text(&answer["in_service"]);
            said(&answer, &task.connection, &format!("{} is pinned to {digest}", task.name))?;
        }
        (Some(TasksCommand::Unpin(task)), _) => {
            let answer = command(&task.name, "unpin", &json!({}), &task.connection).await?;
            said(&answer, &task.connection, &format!("{} is not pinned", task.name))?;
        }
        (Some(TasksCommand::Delete(task)), _) => {
            let client = Client::new(&task.connection)?;
            client.send(client.request(Method::DELETE, &["tasks", &task.name])).await?;
            said(&json!({ "deleted": task.name }), &task.connection, &format!("{} is out of service", task.name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(connection: &Connection) -> Result<(), ClientError> {
    let client = Client::new(connection)?;
    let answer = client.json(client.request(Method::GET, &["tasks"])).await?;
    if connection.json {
        print::json(&answer)?
    } else {
        print::tasks(&answer)?
    }
    Ok(())
}

async fn show(name: &str, connection: &Connection) -> Result<(), ClientError> {
    let client = Client::new(connection)?;
    let answer = client.json(client.request(Method::GET, &["tasks", name])).await?;
    if connection.json {
        print::json(&answer)?
    } else {
        print::task(&answer)?
    }
    Ok(())
}

async fn upload(file: PathBuf, name: Option<String>, connection: &Connection) -> Result<(), ClientError> {
    let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = name.or_else(stem).unwrap_or_default();
    let component = std::fs::read(&file)
        .map_err(|error| ClientError::Input(format!("{} cannot be read: {error}", file.display())))?;
    let client = Client::new(connection)?;
    let request = client.request(Method::PUT, &["tasks", &name]).header("content-type", "application/wasm");
    let answer = client.json(request.body(component)).await?;
    let digest = print::text(&answer["digest"]);
    let what = match (answer["in_service"].as_bool(), answer["task"]["load_error"].is_null()) {
        (Some(false), _) => "is kept and not in service: the task is pinned",
        (_, true) => "is in service",
        (_, false) => "should be in service, but this daemon could not load it: see `windlass tasks show`",
    };
    said(&answer, connection, &format!("{name} {digest} {what}"))
}

async fn command(name: &str, what: &str, body: &Value, connection: &Connection) -> Result<Value, ClientError> {
    let client = Client::new(connection)?;
    client.json(client.request(Method::POST, &["tasks", name, what]).json(body)).await
}

fn said(answer: &Value, connection: &Connection, text: &str) -> Result<(), ClientError> {
    if connection.json {
        print::json(answer)?
    } else {
        print::line(text)?
    }
    Ok(())
}
