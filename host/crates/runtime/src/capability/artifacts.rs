//! Artifacts: what a job leaves in `/out` is published when its attempt ends well. Always granted, private to the job.
//!
//! Denied: links and special files are not followed and not kept. Bounded: how many files, how many bytes, how long a name.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use windlass_model::{Artifact, AttemptError, ErrorKind, JobId};

use crate::error::{ArtifactError, RuntimeError, Source};
use crate::limits::Limits;
use crate::text;

/// How many bytes a part of a name may have. A file name may have 255, and the store adds to it while it writes.
const PART_MAX: usize = 240;

/// How many bytes a whole name may have. S3 allows 1,024 for the key, of which the job's id and lease take a part.
const NAME_MAX: usize = 900;

/// How much of a file is in memory at once.
const CHUNK: usize = 256 * 1_024;

/// Where artifacts are kept.
pub(crate) struct Artifacts(Arc<dyn ObjectStore>);

/// What an attempt left behind.
pub(crate) struct Published {
    pub(crate) artifacts: Vec<Artifact>,
    /// What was not kept, in words.
    pub(crate) skipped: Vec<String>,
}

/// Why it could not be published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishFault {
    /// The guest's doing.
    #[error("{}", .0.message)]
    Guest(AttemptError),
    /// The host's.
    #[error("the artifact `{name}` could not be published")]
    Host {
        name: String,
        #[source]
        source: Source,
    },
}

impl Artifacts {
    pub(crate) fn open(directory: &Path) -> Result<Self, RuntimeError> {
        let store =
            LocalFileSystem::new_with_prefix(directory).map_err(|error| RuntimeError::Artifacts(error.into()))?;
        // A completed job is durable, and so is what it made.
        Ok(Self(Arc::new(store.with_fsync(true).with_automatic_cleanup(true))))
    }

    /// Publishes all files in `out`. If it fails or is dropped on the way, [`Artifacts::withdraw`] clears what was
    /// published so far.
    pub(crate) async fn publish(&self, of: Owner, out: &Path, limits: &Limits) -> Result<Published, PublishFault> {
        let (root, bounds) = (out.to_path_buf(), (limits.artifact_files, limits.artifact_bytes));
        let found = tokio::task::spawn_blocking(move || find(&root, bounds.0, bounds.1));
        let host = |source: Source| PublishFault::Host { name: "/out".to_owned(), source };
        let (files, skipped) = found.await.map_err(|error| host(error.into()))??;
        let mut artifacts = Vec::with_capacity(files.len());
        for name in files {
            let copied = self.copy(of, &out.join(&name), &name).await;
            artifacts.push(copied.map_err(|source| PublishFault::Host { name, source })?);
        }
        Ok(Published { artifacts, skipped })
    }

    async fn copy(&self, of: Owner, file: &Path, name: &str) -> Result<Artifact, Source> {
        let mut from = tokio::fs::File::open(file).await?;
        let mut to = BufWriter::new(Arc::clone(&self.0), of.key(name)?);
        let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0_u64, vec![0; CHUNK]);
        loop {
            let read = from.read(&mut chunk).await?;
            if read == 0 {
                break;
            }
            hash.update(&chunk[..read]);
            to.write_all(&chunk[..read]).await?;
            bytes += read as u64;
        }
        to.shutdown().await?;
        let content_type = mime_guess::from_path(name).first_or_octet_stream().essence_str().to_owned();
        Ok(Artifact { name: name.to_owned(), bytes, content_type, sha256: hex(&hash.finalize()), lease: of.lease })
    }

    /// Removes all that was published under a lease.
    pub(crate) async fn withdraw(&self, of: Owner) -> Result<(), object_store::Error> {
        self.clear(Key::from_iter([of.job.to_string(), of.lease.to_string()])).await
    }

    /// Removes all that was published by a job.
    pub(crate) async fn remove(&self, job: JobId) -> Result<(), object_store::Error> {
        self.clear(Key::from(job.to_string())).await
    }

    /// The jobs that have something here.
    pub(crate) async fn jobs(&self) -> Result<Vec<JobId>, object_store::Error> {
        let folders = self.0.list_with_delimiter(None).await?.common_prefixes;
        // Whatever else lies there is not ours.
        Ok(folders.iter().filter_map(|folder| folder.as_ref().parse().ok()).collect())
    }

    async fn clear(&self, folder: Key) -> Result<(), object_store::Error> {
        let keys: Vec<_> = self.0.list(Some(&folder)).map_ok(|object| object.location).try_collect().await?;
        for key in keys {
            self.0.delete(&key).await?;
        }
        Ok(())
    }

    pub(crate) async fn read(
        &self,
        job: JobId,
        artifact: &Artifact,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, ArtifactError> {
        let of = Owner { job, lease: artifact.lease };
        let key = of.key(&artifact.name).map_err(ArtifactError::Store)?;
        let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
        let found = self.0.get_opts(&key, options).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => ArtifactError::Gone,
            other => ArtifactError::Store(other.into()),
        })?;
        Ok(found.into_stream().map_err(io::Error::other).boxed())
    }
}

/// Whose artifacts: the lease is part of the place, so that an attempt that lost its job cannot touch those of the one
/// that has it.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) job: JobId,
    pub(crate) lease: u64,
}

impl Owner {
    fn key(self, name: &str) -> Result<Key, Source> {
        Ok(Key::parse(format!("{}/{}/{}", self.job, self.lease, escape(name)))?)
    }
}

/// The store keeps names with `#` and digits at their end for itself. `%` too, so that no two names become the same.
fn escape(name: &str) -> String {
    name.replace('%', "%25").replace('#', "%23")
}

/// All files below `out` by their names, sorted, and what is not kept, in words.
fn find(out: &Path, max_files: usize, max_bytes: u64) -> Result<(Vec<String>, Vec<String>), PublishFault> {
    let (mut files, mut skipped, mut seen, mut bytes) = (Vec::new(), Vec::new(), 0, 0_u64);
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let host = |error: io::Error| PublishFault::Host { name: format!("/out/{folder}"), source: error.into() };
        for entry in fs::read_dir(out.join(&folder)).map_err(host)? {
            let entry = entry.map_err(host)?;
            seen += 1;
            if seen > max_files {
                let message = format!(
                    "it left more than {max_files} files in /out: raise `limits.artifact_files` in its grants file"
                );
                return Err(guest(ErrorKind::ArtifactsTooLarge, message));
            }
            let name = name(&folder, PathBuf::from(entry.file_name()))?;
            // The type of the entry itself: a link is not followed.
            let kind = entry.file_type().map_err(host)?;
            if kind.is_dir() {
                folders.push(name);
            } else if kind.is_file() {
                bytes = bytes.saturating_add(entry.metadata().map_err(host)?.len());
                files.push(name);
            } else {
                skipped.push(format!("`/out/{name}` is not a file and was not kept."));
            }
        }
    }
    if bytes > max_bytes {
        let message = format!(
            "it left {} in /out, more than {}: raise `limits.artifact_bytes` in its grants file",
            text::size(bytes),
            text::size(max_bytes)
        );
        return Err(guest(ErrorKind::ArtifactsTooLarge, message));
    }
    files.sort();
    Ok((files, skipped))
}

fn name(folder: &str, file: PathBuf) -> Result<String, PublishFault> {
    let bad = |why: &str| guest(ErrorKind::Fatal, format!("the file {file:?} in /out cannot be an artifact: {why}"));
    let part = file.to_str().ok_or_else(|| bad("its name is not UTF-8"))?;
    if part.chars().any(char::is_control) {
        return Err(bad("its name has control characters"));
    }
    let name = if folder.is_empty() { part.to_owned() } else { format!("{folder}/{part}") };
    if escape(part).len() > PART_MAX || escape(&name).len() > NAME_MAX {
        return Err(bad("its name is too long"));
    }
    Ok(name)
}

fn guest(kind: ErrorKind, message: String) -> PublishFault {
    PublishFault::Guest(AttemptError::new(kind, message))
}

/// A digest in hexadecimal.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_and_not_kept() {
        let out = tempfile::tempdir().unwrap();
        fs::create_dir(out.path().join("sub")).unwrap();
        fs::write(out.path().join("sub/a"), "1").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", out.path().join("stolen")).unwrap();
        std::os::unix::fs::symlink("/etc", out.path().join("folder")).unwrap();
        let (files, mut skipped) = find(out.path(), 10, 10).unwrap();
        skipped.sort();
        assert_eq!(files, ["sub/a"]);
        assert_eq!(
            skipped,
            ["`/out/folder` is not a file and was not kept.", "`/out/stolen` is not a file and was not kept."]
        );
    }

    #[test]
    fn a_name_that_cannot_be_kept_is_the_guests_fault() {
        for file in ["a\nb".to_owned(), "x".repeat(250)] {
            let out = tempfile::tempdir().unwrap();
            fs::write(out.path().join(&file), "1").unwrap();
            let fault = find(out.path(), 10, 10).unwrap_err();
            assert!(matches!(fault, PublishFault::Guest(error) if error.kind == ErrorKind::Fatal), "{file:?}");
        }
    }
}
