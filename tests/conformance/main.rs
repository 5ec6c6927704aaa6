//! One suite for every database. A backend brings a fixture, never a test: one line below, and it joins.
//!
//! There is a case for each sentence of each trait method's doc. Every case passes its own times, so nothing waits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod claim;
mod dependencies;
mod directory;
mod fixture;
mod inbox;
mod janitor;
mod key_values;
mod ledger;
mod model;
mod operations;
mod postgres;
mod queue;
mod queues;
mod sqlite;
mod suite;
mod unique;
mod upkeep;
mod versions;

suite::job_store_conformance!(on_sqlite, crate::sqlite::open);
suite::job_store_conformance!(on_postgres, crate::postgres::open);
