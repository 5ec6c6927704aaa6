//! The WIT interface `jobs`: a job that enqueues others. Granted for each task by name:
//!
//! ```toml
//! enqueue = ["send-email"]
//! ```
//!
//! Bounded: how many jobs an attempt may enqueue, those that are refused for another reason included.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use windlass_model::TaskName;

use crate::bindings::windlass::task::jobs::Host;
use crate::capability::job::JobMisuse;
use crate::grants::GrantFault;
use crate::guest::Guest;
use crate::meter::Refusal;

/// The tasks that a plugin may enqueue.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct EnqueueGrant(BTreeSet<TaskName>);

/// The part of a request that the grant is about. The rest is the business of whoever takes it.
#[derive(Deserialize)]
struct Wanted {
    task: String,
}

impl EnqueueGrant {
    pub(crate) fn parse(value: &toml::Value, faults: &mut Vec<GrantFault>) -> Self {
        let Some(list) = value.as_array() else {
            faults.push(GrantFault::wrong("enqueue", "it is a list of tasks, such as [\"send-email\"]"));
            return Self::default();
        };
        let mut tasks = BTreeSet::new();
        for (place, value) in list.iter().enumerate() {
            let key = format!("enqueue {}", place + 1);
            match value.as_str().map(TaskName::parse) {
                Some(Ok(task)) => drop(tasks.insert(task)),
                Some(Err(error)) => faults.push(GrantFault::wrong(key, error.to_string())),
                None => faults.push(GrantFault::wrong(key, "a task is named by a string: put it in quotes")),
            }
        }
        Self(tasks)
    }

    pub(crate) fn tasks(&self) -> &BTreeSet<TaskName> {
        &self.0
    }

    /// Says what is missing, if something is.
    fn check(&self, plugin: &TaskName, request: &str) -> Result<(), String> {
        let Wanted { task } = serde_json::from_str(request)
            .map_err(|error| format!("the request is not a JSON object with a `task`: {error}"))?;
        if self.0.iter().any(|granted| granted.as_str() == task) {
            return Ok(());
        }
        let mut lines: Vec<_> = self.0.iter().map(|granted| format!("\"{granted}\"")).collect();
        lines.push(format!("{task:?}"));
        let lines = lines.join(", ");
        Err(format!(
            "`{plugin}` may not enqueue `{task}`: the operator grants it in {plugin}.toml with `enqueue = [{lines}]`"
        ))
    }
}

impl Host for Guest {
    async fn enqueue(&mut self, request: String) -> wasmtime::Result<Result<String, String>> {
        let access = self.job.as_mut().ok_or(JobMisuse::NoJob)?;
        if let Err(missing) = access.enqueue.check(&access.job.task, &request) {
            return Ok(Err(missing));
        }
        if access.enqueues_left == 0 {
            self.usage.refuse(Refusal::Enqueues);
            let (max, task) = (access.enqueues_max, &access.job.task);
            return Ok(Err(format!(
                "an attempt may enqueue {max} jobs, and this one has: raise `limits.enqueues` in {task}.toml"
            )));
        }
        access.enqueues_left -= 1;
        let host = Arc::clone(&access.host);
        Ok(access.ask(async move { host.enqueue(request).await }).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> (EnqueueGrant, Vec<String>) {
        let table: toml::Table = text.parse().unwrap();
        let mut faults = Vec::new();
        let grant = EnqueueGrant::parse(&table["enqueue"], &mut faults);
        (grant, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_not_granted_is_refused_with_the_line_that_would_grant_it() {
        let (grant, faults) = grant("enqueue = ['b', 'a']");
        assert!(faults.is_empty());
        let plugin = TaskName::parse("report").unwrap();
        assert_eq!(grant.check(&plugin, r#"{"task": "a", "args": {}}"#), Ok(()));
        assert_eq!(
            grant.check(&plugin, r#"{"task": "c"}"#).unwrap_err(),
            "`report` may not enqueue `c`: the operator grants it in report.toml with `enqueue = [\"a\", \"b\", \"c\"]`"
        );
        let said = grant.check(&plugin, "[]").unwrap_err();
        assert!(said.starts_with("the request is not a JSON object with a `task`: "), "{said}");
    }

    #[test]
    fn a_list_that_is_none_and_names_that_are_none_are_refused() {
        assert_eq!(grant("enqueue = 'a'").1, ["`enqueue`: it is a list of tasks, such as [\"send-email\"]"]);
        let faults = grant("enqueue = ['a', '../b', 7]").1;
        assert!(faults[0].starts_with("`enqueue 2`: a name is made of "), "{faults:?}");
        assert_eq!(faults[1], "`enqueue 3`: a task is named by a string: put it in quotes");
    }
}
