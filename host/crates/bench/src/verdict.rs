//! Whether every job completed exactly once, as the rows say.

use std::collections::HashSet;

use uuid::Uuid;
use windlass_model::{JobId, JobState, QueueName};
use windlass_store::Lifecycle;

use crate::BenchError;
use crate::place::Books;

/// How many ids are looked for at once.
const LOOK_FOR: usize = 10_000;

/// Looks at all jobs of a queue, which should be those whose ids were answered, and says what is wrong, each fault with an example.
/// Nothing is wrong if every job is there once, completed, with an output, claimed once, with one attempt that ended well, and
/// with a history that says so once.
pub(crate) async fn faults(
    books: &dyn Books,
    queue: &QueueName,
    acknowledged: &[Uuid],
) -> Result<Vec<String>, BenchError> {
    let mut faults = judge(&books.lifecycles(queue).await.map_err(BenchError::Books)?, acknowledged.len() as u64);
    let distinct: HashSet<_> = acknowledged.iter().collect();
    if distinct.len() < acknowledged.len() {
        faults.push(format!("{} ids were answered more than once", acknowledged.len() - distinct.len()));
    }
    let ids: Vec<_> = acknowledged.iter().copied().map(JobId::from_uuid).collect();
    let mut lost = Vec::new();
    for ids in ids.chunks(LOOK_FOR) {
        lost.extend(books.job_unknown(ids).await.map_err(BenchError::Books)?);
    }
    if let Some(example) = lost.first() {
        faults.push(format!("{} jobs were acknowledged and are not there, such as {example}", lost.len()));
    }
    Ok(faults)
}

/// The same of what is kept of the jobs.
fn judge(lifecycles: &[Lifecycle], acknowledged: u64) -> Vec<String> {
    let mut faults: Vec<_> = lifecycles.iter().flat_map(deviations).collect();
    let found: u64 = lifecycles.iter().map(|lifecycle| lifecycle.jobs).sum();
    if found != acknowledged {
        faults.push(format!("there are {found} jobs; {acknowledged} were acknowledged"));
    }
    faults
}

/// What some jobs have that they should not have, or have not.
fn deviations(found: &Lifecycle) -> Vec<String> {
    let Lifecycle { jobs, example, state, lease, attempts, .. } = *found;
    if state != JobState::Completed {
        // All else follows from that.
        return vec![format!("{jobs} jobs are {state} and not completed, such as {example}")];
    }
    let checks = [
        (lease != 1, format!("were claimed {lease} times")),
        (attempts != 1, format!("have {attempts} attempts")),
        (attempts == 1 && found.attempt_lease != Some(lease), "have an attempt under another lease".to_owned()),
        (found.failures > 0, format!("have {} attempts that failed", found.failures)),
        (!(1..=2).contains(&found.waiting_entries), format!("became available {} times", found.waiting_entries)),
        (found.running_entries != 1, format!("have {} entries `running` in their history", found.running_entries)),
        (
            found.completed_entries != 1,
            format!("have {} entries `completed` in their history", found.completed_entries),
        ),
        (found.other_entries > 0, format!("have {} entries of other states in their history", found.other_entries)),
        (!found.has_output, "have no output".to_owned()),
    ];
    let wrong = checks.into_iter().filter(|(is_wrong, _)| *is_wrong);
    wrong.map(|(_, what)| format!("{jobs} completed jobs {what}, such as {example}")).collect()
}

#[cfg(test)]
mod tests;
