//! What a measurement came to.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::Serialize;

use crate::conditions::Conditions;
use crate::figures::{Figures, Spread};
use crate::scenario::soak::Part;

/// What a measurement came to: figures, whether the database bears them out, and the conditions.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    scenario: &'static str,
    jobs: u64,
    /// The median of each figure over all runs.
    #[serde(flatten)]
    medians: Figures,
    /// Whether after each run the database said that every job had completed exactly once.
    verified: bool,
    /// What it said otherwise.
    faults: Vec<String>,
    /// What makes the figures worth less than they look.
    doubts: Vec<&'static str>,
    /// The same figures with the least and the most of all runs.
    spread: BTreeMap<&'static str, Spread>,
    runs: Vec<Run>,
    conditions: Conditions,
}

/// What one run came to.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Run {
    pub(crate) jobs: u64,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// How many attempts each daemon ended, the most first.
    pub(crate) shares: Vec<u64>,
    pub(crate) faults: Vec<String>,
    /// Of a soak: whether less was done at its end than at its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) declined: Option<bool>,
    /// Of a soak: what was done when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Part>,
}

impl Report {
    pub(crate) fn new(scenario: &'static str, runs: Vec<Run>, conditions: Conditions) -> Self {
        let (mut medians, mut spread) = (Figures::default(), BTreeMap::new());
        for name in runs.iter().flat_map(|run| run.figures.names()).collect::<Vec<_>>() {
            let values = runs.iter().filter_map(|run| run.figures.get(name)).collect();
            if let (None, Some(found)) = (medians.get(name), Spread::of(values)) {
                medians.add(name, found.median);
                spread.insert(name, found);
            }
        }
        let faults: Vec<_> = runs.iter().flat_map(|run| run.faults.iter().cloned()).collect();
        Self {
            scenario,
            jobs: runs.first().map_or(0, |run| run.jobs),
            medians,
            verified: faults.is_empty() && !runs.is_empty(),
            faults,
            doubts: conditions.doubts(),
            spread,
            runs,
            conditions,
        }
    }

    /// Whether after each run the database said that every job had completed exactly once.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.verified
    }

    /// For a program: one JSON object.
    #[must_use]
    pub fn json(&self) -> String {
        // Plain structs with string keys: serialising them into memory cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}, {} jobs, {} runs\n\n", self.scenario, self.jobs, self.runs.len());
        text.push_str(&format!("  {:32}{:>14}{:>14}{:>14}\n", "", "median", "least", "most"));
        for name in self.medians.names() {
            if let Some(Spread { median, min, max }) = self.spread.get(name) {
                text.push_str(&format!("  {name:32}{median:>14}{min:>14}{max:>14}\n"));
            }
        }
        for run in self.runs.iter().filter(|run| run.shares.len() > 1) {
            text.push_str(&format!("  attempts of each daemon: {:?}\n", run.shares));
        }
        for part in self.runs.iter().flat_map(|run| &run.parts) {
            text.push_str(&format!("{}\n", part.line()));
        }
        if let Some(declined) = self.runs.iter().filter_map(|run| run.declined).reduce(|one, other| one || other) {
            let said =
                if declined { "Less was done in the last fifth than in the first." } else { "It held its rate." };
            text.push_str(&format!("  {said}\n"));
        }
        text.push('\n');
        for line in self.conditions.lines() {
            text.push_str(&format!("  {line}\n"));
        }
        for doubt in &self.doubts {
            text.push_str(&format!("\n  Mind: {doubt}.\n"));
        }
        text.push_str(match self.verified {
            true => "\n  Verified: in the database every job completed exactly once.\n",
            false => "\n  NOT verified:\n",
        });
        for fault in &self.faults {
            text.push_str(&format!("    - {fault}\n"));
        }
        text
    }
}

/// Tells on standard error what goes on.
pub(crate) fn say(line: &str) {
    // If nobody can be told, nobody is.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
