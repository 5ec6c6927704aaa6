//! Key-value stores.

use std::collections::BTreeMap;

use async_trait::async_trait;
use windlass_model::{JobId, KeyValueAct, KeyValueAnswer, KeyValueCall, TaskName};

use super::SqlStore;
use super::write::Write;
use crate::StoreError;
use crate::dialect::Dialect;
use crate::seam::KeyValues;
use crate::statement;
use crate::value::Value;

/// Which store, as the statements take it.
struct Place<'a> {
    task: &'a TaskName,
    store: &'a str,
}

/// What a call comes to, before it is known whether there is room.
enum Change {
    /// These are set, and the caller is told this.
    Set(BTreeMap<String, Vec<u8>>, KeyValueAnswer),
    Delete(Vec<String>),
    Nothing(KeyValueAnswer),
}

impl Place<'_> {
    fn values(&self) -> Vec<Value> {
        vec![self.task.as_str().into(), self.store.into()]
    }

    fn with(&self, value: Value) -> Vec<Value> {
        let mut values = self.values();
        values.push(value);
        values
    }
}

#[async_trait]
impl<D: Dialect> KeyValues for SqlStore<D> {
    async fn key_value(
        &self,
        job: JobId,
        lease: u64,
        task: &TaskName,
        call: &KeyValueCall,
    ) -> Result<KeyValueAnswer, StoreError> {
        let place = Place { task, store: &call.store };
        match &call.act {
            KeyValueAct::Get(keys) => {
                let rows = self.read_rows(statement::key_value_get, place.with(Value::json(keys))).await?;
                Ok(KeyValueAnswer::Values(rows.into_iter().collect()))
            }
            KeyValueAct::List { after } => {
                let mut values = place.with(Value::count(*after));
                values.push(KeyValueCall::PAGE.into());
                let rows: Vec<(i64, String)> = self.read_rows(statement::key_value_list, values).await?;
                let is_full = rows.len() == KeyValueCall::PAGE as usize;
                let next = rows.last().filter(|_| is_full).and_then(|(id, _)| u64::try_from(*id).ok());
                Ok(KeyValueAnswer::Keys { keys: rows.into_iter().map(|(_, key)| key).collect(), next })
            }
            change => {
                let mut write = self.write(None).await?;
                if !write.is_held(job, lease).await? {
                    return Ok(KeyValueAnswer::Stale);
                }
                let answer = write.change_key_values(&place, change, call.max_bytes).await?;
                write.commit().await?;
                Ok(answer)
            }
        }
    }
}

impl<D: Dialect> Write<D> {
    async fn change_key_values(
        &mut self,
        place: &Place<'_>,
        act: &KeyValueAct,
        max_bytes: u64,
    ) -> Result<KeyValueAnswer, StoreError> {
        // First the store's row, so that what is read below stays so until the commit.
        let held: Vec<(i64,)> = self.rows(statement::key_value_hold, place.values()).await?;
        let held = held.first().and_then(|(bytes,)| u64::try_from(*bytes).ok()).unwrap_or_default();
        let keys: Vec<&str> = match act {
            KeyValueAct::Set(entries) => entries.iter().map(|(key, _)| key.as_str()).collect(),
            KeyValueAct::Delete(keys) | KeyValueAct::Get(keys) => keys.iter().map(String::as_str).collect(),
            KeyValueAct::Increment { key, .. } | KeyValueAct::Swap { key, .. } => vec![key],
            KeyValueAct::List { .. } => Vec::new(),
        };
        let rows: Vec<(String, Vec<u8>)> = self.rows(statement::key_value_get, place.with(Value::json(&keys))).await?;
        let present: BTreeMap<_, _> = rows.into_iter().collect();
        let before: u64 = present.iter().map(|(key, value)| KeyValueCall::size(key, value)).sum();
        match change(act, &present) {
            Change::Nothing(answer) => Ok(answer),
            Change::Delete(keys) => {
                self.execute(statement::key_value_delete, place.with(Value::json(&keys))).await?;
                self.settle_key_values(place, held.saturating_sub(before)).await?;
                Ok(KeyValueAnswer::Done)
            }
            Change::Set(entries, answer) => {
                let after: u64 = entries.iter().map(|(key, value)| KeyValueCall::size(key, value)).sum();
                let wanted = held.saturating_sub(before).saturating_add(after);
                // Who is over a quota that was lowered may still replace a value by a smaller one.
                if wanted > max_bytes && after > before {
                    return Ok(KeyValueAnswer::Full { wanted });
                }
                for (key, value) in entries {
                    let mut values = place.with(key.as_str().into());
                    values.push(Value::Bytes(value));
                    self.execute(statement::key_value_set, values).await?;
                }
                self.settle_key_values(place, wanted).await?;
                Ok(answer)
            }
        }
    }

    async fn settle_key_values(&mut self, place: &Place<'_>, bytes: u64) -> Result<(), StoreError> {
        self.execute(statement::key_value_settle, place.with(Value::count(bytes))).await.map(drop)
    }
}

/// What an act comes to where these of its keys are there.
fn change(act: &KeyValueAct, present: &BTreeMap<String, Vec<u8>>) -> Change {
    match act {
        KeyValueAct::Get(_) | KeyValueAct::List { .. } => Change::Nothing(KeyValueAnswer::Done),
        KeyValueAct::Set(entries) => Change::Set(entries.iter().cloned().collect(), KeyValueAnswer::Done),
        KeyValueAct::Delete(keys) => Change::Delete(keys.clone()),
        KeyValueAct::Increment { key, by } => {
            let number = present.get(key).map_or(Some(0), |value| std::str::from_utf8(value).ok()?.parse::<i64>().ok());
            match number.and_then(|number| number.checked_add(*by)) {
                Some(sum) => one(key, sum.to_string().into_bytes(), KeyValueAnswer::Number(sum)),
                None => Change::Nothing(KeyValueAnswer::NotANumber),
            }
        }
        KeyValueAct::Swap { key, seen, .. } if present.get(key) != seen.as_ref() => {
            Change::Nothing(KeyValueAnswer::Changed)
        }
        KeyValueAct::Swap { key, value, .. } => one(key, value.clone(), KeyValueAnswer::Done),
    }
}

fn one(key: &str, value: Vec<u8>, answer: KeyValueAnswer) -> Change {
    Change::Set(BTreeMap::from([(key.to_owned(), value)]), answer)
}
