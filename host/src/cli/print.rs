//! What people see of the API's answers.

use std::io::{Result, Write};

use serde_json::Value;

/// One line on standard output.
pub(super) fn line(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")
}

/// What a person should know and a script does not read.
pub(super) fn aside(text: &str) -> Result<()> {
    writeln!(std::io::stderr().lock(), "windlass: {text}")
}

/// The answer as it came.
pub(super) fn json(answer: &Value) -> Result<()> {
    line(&answer.to_string())
}

/// A table of jobs.
pub(super) fn jobs(page: &Value) -> Result<()> {
    let rows = list(page, "jobs").map(|job| {
        let percent = job["percent_complete"].as_u64().map(|percent| format!("{percent} %")).unwrap_or_default();
        let attempts = format!("{}/{}", job["attempt"], job["max_attempts"]);
        [text(&job["id"]), text(&job["task"]), text(&job["state"]), attempts, percent, text(&job["created_at"])]
    });
    table(["ID", "TASK", "STATE", "ATTEMPT", "DONE", "CREATED"], rows.collect())?;
    match page["next"].as_str() {
        Some(next) => line(&format!("more: --cursor {next}")),
        None => Ok(()),
    }
}

/// A table of tasks.
pub(super) fn tasks(answer: &Value) -> Result<()> {
    let rows = list(answer, "tasks").map(|task| {
        let digest = text(&task["version"]["digest"]);
        let digest = digest.get(..12).unwrap_or("-").to_owned();
        let state = match (&task["version"], &task["load_error"]) {
            (_, Value::Null) => "in service".to_owned(),
            (Value::Null, error) => format!("did not load: {}", first_line(&error["message"], task)),
            (_, error) => format!("in service; a newer file did not load: {}", first_line(&error["message"], task)),
        };
        [text(&task["name"]), digest, text(&task["version"]["title"]), state]
    });
    table(["TASK", "VERSION", "TITLE", "STATE"], rows.collect())
}

/// A table of the versions of a task, and one of its last changes.
pub(super) fn versions(answer: &Value) -> Result<()> {
    let rows = list(answer, "versions").map(|version| {
        let state = match (version["in_service"].as_bool(), version["pinned"].as_bool()) {
            (Some(true), Some(true)) => "in service, pinned",
            (Some(true), _) => "in service",
            _ if version["digest"] == answer["previous"] => "before",
            _ => "",
        };
        let text = |key: &str| text(&version[key]);
        [text("digest"), text("author_version"), text("source"), text("uploaded_at"), text("bytes"), state.to_owned()]
    });
    table(["DIGEST", "VERSION", "SOURCE", "UPLOADED", "BYTES", "STATE"], rows.collect())?;
    line("")?;
    let short = |digest: &Value| text(digest).get(..12).unwrap_or("-").to_owned();
    let rows = list(answer, "changes").map(|change| {
        let text = |key: &str| text(&change[key]);
        [text("at"), short(&change["from"]), short(&change["to"]), text("reason"), text("message")]
    });
    table(["CHANGED", "FROM", "TO", "REASON", "WHY"], rows.collect())
}

/// A message that fits into a table. One that wants grants has many lines, to be pasted from where they are shown in full.
fn first_line(message: &Value, task: &Value) -> String {
    let message = text(message);
    match message.split_once('\n') {
        None => message,
        Some((first, _)) => format!("{first} (all of it: windlass tasks show {})", text(&task["name"])),
    }
}

/// A table of queues.
pub(super) fn queues(answer: &Value) -> Result<()> {
    let rows = list(answer, "queues").map(|queue| {
        let count = |state: &str| text(&queue["jobs"][state]);
        let state = if queue["paused_at"].is_null() { "open" } else { "paused" };
        let limit = |key: &str, what: &str| queue[key].as_u64().map(|jobs| format!("{jobs} {what}"));
        let rate = queue["rate"].as_object().map(|rate| format!("{} in {} ms", rate["limit"], rate["period_ms"]));
        let limits: Vec<_> = [limit("max_running", "at once"), limit("max_running_per_key", "per key"), rate]
            .into_iter()
            .flatten()
            .collect();
        [
            text(&queue["name"]),
            state.to_owned(),
            count("scheduled"),
            count("available"),
            count("running"),
            count("retryable"),
            text(&queue["oldest_available_at"]),
            limits.join(", "),
        ]
    });
    let head = ["QUEUE", "STATE", "SCHEDULED", "AVAILABLE", "RUNNING", "RETRYABLE", "OLDEST", "LIMITS"];
    table(head, rows.collect())
}

/// One queue, a field a line.
pub(super) fn queue(queue: &Value) -> Result<()> {
    fields(queue)
}

/// One task, a field a line.
pub(super) fn task(task: &Value) -> Result<()> {
    fields(task)
}

/// One job, a field a line.
pub(super) fn job(job: &Value) -> Result<()> {
    fields(job)
}

fn fields(value: &Value) -> Result<()> {
    for (key, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        match value {
            Value::Object(inner) if !inner.is_empty() && key != "args" && key != "output" => {
                line(&format!("{key}:"))?;
                for (key, value) in inner.iter().filter(|(_, value)| !value.is_null()) {
                    line(&format!("  {key:<16} {}", text(value)))?;
                }
            }
            value => line(&format!("{key:<18} {}", text(value)))?,
        }
    }
    Ok(())
}

fn list<'a>(answer: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    answer[key].as_array().into_iter().flatten()
}

/// A text as it is, anything else as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> Result<()> {
    let head = head.map(str::to_owned);
    let width = |column: usize| {
        std::iter::once(&head).chain(&rows).map(|row: &[String; N]| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    for row in std::iter::once(&head).chain(&rows) {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(cells.join("  ").trim_end())?;
    }
    Ok(())
}
