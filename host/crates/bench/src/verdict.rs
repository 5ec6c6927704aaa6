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
mod tests {
    use super::*;

    fn good() -> Lifecycle {
        Lifecycle {
            jobs: 5,
            example: JobId::from_uuid(Uuid::from_u128(7)),
            state: JobState::Completed,
            lease: 1,
            has_output: true,
            attempts: 1,
            attempt_lease: Some(1),
            failures: 0,
            waiting_entries: 1,
            running_entries: 1,
            completed_entries: 1,
            other_entries: 0,
        }
    }

    #[test]
    fn jobs_that_completed_once_have_no_fault() {
        assert_eq!(judge(&[good()], 5), [""; 0]);
        let delayed = Lifecycle { waiting_entries: 2, ..good() };
        assert_eq!(judge(&[good(), delayed], 10), [""; 0]);
    }

    #[test]
    fn a_job_that_is_missing_or_too_many_is_counted() {
        assert_eq!(judge(&[good()], 6), ["there are 5 jobs; 6 were acknowledged"]);
        assert_eq!(judge(&[good()], 4), ["there are 5 jobs; 4 were acknowledged"]);
        assert_eq!(judge(&[], 1), ["there are 0 jobs; 1 were acknowledged"]);
    }

    #[test]
    fn whatever_happened_twice_or_not_is_named() {
        let example = "such as 00000000-0000-0000-0000-000000000007";
        let cases = [
            (Lifecycle { state: JobState::Running, lease: 3, ..good() }, "5 jobs are running and not completed"),
            (Lifecycle { lease: 2, attempt_lease: Some(2), ..good() }, "5 completed jobs were claimed 2 times"),
            (Lifecycle { attempts: 0, attempt_lease: None, ..good() }, "5 completed jobs have 0 attempts"),
            (Lifecycle { attempts: 2, ..good() }, "5 completed jobs have 2 attempts"),
            (Lifecycle { attempt_lease: Some(2), ..good() }, "5 completed jobs have an attempt under another lease"),
            (Lifecycle { failures: 1, ..good() }, "5 completed jobs have 1 attempts that failed"),
            (Lifecycle { waiting_entries: 0, ..good() }, "5 completed jobs became available 0 times"),
            (Lifecycle { waiting_entries: 3, ..good() }, "5 completed jobs became available 3 times"),
            (Lifecycle { running_entries: 2, ..good() }, "5 completed jobs have 2 entries `running` in their history"),
            (
                Lifecycle { completed_entries: 0, ..good() },
                "5 completed jobs have 0 entries `completed` in their history",
            ),
            (
                Lifecycle { other_entries: 1, ..good() },
                "5 completed jobs have 1 entries of other states in their history",
            ),
            (Lifecycle { has_output: false, ..good() }, "5 completed jobs have no output"),
        ];
        for (found, fault) in cases {
            assert_eq!(judge(&[found], 5), [format!("{fault}, {example}")]);
        }
    }
}
