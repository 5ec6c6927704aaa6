//! The file with the records: opened, and unpacked if it is gzip, whatever its name.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use windlass_guest::{TaskError, fatal, retryable};

/// Each read is a call out of the sandbox.
const BUFFER: usize = 256 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// By what a later attempt knows that the source is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// In microseconds since 1970, where the file system tells.
    modified: Option<u64>,
}

pub(crate) struct Source {
    pub(crate) input: Box<dyn BufRead>,
    pub(crate) stamp: Stamp,
    /// How many bytes of the file have been read: of what is packed, if it is.
    pub(crate) position: Rc<Cell<u64>>,
}

impl Source {
    /// Opens `name` in `data`.
    pub(crate) fn open(data: &Path, name: &str) -> Result<Self, TaskError> {
        let file = File::open(data.join(name)).map_err(|error| not_opened(data, name, &error))?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(fatal(format!("source: `{name}` is a directory")));
        }
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let stamp =
            Stamp { size: metadata.len(), modified: modified.and_then(|since| u64::try_from(since.as_micros()).ok()) };
        let position = Rc::new(Cell::new(0));
        let counted = Counted { file, position: Rc::clone(&position) };
        let mut plain = BufReader::with_capacity(BUFFER, counted);
        let input: Box<dyn BufRead> = if plain.fill_buf()?.starts_with(&GZIP) {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        Ok(Self { input, stamp, position })
    }
}

/// What a failed read means. What the unpacking finds wrong stays wrong; an error of the file system may pass.
pub(crate) fn not_read(error: &io::Error, place: &str) -> TaskError {
    match error.kind() {
        ErrorKind::UnexpectedEof => fatal(format!("source: the gzip data ends too early, after {place}")),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => {
            fatal(format!("source: the gzip data is broken after {place}: {error}"))
        }
        _ => retryable(format!("source: reading failed after {place}: {error}")),
    }
}

fn not_opened(data: &Path, name: &str, error: &io::Error) -> TaskError {
    let looked_for = data.join(name);
    let looked_for = looked_for.display();
    match error.kind() {
        ErrorKind::NotFound if data.is_dir() => fatal(format!("source: there is no file {looked_for}")),
        ErrorKind::NotFound => fatal(format!(
            "source: there is no file {looked_for}; no directory is granted as {}, see export-csv.toml",
            data.display()
        )),
        ErrorKind::PermissionDenied => fatal(format!("source: {looked_for} may not be read: {error}")),
        ErrorKind::NotADirectory => fatal(format!("source: there is no file {looked_for}: {error}")),
        _ => retryable(format!("source: {looked_for} cannot be opened: {error}")),
    }
}

/// A file that tells how much of it was read.
struct Counted {
    file: File,
    position: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.position.set(self.position.get() + count as u64);
        Ok(count)
    }
}
