//! Whether the queue kept its promises: the ledger against what the database has on record and what the API says.

use std::collections::BTreeMap;

use crate::database::Record;
use crate::ledger::Starts;

/// How many broken promises are told in full.
const SHOWN: usize = 20;

/// What is looked at.
pub(crate) struct Facts {
    /// Who was told 202, ids without their hyphens.
    pub(crate) acknowledged: Vec<String>,
    /// The starts that were witnessed.
    pub(crate) starts: BTreeMap<String, Starts>,
    /// The state of each job as read over HTTP.
    pub(crate) states: BTreeMap<String, String>,
    /// What the database has on record.
    pub(crate) records: BTreeMap<String, Record>,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// Broken promises, with the evidence.
    pub(crate) broken: Vec<String>,
    /// How often a handler started though it had started before.
    pub(crate) second_starts: usize,
    /// Why attempts were not the last of their job.
    pub(crate) explained: BTreeMap<String, usize>,
    /// How many jobs ended in each state.
    pub(crate) ended: BTreeMap<String, usize>,
}

/// Judges.
pub(crate) fn judge(facts: &Facts) -> Verdict {
    let mut verdict = Verdict::default();
    for id in &facts.acknowledged {
        match facts.states.get(id) {
            None => verdict.broken.push(format!("{id}: acknowledged, and the API does not know it")),
            Some(_) if !facts.records.contains_key(id) => {
                verdict.broken.push(format!("{id}: acknowledged, and the database does not have it"));
            }
            Some(_) => (),
        }
    }
    for id in facts.starts.keys().filter(|id| !facts.records.contains_key(*id)) {
        verdict.broken.push(format!("{id}: it was started, and the database does not have it"));
    }
    let none = Starts::default();
    for (id, record) in &facts.records {
        let starts = facts.starts.get(id).unwrap_or(&none);
        *verdict.ended.entry(record.state.clone()).or_default() += 1;
        verdict.second_starts += starts.begun.saturating_sub(1);
        let mut faults = faults(record, starts);
        if facts.states.get(id) != Some(&record.state) {
            faults.push(format!("the API says {:?}, the database {}", facts.states.get(id), record.state));
        }
        for fault in faults {
            verdict.broken.push(format!(
                "{id}: {fault}\n      state {}, lease {}, attempts {:?}\n      history {:?}\n      starts {:?}",
                record.state, record.lease, record.attempts, record.history, starts.lines
            ));
        }
        for kind in explanations(record) {
            *verdict.explained.entry(kind.unwrap_or_else(|| "handed back".to_owned())).or_default() += 1;
        }
    }
    verdict.broken.sort();
    let more = verdict.broken.len().saturating_sub(SHOWN);
    if more > 0 {
        verdict.broken.truncate(SHOWN);
        verdict.broken.push(format!("and {more} more"));
    }
    verdict
}

fn faults(record: &Record, starts: &Starts) -> Vec<String> {
    let mut faults = Vec::new();
    let finals: Vec<_> = record.history.iter().filter(|(state, _)| is_final(state)).collect();
    let last = record.history.last().map(|(state, _)| state.as_str());
    if !is_final(&record.state) {
        faults.push(format!("it is stuck as {}", record.state));
        return faults;
    }
    if finals.len() != 1 || last != Some(record.state.as_str()) {
        faults.push(format!("{} finishes were accepted, not one at the end", finals.len()));
    }
    let claims = record.history.iter().filter(|(state, _)| state == "running").count();
    let leases: Vec<_> = record.attempts.iter().map(|(lease, _)| *lease).collect();
    let expected: Vec<_> = (1..=record.lease).collect();
    if leases != expected || i64::try_from(claims) != Ok(record.lease) {
        faults.push(format!("{claims} claims and lease {}, but attempts on record under {leases:?}", record.lease));
    }
    if starts.begun > record.attempts.len() {
        faults.push(format!("{} starts were witnessed, {} are on record", starts.begun, record.attempts.len()));
    }
    for kind in explanations(record) {
        let is_explained = match &kind {
            Some(kind) => ["worker_lost", "retryable", "host"].contains(&kind.as_str()),
            None => record
                .history
                .iter()
                .any(|(_, reason)| reason.as_deref().is_some_and(|reason| reason.starts_with("handed back"))),
        };
        if !is_explained {
            faults.push(format!("an attempt that was not the last ended with {kind:?}"));
        }
    }
    let last_error = record.attempts.last().and_then(|(_, error)| error.as_deref());
    let crashes = record.attempts.iter().filter(|(_, kind)| kind.as_deref() == Some("worker_lost")).count();
    match (record.state.as_str(), last_error) {
        ("completed", None) if starts.ended > 0 => (),
        ("completed", None) => faults.push("it is completed, and its handler never came to its end".to_owned()),
        // A poison pill: it was running in as many crashes as one job may be.
        ("discarded", Some("worker_lost")) if crashes >= 3 => (),
        (state, error) => faults.push(format!("it is {state} after an attempt that ended with {error:?}")),
    }
    faults
}

/// Why each attempt but the last was not the last: the kind of its error, or none if it was handed back.
fn explanations(record: &Record) -> Vec<Option<String>> {
    let but_last = record.attempts.len().saturating_sub(1);
    record.attempts[..but_last].iter().map(|(_, kind)| kind.clone()).collect()
}

fn is_final(state: &str) -> bool {
    ["completed", "discarded", "cancelled"].contains(&state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(attempts: &[Option<&str>]) -> Record {
        let mut history = vec![("available".to_owned(), None)];
        for (place, error) in attempts.iter().enumerate() {
            history.push(("running".to_owned(), None));
            let is_last = place + 1 == attempts.len();
            history.push((if is_last { "completed" } else { "available" }.to_owned(), error.map(str::to_owned)));
        }
        let attempts: Vec<_> = (1..).zip(attempts.iter().map(|error| error.map(str::to_owned))).collect();
        Record { state: "completed".to_owned(), lease: attempts.len() as i64, attempts, history }
    }

    fn starts(begun: usize, ended: usize) -> Starts {
        Starts { begun, ended, lines: Vec::new() }
    }

    #[test]
    fn a_start_after_a_recorded_loss_is_explained() {
        assert_eq!(faults(&completed(&[Some("worker_lost"), None]), &starts(2, 1)), [""; 0]);
        // The worker may have died before the handler started.
        assert_eq!(faults(&completed(&[Some("worker_lost"), None]), &starts(1, 1)), [""; 0]);
    }

    #[test]
    fn a_start_that_nobody_has_on_record_is_a_broken_promise() {
        assert_eq!(faults(&completed(&[None]), &starts(2, 2)).len(), 1);
    }

    #[test]
    fn a_second_accepted_finish_is_a_broken_promise() {
        let mut record = completed(&[Some("worker_lost"), None]);
        record.history.push(("completed".to_owned(), None));
        assert_eq!(faults(&record, &starts(2, 2)).len(), 1);
    }

    #[test]
    fn a_completed_job_whose_handler_never_ended_is_a_broken_promise() {
        assert_eq!(faults(&completed(&[None]), &starts(1, 0)).len(), 1);
    }

    #[test]
    fn a_finish_under_an_old_lease_is_a_broken_promise() {
        let mut record = completed(&[Some("worker_lost"), None]);
        record.attempts.pop();
        assert!(!faults(&record, &starts(2, 2)).is_empty());
    }

    #[test]
    fn what_was_acknowledged_and_is_not_there_is_a_broken_promise() {
        let facts = Facts {
            acknowledged: vec!["a".to_owned()],
            starts: BTreeMap::new(),
            states: BTreeMap::new(),
            records: BTreeMap::new(),
        };
        assert_eq!(judge(&facts).broken, ["a: acknowledged, and the API does not know it"]);
    }
}
