//! The records of a source, one text at a time, whether they are lines (JSON Lines) or the elements of one array.
//!
//! An array is not parsed here, only split: at the commas that stand outside of strings and of inner brackets. So what is
//! broken within a record is found when that record is read, and can be named by its number.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use windlass_guest::{TaskError, fatal};

use crate::place::Place;
use crate::scan::Scan;
use crate::source::{Source, Stamp, not_read};

/// The longest record that is held: a file without line breaks must not fill the memory.
const RECORD_MAX: usize = 16 * 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(crate) struct Records {
    source: Source,
    form: Form,
    /// The text of the record read last.
    text: Vec<u8>,
    /// How many records have been read.
    number: u64,
    /// How many lines have been read, the empty ones too.
    line: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Lines,
    /// Before the first element, or before a later one.
    Array {
        first: bool,
    },
    /// After the array.
    End,
}

/// One record: its text, and which it is, from 1.
pub(crate) struct Record<'a> {
    pub(crate) text: &'a str,
    pub(crate) number: u64,
    pub(crate) place: Place,
}

impl Records {
    pub(crate) fn open(data: &Path, name: &str) -> Result<Self, TaskError> {
        let source = Source::open(data, name)?;
        let mut records = Self { source, form: Form::Lines, text: Vec::new(), number: 0, line: 0 };
        if records.fill()?.starts_with(BYTE_ORDER_MARK) {
            records.source.input.consume(BYTE_ORDER_MARK.len());
        }
        if records.skip_space()? == Some(b'[') {
            records.source.input.consume(1);
            records.form = Form::Array { first: true };
        }
        Ok(records)
    }

    pub(crate) const fn stamp(&self) -> Stamp {
        self.source.stamp
    }

    /// How many bytes of the file have been read, a count that goes on by itself.
    pub(crate) fn position(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.source.position)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, TaskError> {
        self.text.clear();
        let found = match self.form {
            Form::Lines => self.next_line()?,
            Form::Array { first } => self.next_element(first)?,
            Form::End => false,
        };
        if !found {
            return Ok(None);
        }
        self.number += 1;
        let place = if self.form == Form::Lines { Place::Line(self.line) } else { Place::Record(self.number) };
        match std::str::from_utf8(&self.text) {
            Ok(text) => Ok(Some(Record { text: text.trim_ascii(), number: self.number, place })),
            Err(_) => Err(fatal(format!("source: {place} is broken: it is not UTF-8"))),
        }
    }

    fn next_line(&mut self) -> Result<bool, TaskError> {
        while !self.fill()?.is_empty() {
            let mut at_end = false;
            while !at_end {
                let buffer = self.fill()?;
                let end = buffer.iter().position(|&byte| byte == b'\n');
                let count = end.map_or(buffer.len(), |end| end + 1);
                at_end = end.is_some() || buffer.is_empty();
                self.take(count)?;
            }
            self.line += 1;
            if !self.text.trim_ascii().is_empty() {
                return Ok(true);
            }
            self.text.clear();
        }
        Ok(false)
    }

    fn next_element(&mut self, first: bool) -> Result<bool, TaskError> {
        if first && self.skip_space()? == Some(b']') {
            self.source.input.consume(1);
            return self.end_array();
        }
        let mut scan = Scan::default();
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Err(fatal(format!(
                    "source: the array does not end; it breaks off after record {}",
                    self.number
                )));
            }
            let end = buffer.iter().position(|&byte| scan.ends_before(byte));
            let last = end.map(|end| buffer[end]);
            let count = end.unwrap_or(buffer.len());
            self.take(count)?;
            let Some(last) = last else { continue };
            self.source.input.consume(1);
            self.form = Form::Array { first: false };
            if last == b']' {
                self.end_array()?;
            }
            return Ok(true);
        }
    }

    /// Behind an array there is nothing. `false`: there is no further record.
    fn end_array(&mut self) -> Result<bool, TaskError> {
        self.form = Form::End;
        match self.skip_space()? {
            None => Ok(false),
            Some(_) => Err(fatal("source: there is something behind the end of the array")),
        }
    }

    /// Adds that many bytes of the input to the record.
    fn take(&mut self, count: usize) -> Result<(), TaskError> {
        if self.text.len() + count > RECORD_MAX {
            return Err(fatal(format!("source: record {} is longer than 16 MiB", self.number + 1)));
        }
        // Already in the buffer: this reads nothing.
        let buffer = self.source.input.fill_buf()?;
        self.text.extend_from_slice(&buffer[..count]);
        self.source.input.consume(count);
        Ok(())
    }

    fn fill(&mut self) -> Result<&[u8], TaskError> {
        let number = self.number;
        self.source.input.fill_buf().map_err(|error| not_read(&error, &format!("record {number}")))
    }

    /// The next byte that is not white space; it stays in the input.
    fn skip_space(&mut self) -> Result<Option<u8>, TaskError> {
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let (count, found) = match buffer.iter().position(|byte| !byte.is_ascii_whitespace()) {
                Some(start) => (start, Some(buffer[start])),
                None => (buffer.len(), None),
            };
            let lines = buffer[..count].iter().filter(|&&byte| byte == b'\n').count();
            self.line += lines as u64;
            self.source.input.consume(count);
            if found.is_some() {
                return Ok(found);
            }
        }
    }
}
