//! Figures with names, of one run and of several.

use serde::{Serialize, Serializer};

/// What one run measured, each figure with its name and its unit in the name. In the order in which they are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<(&'static str, f64)>);

impl Figures {
    pub(crate) fn add(&mut self, name: &'static str, value: f64) {
        self.0.push((name, rounded(value)));
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|(name, _)| *name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// The same figure of several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The middle one; of an even number of runs the mean of the two in the middle.
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let is_even = values.len().is_multiple_of(2);
        let median = if is_even { (values[middle - 1] + values[middle]) / 2.0 } else { values[middle] };
        Some(Self { median: rounded(median), min, max })
    }
}

/// The smallest value that so many of 100 do not exceed; nothing of none.
pub(crate) fn percentile(sorted: &[f64], of_100: usize) -> Option<f64> {
    let place = (sorted.len() * of_100).div_ceil(100).max(1);
    sorted.get(place - 1).copied()
}

/// Three places behind the point: more are noise.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_the_runs_in_any_order() {
        let of = |values: &[f64]| Spread::of(values.to_vec());
        assert_eq!(of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(of(&[4.0, 1.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let hundred: Vec<_> = (1..=100).map(f64::from).collect();
        assert_eq!([50, 99, 100].map(|of_100| percentile(&hundred, of_100)), [50.0, 99.0, 100.0].map(Some));
        assert_eq!([1, 50, 99].map(|of_100| percentile(&[7.0], of_100)), [Some(7.0); 3]);
        assert_eq!(percentile(&[1.0, 2.0, 3.0], 50), Some(2.0));
        assert_eq!(percentile(&[], 50), None);
    }
}
