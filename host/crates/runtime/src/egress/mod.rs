//! The way out: what may be dialled, and who dials it. Used by the capabilities `http` and `network`.
//!
//! Invariants:
//! - A name is resolved by the host, its addresses are checked, and a checked address is what is dialled: nothing between
//!   resolves the name again.
//! - A connection to an address that is not public is only ever used by plugins that were granted it.
//! - No redirect is followed: the guest's next request is checked like the first.

pub(crate) mod address;
pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod connect;
pub(crate) mod origin;
pub(crate) mod path;
pub(crate) mod resolve;
