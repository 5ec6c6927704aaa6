//! The start of an id, as a person types it to find a job.

use std::str::FromStr;

use windlass_model::JobId;

/// How many hexadecimal digits an id has.
const DIGITS: usize = 32;

/// The ids that start with the same digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdStart {
    /// The lowest of them.
    pub(crate) lowest: JobId,
    /// The first that is higher than all of them; none if the highest possible id is one of them.
    pub(crate) following: Option<JobId>,
}

/// Why a text is not the start of an id.
#[derive(Debug, thiserror::Error)]
#[error("is not the start of an id: it has 1 to 32 hexadecimal digits, dashes not counted")]
pub(crate) struct IdStartError;

impl FromStr for IdStart {
    type Err = IdStartError;

    fn from_str(raw: &str) -> Result<Self, IdStartError> {
        let digits: String = raw.chars().filter(|c| *c != '-').collect();
        let is_hex = digits.chars().all(|c| c.is_ascii_hexdigit());
        if !(1..=DIGITS).contains(&digits.len()) || !is_hex {
            return Err(IdStartError);
        }
        let id = |text: &str| text.parse().map_err(|_| IdStartError);
        let highest = u128::from_str_radix(&format!("{digits:f<DIGITS$}"), 16).map_err(|_| IdStartError)?;
        let following = highest.checked_add(1).map(|next| id(&format!("{next:032x}"))).transpose()?;
        Ok(Self { lowest: id(&format!("{digits:0<DIGITS$}"))?, following })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_names_all_ids_that_begin_with_it() {
        let start: IdStart = "0197c2a4-5B".parse().unwrap();
        assert_eq!(start.lowest.to_string(), "0197c2a4-5b00-0000-0000-000000000000");
        assert_eq!(start.following.unwrap().to_string(), "0197c2a4-5c00-0000-0000-000000000000");
    }

    #[test]
    fn a_whole_id_names_itself_and_the_highest_has_none_that_follows() {
        let start: IdStart = "0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c2f".parse().unwrap();
        assert_eq!(start.lowest.to_string(), "0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c2f");
        assert_eq!(start.following.unwrap().to_string(), "0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c30");
        assert_eq!("f".parse::<IdStart>().unwrap().following, None);
    }

    #[test]
    fn what_is_no_start_of_an_id_is_refused() {
        for raw in ["", "-", "g", "0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c2f0", "+1", "ä"] {
            assert!(raw.parse::<IdStart>().is_err(), "{raw}");
        }
    }
}
