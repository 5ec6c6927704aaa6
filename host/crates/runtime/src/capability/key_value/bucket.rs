//! What a guest does with a store that it opened, whichever version of `wasi:keyvalue` it speaks.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Lower, Resource};

use super::{KeyValueAct, KeyValueAnswer, KeyValueCall};
use crate::guest::Guest;
use crate::port::HostError;
use crate::text;

/// How many bytes a key may have.
const KEY_MAX: usize = 512;

/// How many bytes a value may have: it is a row of the database, and larger things are files.
const VALUE_MAX: usize = 1_024 * 1_024;

/// How many keys one call may name.
const BATCH_MAX: usize = 1_000;

/// A store that a guest opened.
pub(super) struct Bucket {
    name: String,
    max_bytes: u64,
}

/// What a compare-and-swap has seen.
pub(super) struct Cas {
    bucket: u32,
    key: String,
    seen: Option<Vec<u8>>,
}

/// The errors of `wasi:keyvalue`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
pub(super) enum Error {
    #[component(name = "no-such-store")]
    NoSuchStore,
    /// Never told: a store that was not granted is one that is not there.
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

pub(super) type Answer<T> = Result<T, Error>;

/// The call of a guest, with its store for as long as it takes.
pub(super) struct Caller<'a>(pub(super) StoreContextMut<'a, Guest>);

impl Caller<'_> {
    pub(super) fn open(&mut self, name: String) -> wasmtime::Result<Answer<Resource<Bucket>>> {
        let guest = self.0.data_mut();
        let access = guest.job()?;
        let Some(max_bytes) = access.key_value.bytes(&name) else {
            let task = &access.job.task;
            // A guest that is told only that there is no such store leaves its author to guess.
            let line = format!(
                "The key-value store {name:?} was not granted to `{task}`. The operator grants it in {task}.toml:\n\
                 [[keyvalue]]\nname = {name:?}"
            );
            access.host.log(windlass_model::LogStream::Host, line);
            return Ok(Err(Error::NoSuchStore));
        };
        Ok(Ok(guest.wasi.table.push(Bucket { name, max_bytes })?))
    }

    pub(super) async fn get(
        &mut self,
        bucket: u32,
        keys: Vec<String>,
    ) -> wasmtime::Result<Answer<BTreeMap<String, Vec<u8>>>> {
        if let Err(fault) = check_keys(keys.iter()) {
            return Ok(Err(fault));
        }
        match self.ask(bucket, KeyValueAct::Get(keys)).await? {
            KeyValueAnswer::Values(values) => Ok(Ok(values)),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn list(
        &mut self,
        bucket: u32,
        after: u64,
    ) -> wasmtime::Result<Answer<(Vec<String>, Option<u64>)>> {
        match self.ask(bucket, KeyValueAct::List { after }).await? {
            KeyValueAnswer::Keys { keys, next } => Ok(Ok((keys, next))),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn set(&mut self, bucket: u32, entries: Vec<(String, Vec<u8>)>) -> wasmtime::Result<Answer<()>> {
        let checked = check_keys(entries.iter().map(|(key, _)| key))
            .and_then(|()| entries.iter().try_for_each(|(key, value)| check_value(key, value)));
        match checked {
            Ok(()) => self.change(bucket, KeyValueAct::Set(entries)).await,
            Err(fault) => Ok(Err(fault)),
        }
    }

    pub(super) async fn delete(&mut self, bucket: u32, keys: Vec<String>) -> wasmtime::Result<Answer<()>> {
        match check_keys(keys.iter()) {
            Ok(()) => self.change(bucket, KeyValueAct::Delete(keys)).await,
            Err(fault) => Ok(Err(fault)),
        }
    }

    pub(super) async fn increment(&mut self, bucket: u32, key: String, by: i64) -> wasmtime::Result<Answer<i64>> {
        if let Err(fault) = check_keys([&key]) {
            return Ok(Err(fault));
        }
        match self.ask(bucket, KeyValueAct::Increment { key: key.clone(), by }).await? {
            KeyValueAnswer::Number(sum) => Ok(Ok(sum)),
            KeyValueAnswer::NotANumber => {
                let message = format!("the value of {key:?} is no number, or the sum would be too large");
                Ok(Err(Error::Other(message)))
            }
            KeyValueAnswer::Full { wanted } => Ok(Err(self.full(bucket, wanted)?)),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn look(&mut self, bucket: u32, key: String) -> wasmtime::Result<Answer<Resource<Cas>>> {
        let seen = match self.get(bucket, vec![key.clone()]).await? {
            Ok(mut values) => values.remove(&key),
            Err(fault) => return Ok(Err(fault)),
        };
        Ok(Ok(self.0.data_mut().wasi.table.push(Cas { bucket, key, seen })?))
    }

    pub(super) fn current(&mut self, cas: u32) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.0.data().wasi.table.get(&Resource::<Cas>::new_borrow(cas))?.seen.clone())
    }

    /// `Err(Some(..))` has what is there now, for the next try.
    pub(super) async fn swap(&mut self, cas: u32, value: Vec<u8>) -> wasmtime::Result<Result<(), Swap>> {
        let Cas { bucket, key, seen } = self.0.data_mut().wasi.table.delete(Resource::<Cas>::new_own(cas))?;
        if let Err(fault) = check_value(&key, &value) {
            return Ok(Err(Swap::Fault(fault)));
        }
        match self.ask(bucket, KeyValueAct::Swap { key: key.clone(), seen, value }).await? {
            KeyValueAnswer::Done => Ok(Ok(())),
            KeyValueAnswer::Full { wanted } => Ok(Err(Swap::Fault(self.full(bucket, wanted)?))),
            KeyValueAnswer::Changed => Ok(Err(match self.look(bucket, key).await? {
                Ok(cas) => Swap::Lost(cas),
                Err(fault) => Swap::Fault(fault),
            })),
            other => Err(unexpected(&other)),
        }
    }

    async fn change(&mut self, bucket: u32, act: KeyValueAct) -> wasmtime::Result<Answer<()>> {
        match self.ask(bucket, act).await? {
            KeyValueAnswer::Done => Ok(Ok(())),
            KeyValueAnswer::Full { wanted } => Ok(Err(self.full(bucket, wanted)?)),
            other => Err(unexpected(&other)),
        }
    }

    async fn ask(&mut self, bucket: u32, act: KeyValueAct) -> wasmtime::Result<KeyValueAnswer> {
        let guest = self.0.data();
        let Bucket { name, max_bytes } = guest.wasi.table.get(&Resource::<Bucket>::new_borrow(bucket))?;
        let call = KeyValueCall { store: name.clone(), max_bytes: *max_bytes, act };
        let access = guest.job()?;
        let host = Arc::clone(&access.host);
        Ok(access.ask(async move { host.key_value(call).await }).await?)
    }

    fn full(&self, bucket: u32, wanted: u64) -> wasmtime::Result<Error> {
        let Bucket { name, max_bytes } = self.0.data().wasi.table.get(&Resource::<Bucket>::new_borrow(bucket))?;
        let (wanted, max) = (text::size(wanted), text::size(*max_bytes));
        Ok(Error::Other(format!(
            "the store {name:?} would hold {wanted}, more than its {max}: delete keys, or let the operator raise `bytes` of \
             that [[keyvalue]]"
        )))
    }
}

/// Why a swap was not made.
pub(super) enum Swap {
    /// Somebody else was first.
    Lost(Resource<Cas>),
    Fault(Error),
}

fn check_keys<'a>(keys: impl IntoIterator<Item = &'a String>) -> Answer<()> {
    let mut count = 0;
    for key in keys {
        count += 1;
        let fault = match key.len() {
            0 => "a key cannot be empty".to_owned(),
            length if length > KEY_MAX => format!("a key has at most {KEY_MAX} bytes, this one has {length}"),
            _ if key.contains('\0') => "a key cannot have a NUL".to_owned(),
            _ if count > BATCH_MAX => format!("one call takes at most {BATCH_MAX} keys"),
            _ => continue,
        };
        return Err(Error::Other(fault));
    }
    Ok(())
}

fn check_value(key: &str, value: &[u8]) -> Answer<()> {
    if value.len() <= VALUE_MAX {
        return Ok(());
    }
    let (found, max) = (text::size(value.len() as u64), text::size(VALUE_MAX as u64));
    Err(Error::Other(format!("the value of {key:?} has {found}, more than the {max} that a value may have")))
}

fn unexpected(answer: &KeyValueAnswer) -> wasmtime::Error {
    let what = match answer {
        KeyValueAnswer::Stale => "the job was taken away from this worker".to_owned(),
        other => format!("the key-value store answered {other:?}"),
    };
    HostError(what).into()
}
