//! Files as streams: what is written is held against the quota, and both directions are counted.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{DynInputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::quota::Quota;
use crate::meter::Usage;

/// How much a guest may hand over in one write. As wasmtime does it for its own streams.
const WRITE_PERMIT: usize = 64 * 1_024;

/// A file that a guest may write to.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) file: Arc<File>,
    /// None: nothing bounds it but the disk.
    pub(super) quota: Option<Arc<Quota>>,
    pub(super) usage: Arc<Usage>,
}

/// Where a write goes.
#[derive(Clone, Copy)]
pub(super) enum Place {
    At(u64),
    End,
}

impl Target {
    /// Writes what fits into one call of the system, and says how much that was. Blocks.
    pub(super) fn write(&self, bytes: &[u8], place: Place) -> io::Result<usize> {
        let size = self.file.metadata()?.len();
        let end = match place {
            Place::At(position) => position.saturating_add(bytes.len() as u64),
            Place::End => size.saturating_add(bytes.len() as u64),
        };
        let written = self.grow(end.saturating_sub(size), || match place {
            Place::At(position) => self.file.write_at(bytes, position),
            Place::End => append(&self.file, bytes, size),
        })?;
        self.usage.written(written as u64);
        Ok(written)
    }

    /// Sets the file's size. Blocks.
    pub(super) fn set_size(&self, to: u64) -> io::Result<()> {
        let size = self.file.metadata()?.len();
        self.grow(to.saturating_sub(size), || self.file.set_len(to))?;
        if to < size
            && let Some(quota) = &self.quota
        {
            quota.shrank();
        }
        Ok(())
    }

    fn grow<T>(&self, bytes: u64, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.quota {
            Some(quota) => quota.grow(bytes, &self.usage, act),
            None => act(),
        }
    }

    fn write_all(&self, bytes: &[u8], place: Place) -> io::Result<u64> {
        let mut done = 0;
        while done < bytes.len() {
            let place = match place {
                Place::At(position) => Place::At(position + done as u64),
                Place::End => Place::End,
            };
            done += self.write(&bytes[done..], place)?;
        }
        Ok(done as u64)
    }
}

/// Writes at the end, wherever it is by then: others may be appending to the same file.
#[cfg(target_os = "linux")]
fn append(file: &File, bytes: &[u8], _size: u64) -> io::Result<usize> {
    use rustix::io::{ReadWriteFlags, pwritev2};
    Ok(pwritev2(file, &[io::IoSlice::new(bytes)], 0, ReadWriteFlags::APPEND)?)
}

/// Elsewhere there is no such call: what two append at the same moment may overlap.
#[cfg(not(target_os = "linux"))]
fn append(file: &File, bytes: &[u8], size: u64) -> io::Result<usize> {
    file.write_at(bytes, size)
}

/// A file that is written as a stream.
pub(super) struct FileOutput {
    target: Target,
    place: Place,
    state: State,
}

enum State {
    Ready,
    Writing(JoinHandle<io::Result<u64>>),
    Failed(io::Error),
    Closed,
}

impl FileOutput {
    pub(super) fn new(target: Target, place: Place) -> Self {
        Self { target, place, state: State::Ready }
    }

    fn start(&self, bytes: Bytes) -> JoinHandle<io::Result<u64>> {
        let (target, place) = (self.target.clone(), self.place);
        tokio::task::spawn_blocking(move || target.write_all(&bytes, place))
    }

    /// Says whether it can be written to, and tells a failure once.
    fn check(&mut self) -> StreamResult<bool> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Ready => {
                self.state = State::Ready;
                Ok(true)
            }
            State::Writing(write) => {
                self.state = State::Writing(write);
                Ok(false)
            }
            State::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            State::Closed => Err(StreamError::Closed),
        }
    }
}

#[async_trait]
impl Pollable for FileOutput {
    async fn ready(&mut self) {
        let State::Writing(write) = &mut self.state else { return };
        self.state = match write.await {
            Ok(Ok(written)) => {
                if let Place::At(position) = &mut self.place {
                    *position += written;
                }
                State::Ready
            }
            Ok(Err(error)) => State::Failed(error),
            Err(panic) => State::Failed(io::Error::other(panic)),
        };
    }
}

#[async_trait]
impl OutputStream for FileOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !self.check()? {
            return Err(StreamError::trap("a write that `check-write` did not permit"));
        }
        self.state = State::Writing(self.start(bytes));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(if self.check()? { WRITE_PERMIT } else { 0 })
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.ready().await;
        self.check()?;
        self.state = State::Writing(self.start(bytes));
        self.ready().await;
        self.check().map(drop)
    }

    async fn cancel(&mut self) {
        // It cannot be stopped in the middle, and is over soon: one write of a file.
        self.ready().await;
        self.state = State::Closed;
    }
}

/// A file that is read as a stream.
pub(super) struct FileInput {
    pub(super) inner: DynInputStream,
    pub(super) usage: Arc<Usage>,
}

impl FileInput {
    fn counted(&self, read: StreamResult<Bytes>) -> StreamResult<Bytes> {
        if let Ok(bytes) = &read {
            self.usage.read(bytes.len() as u64);
        }
        read
    }
}

#[async_trait]
impl Pollable for FileInput {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait]
impl InputStream for FileInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.inner.read(size);
        self.counted(read)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.inner.blocking_read(size).await;
        self.counted(read)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
