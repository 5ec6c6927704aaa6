//! What a running job asks of a key-value store of its task.

use std::collections::BTreeMap;

/// One call to one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValueCall {
    /// The store's name within the task.
    pub store: String,
    /// How much may be in it; see [`KeyValueCall::size`].
    pub max_bytes: u64,
    /// What is asked.
    pub act: KeyValueAct,
}

/// What is asked of a store. Each is atomic: it happens as a whole, between all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyValueAct {
    /// The values of some keys.
    Get(Vec<String>),
    /// A page of the keys, in the order in which they were first set.
    List {
        /// Where the page before ended; 0 for the first.
        after: u64,
    },
    /// Sets values. The last one counts if a key is there twice.
    Set(Vec<(String, Vec<u8>)>),
    /// Deletes keys; those that are not there are as good as deleted.
    Delete(Vec<String>),
    /// Adds to a number, which is kept as decimal text. A key that is not there counts as 0.
    Increment {
        /// Which.
        key: String,
        /// How much, or how much less.
        by: i64,
    },
    /// Sets a value if the one that is there is still the one that was seen.
    Swap {
        /// Which.
        key: String,
        /// What was seen; `None` if there was nothing.
        seen: Option<Vec<u8>>,
        /// The new value.
        value: Vec<u8>,
    },
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyValueAnswer {
    /// To a get: what is there.
    Values(BTreeMap<String, Vec<u8>>),
    /// To a list.
    Keys {
        /// The keys.
        keys: Vec<String>,
        /// Where the next page begins, if there may be one.
        next: Option<u64>,
    },
    /// It was set or deleted.
    Done,
    /// To an increment: the number as it is now.
    Number(i64),
    /// To a swap: somebody else set it meanwhile. Nothing was changed.
    Changed,
    /// There would be more in the store than it may hold. Nothing was changed.
    Full {
        /// How much there would be.
        wanted: u64,
    },
    /// To an increment: the value that is there is no number, or would become one that is too large. Nothing was changed.
    NotANumber,
    /// The job is not held under this lease any more. Nothing was changed.
    Stale,
}

impl KeyValueCall {
    /// What an entry costs beside its key and value, so that a million empty ones are not free: about what a row takes.
    pub const ENTRY_COST: u64 = 64;

    /// How many keys a page of a list has.
    pub const PAGE: u32 = 1_000;

    /// What an entry counts in its store.
    #[must_use]
    pub const fn size(key: &str, value: &[u8]) -> u64 {
        key.len() as u64 + value.len() as u64 + Self::ENTRY_COST
    }
}
