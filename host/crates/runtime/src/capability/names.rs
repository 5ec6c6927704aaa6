//! `wasi:sockets/ip-name-lookup`, in place of wasmtime's own: that one resolves every name or none.

use std::net::IpAddr;
use std::pin::Pin;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network, Pollable, subscribe};

use crate::capability::network::LookupFault;
use crate::guest::Guest;

/// As wasmtime's own WIT has it: the linker replaces what has the same name.
const NAME: &str = "wasi:sockets/ip-name-lookup@0.2.12";

type Found = Result<std::vec::IntoIter<IpAddr>, LookupFault>;

/// A lookup, on its way or done.
enum Lookup {
    Running(Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, LookupFault>> + Send>>),
    Done(Found),
}

#[async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        if let Self::Running(lookup) = self {
            let found = lookup.await;
            *self = Self::Done(found.map(Vec::into_iter));
        }
    }
}

impl Lookup {
    fn next(&mut self) -> Result<Option<IpAddress>, ErrorCode> {
        // A look without waiting: a guest may ask without a pollable.
        let _ = futures_util::FutureExt::now_or_never(self.ready());
        match self {
            Self::Running(_) => Err(ErrorCode::WouldBlock),
            Self::Done(Ok(addresses)) => Ok(addresses.next().map(IpAddress::from)),
            Self::Done(Err(fault)) => Err(code(*fault)),
        }
    }
}

fn code(fault: LookupFault) -> ErrorCode {
    match fault {
        LookupFault::Denied => ErrorCode::PermanentResolverFailure,
        LookupFault::Unknown => ErrorCode::NameUnresolvable,
        LookupFault::Later => ErrorCode::TemporaryResolverFailure,
    }
}

/// Replaces wasmtime's interface. Called after it was linked.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut instance = linker.instance(NAME)?;
    instance.resource("resolve-address-stream", ResourceType::host::<Lookup>(), |mut store, rep| {
        store.data_mut().wasi.table.delete(Resource::<Lookup>::new_own(rep))?;
        Ok(())
    })?;
    instance.func_wrap(
        "resolve-addresses",
        |mut store: StoreContextMut<'_, Guest>, (_, name): (Resource<Network>, String)| {
            let guest = store.data_mut();
            let looking = match guest.network.look_up(&name) {
                Ok(looking) => Lookup::Running(Box::pin(looking)),
                Err(fault) => return Ok((Err(code(fault)),)),
            };
            Ok((Ok::<_, ErrorCode>(guest.wasi.table.push(looking)?),))
        },
    )?;
    instance.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store: StoreContextMut<'_, Guest>, (lookup,): (Resource<Lookup>,)| {
            Ok((store.data_mut().wasi.table.get_mut(&lookup)?.next(),))
        },
    )?;
    instance.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store: StoreContextMut<'_, Guest>, (lookup,): (Resource<Lookup>,)| {
            let pollable: Resource<DynPollable> = subscribe(&mut store.data_mut().wasi.table, lookup)?;
            Ok((pollable,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}
