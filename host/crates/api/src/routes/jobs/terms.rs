//! The terms of a job: when it is too late, how it is retried, what it must not double, and what it comes after.

use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;
use windlass_model::{JobId, UniqueRequest};

use super::body::Faults;
use super::view::JobStateView;

/// The most jobs that one job may come after.
const AFTER_MAX: usize = 1_000;

const KEY_LENGTH_MAX: usize = 200;

/// How long a job waits between attempts: `base_ms`, doubling up to `max_ms` and spread by a quarter, or exactly the `delays_ms`,
/// the last of them again and again. At most a week each.
#[derive(Serialize, ToSchema)]
#[schema(as = Backoff, example = json!({"base_ms": 2000, "max_ms": 3600000}))]
pub(crate) struct BackoffBody {
    /// The first delay.
    #[schema(minimum = 1, maximum = 604_800_000)]
    base_ms: Option<u64>,
    /// The longest; an hour if absent.
    #[schema(minimum = 1, maximum = 604_800_000)]
    max_ms: Option<u64>,
    /// The delays after the first, second, … failed attempt: 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    delays_ms: Option<Vec<u64>>,
}

/// What no two jobs of a task may be at the same time. `{}` compares the arguments.
#[derive(Serialize, ToSchema)]
#[schema(as = Unique, example = json!({"key": "report-2026-11", "states": ["completed"], "mode": "keep"}))]
pub(crate) struct UniqueBody {
    /// What is compared, 1 to 200 characters; the arguments if absent.
    key: Option<String>,
    /// In which final states a job goes on holding its key. Until it ends it holds it in every state.
    #[schema(required = false)]
    states: Vec<JobStateView>,
    /// What happens to a job whose key is held; `keep` if absent.
    #[schema(required = false)]
    mode: UniqueModeBody,
}

/// What happens to a job whose unique key is held: `keep` answers with the holder, `replace` also gives the holder the new
/// arguments, tags and metadata, and the `run_at` if there is one, as long as it has not started, and `reject` answers 409.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UniqueMode)]
#[expect(dead_code, reason = "only the document shows it: the model reads the value")]
pub(crate) enum UniqueModeBody {
    Keep,
    Replace,
    Reject,
}

/// What becomes of a job if one that it comes after is discarded or cancelled: it is cancelled too, or it runs all the same.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OnFailure)]
#[expect(dead_code, reason = "only the document shows it: the model reads the value")]
pub(crate) enum OnFailureBody {
    Cancel,
    Run,
}

/// Checks what stands in `unique`.
pub(crate) fn check_unique(faults: &mut Faults<'_>, unique: Option<&UniqueRequest>) {
    let Some(unique) = unique else { return };
    check_key(faults, "unique/key", unique.key.as_deref());
    for (index, state) in unique.states.iter().enumerate() {
        faults.demand(state.is_final(), &format!("unique/states/{index}"), || {
            format!(
                "is {state}, in which a job always holds its key: name final states only (completed, discarded, cancelled)"
            )
        });
    }
}

/// Checks a key that the application chose.
pub(crate) fn check_key(faults: &mut Faults<'_>, field: &str, key: Option<&str>) {
    let Some(key) = key else { return };
    let found = key.chars().count();
    faults.demand((1..=KEY_LENGTH_MAX).contains(&found), field, || {
        format!("has {found} characters; a key has 1 to {KEY_LENGTH_MAX}")
    });
    faults.demand(!key.contains(char::is_control), field, || {
        "has a control character, which a key cannot have".to_owned()
    });
}

/// Checks `after`, and leaves each job once.
pub(crate) fn check_after(faults: &mut Faults<'_>, after: Option<Vec<JobId>>) -> Vec<JobId> {
    let mut after = after.unwrap_or_default();
    let mut seen = HashSet::new();
    after.retain(|id| seen.insert(*id));
    faults.demand(after.len() <= AFTER_MAX, "after", || {
        format!("names {} jobs; a job comes after at most {AFTER_MAX}", after.len())
    });
    after
}
