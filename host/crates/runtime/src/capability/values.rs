//! Named values of a grants file: strings, or references to secrets. `[env]` and `[config]` are made of them.

use toml::Value;

use crate::capability::secrets::{Handout, Secrets};
use crate::grants::GrantFault;

/// The values of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<(String, Granted)>);

#[derive(Clone, Debug)]
enum Granted {
    Text(String),
    Secret(String),
}

impl Values {
    /// Reads the table under `section`.
    pub(crate) fn parse(section: &str, value: &Value, faults: &mut Vec<GrantFault>) -> Self {
        let Some(table) = value.as_table() else {
            faults.push(GrantFault::wrong(section, format!("it must be a table of values: [{section}]")));
            return Self::default();
        };
        let mut values = Vec::new();
        for (name, value) in table {
            match granted(name, value) {
                Ok(value) => values.push((name.clone(), value)),
                Err(message) => faults.push(GrantFault::wrong(format!("{section}.{name}"), message)),
            }
        }
        Self(values)
    }

    /// Names the references that lead nowhere.
    pub(crate) fn check(&self, section: &str, secrets: &Secrets, faults: &mut Vec<GrantFault>) {
        for (name, value) in &self.0 {
            if let Granted::Secret(secret) = value
                && !secrets.has(secret)
            {
                let message = format!("there is no [secret.{secret}] in this file");
                faults.push(GrantFault::wrong(format!("{section}.{name}"), message));
            }
        }
    }

    /// As a guest gets them.
    pub(crate) fn handed<'a>(&'a self, handout: &'a Handout) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().map(|(name, value)| match value {
            Granted::Text(text) => (name.as_str(), text.as_str()),
            Granted::Secret(secret) => (name.as_str(), handout.text(secret)),
        })
    }

    /// The names alone: a value may be a secret, whatever the operator called it.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

fn granted(name: &str, value: &Value) -> Result<Granted, String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err("a name is not empty and has no `=`".to_owned());
    }
    match value {
        Value::String(text) if text.contains('\0') => Err("a value has no NUL".to_owned()),
        Value::String(text) => Ok(Granted::Text(text.clone())),
        Value::Table(table) => match (table.len(), table.get("secret").and_then(Value::as_str)) {
            (1, Some(secret)) => Ok(Granted::Secret(secret.to_owned())),
            _ => Err("a table here is { secret = \"NAME\" }".to_owned()),
        },
        _ => Err("a value is a string: put it in quotes".to_owned()),
    }
}
