//! Names that people choose, parsed once at the edge.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Too short or too long.
    #[error("a name has 1 to {max} characters, this one has {found}")]
    Length {
        /// How many characters it has.
        found: usize,
        /// How many it may have.
        max: usize,
    },
    /// A character that may not be there.
    #[error("a name is made of a-z, 0-9, `-` and `_`, and starts with a letter or a digit: {0:?} cannot stand here")]
    Character(char),
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// 1 to 64 characters of a-z, 0-9, `-` and `_`, the first a letter or a digit: safe as a file name, in a URL and in SQL.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// How many characters a name may have.
            pub const MAX: usize = 64;

            /// Checks a name.
            pub fn parse(raw: &str) -> Result<Self, NameError> {
                let found = raw.chars().count();
                if found == 0 || found > Self::MAX {
                    return Err(NameError::Length { found, max: Self::MAX });
                }
                let fits = |(place, c): (usize, char)| match c {
                    'a'..='z' | '0'..='9' => true,
                    '-' | '_' => place > 0,
                    _ => false,
                };
                match raw.char_indices().find(|at| !fits(*at)) {
                    Some((_, bad)) => Err(NameError::Character(bad)),
                    None => Ok(Self(raw.to_owned())),
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(raw: &str) -> Result<Self, Self::Err> {
                Self::parse(raw)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

names! {
    /// What jobs ask for: `export-csv`. By default the stem of the plugin's file.
    TaskName;
    /// A lane of jobs: `default`.
    QueueName;
    /// What people call a schedule: `nightly-export`.
    ScheduleName;
    /// What schedules call a list of dates on which they do not fire: `public-holidays`.
    CalendarName;
}

impl Default for QueueName {
    /// The queue of a job that names none: `default`.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_leave_its_folder_is_refused() {
        assert_eq!(TaskName::parse("../etc"), Err(NameError::Character('.')));
        assert_eq!(TaskName::parse("a/b"), Err(NameError::Character('/')));
        assert_eq!(TaskName::parse("a.b"), Err(NameError::Character('.')));
        assert_eq!(TaskName::parse("-a"), Err(NameError::Character('-')));
        assert_eq!(TaskName::parse("Export"), Err(NameError::Character('E')));
    }

    #[test]
    fn a_name_has_between_1_and_64_characters() {
        assert_eq!(TaskName::parse(""), Err(NameError::Length { found: 0, max: 64 }));
        assert_eq!(TaskName::parse(&"a".repeat(65)), Err(NameError::Length { found: 65, max: 64 }));
        assert!(TaskName::parse(&"a".repeat(64)).is_ok());
        assert!(QueueName::parse("export_csv-2").is_ok());
    }
}
