//! Rows that both databases can hand out.

use rusqlite::types::FromSql;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

/// A row of either database. PostgreSQL's columns are found by name, SQLite's by place: they stand in the order of the fields.
pub(crate) trait Record: for<'r> FromRow<'r, PgRow> + Send + Unpin + Sized + 'static {
    fn read(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Self>;
}

/// A row of SQLite, from its first cell to its last.
pub(crate) struct Cells<'r, 's> {
    row: &'r rusqlite::Row<'s>,
    next: usize,
}

impl<'r, 's> Cells<'r, 's> {
    pub(crate) fn of(row: &'r rusqlite::Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// The same, for a field. Every statement runs in the tests, so that one with another order is noticed there.
    pub(crate) fn named<T: FromSql>(&mut self, field: &str) -> rusqlite::Result<T> {
        debug_assert_eq!(
            self.row.as_ref().column_name(self.next),
            Ok(field),
            "columns stand in the order of the fields"
        );
        self.next()
    }
}

/// A struct that is a row.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$note:meta])* $field:ident: $type:ty),* $(,)? }) => {
        #[derive(sqlx::FromRow)]
        $(#[$meta])*
        $vis struct $name { $($(#[$note])* $field: $type),* }

        impl $crate::record::Record for $name {
            fn read(cells: &mut $crate::record::Cells<'_, '_>) -> rusqlite::Result<Self> {
                Ok(Self { $($field: cells.named(stringify!($field))?),* })
            }
        }
    };
}
pub(crate) use record;

macro_rules! tuples {
    ($($($type:ident)*;)*) => {
        $(
            impl<$($type),*> Record for ($($type,)*)
            where
                $($type: FromSql + Send + Unpin + 'static,)*
                Self: for<'r> FromRow<'r, PgRow>,
            {
                fn read(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Self> {
                    Ok(($(cells.next::<$type>()?,)*))
                }
            }
        )*
    };
}

tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; }
