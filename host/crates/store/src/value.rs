//! What goes into statements and comes out of them, the same for both databases.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Database, Decode, Encode, Postgres, Type};
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

    /// A text that may be absent.
    pub(crate) fn word(text: Option<&str>) -> Self {
        Self::Text(text.map(|text| kept(text.to_owned())))
    }

    /// A lease that does not fit was never given out, and -1 is one that no job has.
    pub(crate) fn lease(lease: u64) -> Self {
        Self::Int(Some(i64::try_from(lease).unwrap_or(-1)))
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Id(id) => id.as_ref().map(|id| ValueRef::Blob(id.as_bytes())),
            Self::Int(number) => number.map(ValueRef::Integer),
            Self::Text(text) => text.as_ref().map(|text| ValueRef::Text(text.as_bytes())),
            Self::Time(time) => time.map(|Time(time)| ValueRef::Integer(time.as_micros())),
            Self::Bytes(bytes) => Some(ValueRef::Blob(bytes)),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

/// Many rows as the parameters of one statement. Each row is as wide as the statement says, and a column has one type.
///
/// A list as JSON in one parameter, which the other statements take, costs four times as much in SQLite (decision 13).
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    width: usize,
    values: Vec<Value>,
}

/// How many rows one statement takes at most: SQLite has room for 32,766 parameters
/// (<https://sqlite.org/limits.html#max_variable_number>).
pub(crate) const MAX_ROWS: usize = 256;

impl Rows {
    pub(crate) fn of<const WIDTH: usize>(rows: impl ExactSizeIterator<Item = [Value; WIDTH]>) -> Self {
        let mut values = Vec::with_capacity(rows.len() * WIDTH);
        rows.for_each(|row| values.extend(row));
        Self { width: WIDTH, values }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The rows in parts of few sizes, the powers of two up to `most`: each size is a statement of its own, which is prepared once. The last part
    /// is filled up with rows of nulls, which the statements pass over: one more statement costs more than any number of them.
    pub(crate) fn parts(self, most: usize) -> impl Iterator<Item = (usize, Vec<Value>)> {
        let (width, mut values) = (self.width, self.values.into_iter());
        std::iter::from_fn(move || {
            let left = values.len() / width.max(1);
            let size = left.min(most).next_power_of_two();
            (left > 0).then(|| {
                let mut part: Vec<Value> = values.by_ref().take(size * width).collect();
                part.resize(size * width, Value::Int(None));
                (size, part)
            })
        })
    }

    /// Each column as an array.
    pub(crate) fn columns(self) -> Vec<Column> {
        let width = self.width;
        let mut columns: Vec<Column> = self.values.iter().take(width).map(Column::of_type).collect();
        for (place, value) in self.values.into_iter().enumerate() {
            columns[place % width].push(value);
        }
        columns
    }
}

/// The values of one column.
pub(crate) enum Column {
    Ids(Vec<Option<Uuid>>),
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Times(Vec<Option<Time>>),
}

impl Column {
    fn of_type(value: &Value) -> Self {
        match value {
            Value::Id(_) => Self::Ids(Vec::new()),
            Value::Int(_) => Self::Ints(Vec::new()),
            Value::Text(_) | Value::Bytes(_) => Self::Texts(Vec::new()),
            Value::Time(_) => Self::Times(Vec::new()),
        }
    }

    /// [`Rows::of`] is given rows that one closure makes, so no value is of another type than its column.
    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Ids(ids), Value::Id(id)) => ids.push(id),
            (Self::Ints(numbers), Value::Int(number)) => numbers.push(number),
            (Self::Texts(texts), Value::Text(text)) => texts.push(text),
            (Self::Times(times), Value::Time(time)) => times.push(time),
            (_, value) => debug_assert!(false, "{value:?} is not of its column's type"),
        }
    }
}

/// What a statement is given: single values, and rows.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    Values(Vec<Value>),
    Rows(Rows),
}

impl From<Vec<Value>> for Input {
    fn from(values: Vec<Value>) -> Self {
        Self::Values(values)
    }
}

impl From<Rows> for Input {
    fn from(rows: Rows) -> Self {
        Self::Rows(rows)
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

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
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

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_micros().into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(|micros| Self(Timestamp::from_micros(micros)))
    }
}

// By number: a name would be looked up once on each connection (<https://www.postgresql.org/docs/current/catalog-pg-type.html>).
impl Type<Postgres> for Time {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl PgHasArrayType for Time {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185))
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
    fn rows_come_in_parts_of_few_sizes() {
        let rows = Rows::of((0..300_u32).map(|n| [Value::from(n), Value::from(n)]));
        let sizes: Vec<_> = rows.parts(MAX_ROWS).map(|(size, values)| (size, values.len())).collect();
        assert_eq!(sizes, [(256, 512), (64, 128)]);
        let rows = Rows::of((0..3_u32).map(|n| [Value::from(n)]));
        let (size, values) = rows.parts(MAX_ROWS).next().unwrap();
        assert!(size == 4 && matches!(values[..], [.., Value::Int(Some(2)), Value::Int(None)]), "{values:?}");
        assert_eq!(Rows::of(std::iter::empty::<[Value; 2]>()).parts(MAX_ROWS).count(), 0);
    }

    #[test]
    fn a_nul_is_not_kept_and_what_only_looks_like_one_is() {
        assert_eq!(as_json(&["a\0b\0", "\\u0000", "\\\0", "ü\n\""]), r#"["a�b�","\\u0000","\\�","ü\n\""]"#);
        // The arguments of a job: JSON in a string of ours.
        assert_eq!(as_json(r#"{"a":"\u0000"}"#), r#""{\"a\":\"\\u0000\"}""#);
        assert!(matches!(Value::from("a\0"), Value::Text(Some(text)) if text == "a�"));
    }
}
