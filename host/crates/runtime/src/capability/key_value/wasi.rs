//! The functions of `wasi:keyvalue`, in the two versions that toolchains speak. They differ in the type of a cursor, of a number
//! and of a batch's values; `draft2` has compare-and-swap besides.
//!
//! Linked by hand, because the interfaces are drafts: a guest that imports none of them needs no file of theirs at the build.

use std::collections::BTreeMap;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType};

use super::bucket::{Answer, Bucket, Caller, Cas, Error, Swap};
use crate::guest::Guest;

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Page<C> {
    keys: Vec<String>,
    cursor: Option<C>,
}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum CasError {
    #[component(name = "store-error")]
    Store(Error),
    #[component(name = "cas-failed")]
    Failed(Resource<Cas>),
}

type Entries = Vec<(String, Vec<u8>)>;

/// Links a function that waits for the database.
macro_rules! wrap {
    ($instance:ident, $name:literal, |$caller:ident $(, $param:ident: $type:ty)*| $body:expr) => {
        $instance.func_wrap_async($name, |guest: StoreContextMut<'_, Guest>, ($($param,)*): ($($type,)*)| {
            Box::new(async move {
                let mut $caller = Caller(guest);
                $body
            })
        })
    };
}

pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut store = linker.instance("wasi:keyvalue/store@0.2.0-draft")?;
    add_store(&mut store)?;
    wrap!(store, "[method]bucket.list-keys", |caller, bucket: Resource<Bucket>, cursor: Option<u64>| {
        let page = caller.list(bucket.rep(), cursor.unwrap_or(0)).await?;
        Ok((page.map(|(keys, cursor)| Page { keys, cursor }),))
    })?;
    let mut atomics = linker.instance("wasi:keyvalue/atomics@0.2.0-draft")?;
    wrap!(atomics, "increment", |caller, bucket: Resource<Bucket>, key: String, by: u64| {
        let Ok(by) = i64::try_from(by) else {
            return Ok((Err(Error::Other(format!("{by} is more than can be added"))),));
        };
        let sum = caller.increment(bucket.rep(), key, by).await?;
        let unsigned = |sum| u64::try_from(sum).map_err(|_| Error::Other(format!("the number is {sum}, below zero")));
        Ok((sum.and_then(unsigned),))
    })?;
    let mut batch = linker.instance("wasi:keyvalue/batch@0.2.0-draft")?;
    add_batch(&mut batch)?;
    wrap!(batch, "get-many", |caller, bucket: Resource<Bucket>, keys: Vec<String>| {
        let values = caller.get(bucket.rep(), keys.clone()).await?;
        let entry = |values: &BTreeMap<_, Vec<u8>>, key| values.get(&key).cloned().map(|value| (key, value));
        Ok((values.map(|values| keys.into_iter().map(|key| entry(&values, key)).collect::<Vec<_>>()),))
    })?;

    let mut store = linker.instance("wasi:keyvalue/store@0.2.0-draft2")?;
    add_store(&mut store)?;
    wrap!(store, "[method]bucket.list-keys", |caller, bucket: Resource<Bucket>, cursor: Option<String>| {
        let after = cursor.map_or(Ok(0), |cursor| cursor.parse());
        let Ok(after) = after else {
            return Ok((Err(Error::Other("a cursor is what the page before returned".to_owned())),));
        };
        let page = caller.list(bucket.rep(), after).await?;
        Ok((page.map(|(keys, next)| Page { keys, cursor: next.map(|next| next.to_string()) }),))
    })?;
    let mut atomics = linker.instance("wasi:keyvalue/atomics@0.2.0-draft2")?;
    add_cas(&mut atomics)?;
    wrap!(atomics, "increment", |caller, bucket: Resource<Bucket>, key: String, by: i64| {
        Ok((caller.increment(bucket.rep(), key, by).await?,))
    })?;
    let mut batch = linker.instance("wasi:keyvalue/batch@0.2.0-draft2")?;
    add_batch(&mut batch)?;
    wrap!(batch, "get-many", |caller, bucket: Resource<Bucket>, keys: Vec<String>| {
        let values = caller.get(bucket.rep(), keys.clone()).await?;
        let entry = |values: &BTreeMap<_, Vec<u8>>, key| (String::clone(&key), values.get(&key).cloned());
        Ok((values.map(|values| keys.into_iter().map(|key| entry(&values, key)).collect::<Vec<_>>()),))
    })
}

/// What both versions of `store` have.
fn add_store(store: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    store.resource("bucket", ResourceType::host::<Bucket>(), |mut guest, bucket| {
        guest.data_mut().wasi.table.delete(Resource::<Bucket>::new_own(bucket))?;
        Ok(())
    })?;
    store.func_wrap("open", |guest, (name,): (String,)| Ok((Caller(guest).open(name)?,)))?;
    wrap!(store, "[method]bucket.get", |caller, bucket: Resource<Bucket>, key: String| {
        let values = caller.get(bucket.rep(), vec![key.clone()]).await?;
        Ok((values.map(|mut values| values.remove(&key)),))
    })?;
    wrap!(store, "[method]bucket.exists", |caller, bucket: Resource<Bucket>, key: String| {
        let values = caller.get(bucket.rep(), vec![key]).await?;
        Ok((values.map(|values| !values.is_empty()),))
    })?;
    wrap!(store, "[method]bucket.set", |caller, bucket: Resource<Bucket>, key: String, value: Vec<u8>| {
        Ok((caller.set(bucket.rep(), vec![(key, value)]).await?,))
    })?;
    wrap!(store, "[method]bucket.delete", |caller, bucket: Resource<Bucket>, key: String| {
        Ok((caller.delete(bucket.rep(), vec![key]).await?,))
    })
}

/// What both versions of `batch` have.
fn add_batch(batch: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    wrap!(batch, "set-many", |caller, bucket: Resource<Bucket>, entries: Entries| {
        Ok((caller.set(bucket.rep(), entries).await?,))
    })?;
    wrap!(batch, "delete-many", |caller, bucket: Resource<Bucket>, keys: Vec<String>| {
        Ok((caller.delete(bucket.rep(), keys).await?,))
    })
}

/// Compare-and-swap.
fn add_cas(atomics: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    atomics.resource("cas", ResourceType::host::<Cas>(), |mut guest, cas| {
        guest.data_mut().wasi.table.delete(Resource::<Cas>::new_own(cas))?;
        Ok(())
    })?;
    wrap!(atomics, "[static]cas.new", |caller, bucket: Resource<Bucket>, key: String| {
        Ok((caller.look(bucket.rep(), key).await?,))
    })?;
    atomics.func_wrap("[method]cas.current", |guest, (cas,): (Resource<Cas>,)| {
        let seen: Answer<Option<Vec<u8>>> = Ok(Caller(guest).current(cas.rep())?);
        Ok((seen,))
    })?;
    wrap!(atomics, "swap", |caller, cas: Resource<Cas>, value: Vec<u8>| {
        let swapped = caller.swap(cas.rep(), value).await?;
        Ok((swapped.map_err(|fault| match fault {
            Swap::Lost(cas) => CasError::Failed(cas),
            Swap::Fault(fault) => CasError::Store(fault),
        }),))
    })
}
