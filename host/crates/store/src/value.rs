//! What goes into statements and comes out of them, the same for both databases.

use serde::{Deserialize, Serialize};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::sqlite::{SqliteTypeInfo, SqliteValueRef};
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};
use uuid::Uuid;
use windlass_model::Timestamp;

/// One parameter of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Id(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<String>),
    Time(Option<Time>),
    Bytes(Vec<u8>),
}

impl Value {
    /// A list as one parameter, so that each statement is one text whatever the length of the list.
    pub(crate) fn json<T: Serialize + ?Sized>(list: &T) -> Self {
        Self::Text(Some(as_json(list)))
    }

    /// SQL has no unsigned numbers: what does not fit is beyond everything that is there.
    pub(crate) fn count(value: u64) -> Self {
        Self::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    /// A lease that does not fit was never given out, and -1 is one that no job has.
    pub(crate) fn lease(lease: u64) -> Self {
        Self::Int(Some(i64::try_from(lease).unwrap_or(-1)))
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(Some(id))
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Time(Some(Time(time)))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(time: Option<Timestamp>) -> Self {
        Self::Time(time.map(Time))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(kept(text.to_owned())))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(kept))
    }
}

pub(crate) fn as_json<T: Serialize + ?Sized>(value: &T) -> String {
    // Plain structs with string keys: serialising them into memory cannot fail.
    let json = serde_json::to_string(value).unwrap_or_default();
    if json.contains(NUL_IN_JSON) { kept_json(&json) } else { json }
}

/// PostgreSQL keeps no NUL, neither in a text nor in the JSON of a list, and one would make it refuse all that is written with it.
/// So both databases keep this in its place; what a text that is JSON itself says stays as it is, because it has only the escape.
const IN_PLACE_OF_NUL: &str = "\u{FFFD}";

/// How our JSON has it.
const NUL_IN_JSON: &str = "\\u0000";

fn kept(text: String) -> String {
    if text.contains('\0') { text.replace('\0', IN_PLACE_OF_NUL) } else { text }
}

fn kept_json(json: &str) -> String {
    let mut kept = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, escape)) = rest.find('\\').map(|at| rest.split_at(at)) {
        kept.push_str(before);
        rest = match escape.strip_prefix(NUL_IN_JSON) {
            Some(after) => {
                kept.push_str(IN_PLACE_OF_NUL);
                after
            }
            // The letter behind a backslash is ASCII. If it is a backslash too, what follows is no escape.
            None => {
                let (pair, after) = escape.split_at_checked(2).unwrap_or((escape, ""));
                kept.push_str(pair);
                after
            }
        };
    }
    kept + rest
}

/// An id inside JSON. SQLite reads bytes from hexadecimal alone, and PostgreSQL takes that for a uuid too.
pub(crate) fn hex(id: Uuid) -> String {
    id.simple().to_string()
}

/// A time in a column: microseconds since 1970 in SQLite, `timestamptz` in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) Timestamp);

/// PostgreSQL counts from 2000-01-01 on the wire.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl Type<Sqlite> for Time {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(found: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(found)
    }
}

impl<'q> Encode<'q, Sqlite> for Time {
    fn encode_by_ref(&self, buffer: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'q, Sqlite>>::encode_by_ref(&self.0.as_micros(), buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Time {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as Decode<'r, Sqlite>>::decode(value).map(|micros| Self(Timestamp::from_micros(micros)))
    }
}

impl Type<Postgres> for Time {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl<'q> Encode<'q, Postgres> for Time {
    fn encode_by_ref(&self, buffer: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'q, Postgres>>::encode(self.0.as_micros().saturating_sub(POSTGRES_EPOCH), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Time {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("a time came as text".into());
        }
        let micros = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        Ok(Self(Timestamp::from_micros(micros.saturating_add(POSTGRES_EPOCH))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_not_kept_and_what_only_looks_like_one_is() {
        assert_eq!(as_json(&["a\0b\0", "\\u0000", "\\\0", "ü\n\""]), r#"["a�b�","\\u0000","\\�","ü\n\""]"#);
        // The arguments of a job: JSON in a string of ours.
        assert_eq!(as_json(r#"{"a":"\u0000"}"#), r#""{\"a\":\"\\u0000\"}""#);
        assert!(matches!(Value::from("a\0"), Value::Text(Some(text)) if text == "a�"));
    }
}
