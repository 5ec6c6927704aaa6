//! Keeps keys and values: `wasi:keyvalue@0.2.0-draft` through the bindings of wasmCloud's authors, and `draft2` through its own.

mod second;

use serde::Deserialize;
use serde_json::{Value, json};
use wasmcloud_component::wasi::keyvalue::store::{self, Bucket, Error};
use wasmcloud_component::wasi::keyvalue::{atomics, batch};
use windlass_guest::schemars::{self, JsonSchema};
use windlass_guest::{Job, TaskError, task};

/// What is done with the store, one after the other.
#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Which store.
    store: String,
    acts: Vec<Act>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Act {
    Set {
        key: String,
        value: String,
    },
    /// Sets a value of so many bytes.
    Fill {
        key: String,
        bytes: usize,
    },
    Get {
        key: String,
    },
    Exists {
        key: String,
    },
    Delete {
        key: String,
    },
    List {},
    Increment {
        key: String,
        by: u64,
    },
    SetMany {
        entries: Vec<(String, String)>,
    },
    GetMany {
        keys: Vec<String>,
    },
    DeleteMany {
        keys: Vec<String>,
    },
    /// The same by the newer draft: sets, lists, counts down, gets many.
    Second {
        key: String,
    },
    /// Two compare-and-swaps from the same look: the second loses, and wins with what it is given.
    Swap {
        key: String,
    },
}

/// Keeper
#[task]
fn keeper(_job: &Job, args: Args) -> Result<Value, TaskError> {
    let bucket = match store::open(&args.store) {
        Ok(bucket) => bucket,
        Err(error) => return Ok(json!([said(&error)])),
    };
    Ok(args.acts.into_iter().map(|act| done(&bucket, &args.store, act).unwrap_or_else(|error| said(&error))).collect())
}

fn done(bucket: &Bucket, store: &str, act: Act) -> Result<Value, Error> {
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    Ok(match act {
        Act::Set { key, value } => json!(bucket.set(&key, value.as_bytes())?),
        Act::Fill { key, bytes } => json!(bucket.set(&key, &vec![0; bytes])?),
        Act::Get { key } => json!(bucket.get(&key)?.map(text)),
        Act::Exists { key } => json!(bucket.exists(&key)?),
        Act::Delete { key } => json!(bucket.delete(&key)?),
        Act::List {} => {
            let (mut keys, mut cursor) = (Vec::new(), None);
            loop {
                let page = bucket.list_keys(cursor)?;
                keys.extend(page.keys);
                cursor = page.cursor;
                if cursor.is_none() {
                    break json!(keys);
                }
            }
        }
        Act::Increment { key, by } => json!(atomics::increment(bucket, &key, by)?),
        Act::SetMany { entries } => {
            let entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, value.into_bytes())).collect();
            json!(batch::set_many(bucket, &entries)?)
        }
        Act::GetMany { keys } => {
            let found = batch::get_many(bucket, &keys)?;
            found.into_iter().map(|entry| json!(entry.map(|(key, value)| (key, text(value))))).collect()
        }
        Act::DeleteMany { keys } => json!(batch::delete_many(bucket, &keys)?),
        Act::Second { key } => second::walk(store, &key),
        Act::Swap { key } => second::swap(store, &key),
    })
}

fn said(error: &Error) -> Value {
    match error {
        Error::NoSuchStore => json!({ "error": "no such store" }),
        Error::AccessDenied => json!({ "error": "access denied" }),
        Error::Other(message) => json!({ "error": message }),
    }
}
