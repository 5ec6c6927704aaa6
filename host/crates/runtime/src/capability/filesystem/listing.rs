//! Folders that are listed: a part at a time, so that a folder of a million files is never in the daemon's memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use rustix::fs::{Dir, FileType};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

/// How many entries are read at once.
const PART: usize = 128;

/// A folder that is being listed.
#[derive(Debug)]
pub(super) struct Listing {
    /// Absent once its end was reached.
    folder: Option<Dir>,
    part: VecDeque<io::Result<Entry>>,
}

#[derive(Debug)]
struct Entry {
    name: Vec<u8>,
    kind: FileType,
}

impl Listing {
    /// Begins at the first entry. Blocks.
    pub(super) fn open(folder: &File) -> io::Result<Self> {
        Ok(Self { folder: Some(Dir::read_from(folder)?), part: VecDeque::new() })
    }

    /// Whether the next entry must be fetched first.
    pub(super) fn is_empty(&self) -> bool {
        self.part.is_empty() && self.folder.is_some()
    }

    /// Fetches the next part. Blocks.
    pub(super) fn fetch(&mut self) {
        while self.part.len() < PART {
            let Some(entry) = self.folder.as_mut().and_then(Dir::read) else {
                self.folder = None;
                return;
            };
            match entry {
                Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Ok(entry) => {
                    let name = entry.file_name().to_bytes().to_owned();
                    self.part.push_back(Ok(Entry { name, kind: entry.file_type() }));
                }
                Err(error) => {
                    self.part.push_back(Err(error.into()));
                    self.folder = None;
                    return;
                }
            }
        }
    }

    /// The next entry of what was fetched.
    pub(super) fn next(&mut self) -> FsResult<Option<DirectoryEntry>> {
        let Some(entry) = self.part.pop_front() else { return Ok(None) };
        let Entry { name, kind } = entry?;
        let name = String::from_utf8(name).map_err(|_| ErrorCode::IllegalByteSequence)?;
        Ok(Some(DirectoryEntry { type_: kind_of(kind), name }))
    }

    /// What stands in its place while it is away, fetching.
    pub(super) fn nothing() -> Self {
        Self { folder: None, part: VecDeque::new() }
    }
}

fn kind_of(kind: FileType) -> DescriptorType {
    match kind {
        FileType::Directory => DescriptorType::Directory,
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::Unknown => DescriptorType::Unknown,
    }
}
