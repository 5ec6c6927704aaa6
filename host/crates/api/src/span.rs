//! Lengths of time as people write them in a URL: `500ms`, `30s`, `2m`.

use std::str::FromStr;
use std::time::Duration;

/// A length of time: a whole number and its unit, one of `ms`, `s`, `m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// A text that is not a length of time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a length of time: write it as 500ms, 30s or 2m")]
pub(crate) struct SpanError(String);

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(raw: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError(raw.to_owned());
        let (digits, unit) = raw.split_at(raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len()));
        let in_millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return Err(wrong()),
        };
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        number.checked_mul(in_millis).map(|millis| Self(Duration::from_millis(millis))).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_its_unit_is_a_length_of_time() {
        let millis = |raw: &str| raw.parse::<Span>().unwrap().0.as_millis();
        assert_eq!([millis("500ms"), millis("30s"), millis("2m"), millis("0s")], [500, 30_000, 120_000, 0]);
    }

    #[test]
    fn anything_else_is_refused_with_the_forms_that_are_taken() {
        for raw in ["", "30", "s", "1.5s", "-1s", "1h", "30 s", "30S", "99999999999999999999s", "18446744073709551615m"]
        {
            let error = raw.parse::<Span>().unwrap_err().to_string();
            assert_eq!(error, format!("`{raw}` is not a length of time: write it as 500ms, 30s or 2m"));
        }
    }
}
