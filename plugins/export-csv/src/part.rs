//! The CSV file while it is made: in scratch space, where a later attempt finds it, and moved to its place when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use csv::{Terminator, Writer, WriterBuilder};
use windlass_guest::TaskError;

/// Each write is a call out of the sandbox.
const BUFFER: usize = 256 * 1024;

pub(crate) struct Part {
    path: PathBuf,
    csv: Writer<File>,
}

impl Part {
    /// Begins a file, with its header.
    pub(crate) fn start(path: &Path, header: &[String]) -> Result<Self, TaskError> {
        let mut part = Self::over(path, File::create(path)?);
        // No columns at all: no header either, because a line of nothing would be read as one column without a name.
        if !header.is_empty() {
            part.write(header)?;
        }
        Ok(part)
    }

    /// Goes on with a file after so many bytes, and drops what is behind them.
    pub(crate) fn resume(path: &Path, bytes: u64) -> Result<Self, TaskError> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self::over(path, file))
    }

    pub(crate) fn write(&mut self, fields: impl IntoIterator<Item = impl AsRef<str>>) -> Result<(), TaskError> {
        for field in fields {
            self.csv.write_field(field.as_ref())?;
        }
        // Ends the row.
        Ok(self.csv.write_record(None::<&[u8]>)?)
    }

    /// Makes what was written so far durable. How many bytes that are.
    pub(crate) fn sync(&mut self) -> Result<u64, TaskError> {
        self.csv.flush()?;
        self.csv.get_ref().sync_data()?;
        Ok(self.csv.get_ref().metadata()?.len())
    }

    /// Moves the whole file to its place. How many bytes it has.
    pub(crate) fn finish(mut self, to: &Path) -> Result<u64, TaskError> {
        let bytes = self.sync()?;
        drop(self.csv);
        if fs::rename(&self.path, to).is_err() {
            // Another file system, perhaps; if it is something else, copying tells it.
            if let Err(error) = fs::copy(&self.path, to) {
                _ = fs::remove_file(to);
                return Err(error.into());
            }
            _ = fs::remove_file(&self.path);
        }
        Ok(bytes)
    }

    fn over(path: &Path, file: File) -> Self {
        let csv = WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(BUFFER).from_writer(file);
        Self { path: path.to_owned(), csv }
    }
}
