//! The cache of compiled code: files of our own in a private directory.
//!
//! An entry is named after the component and after what the engine that compiled it has in common with the one that runs it.
//! Its first bytes are a seal, the SHA-256 of its name and its content: an entry that was damaged, cut short or taken from
//! elsewhere does not fit its seal, is removed and made anew. The seal tells accidents, not attacks: whoever may write the
//! directory could make a good one. So the directory must be ours, and nobody else may write it.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tracing::warn;
use wasmtime::Engine;

use crate::capability::artifacts::hex;
use crate::code::OwnCode;
use crate::error::RuntimeError;

/// How long the seal is that an entry begins with.
const SEAL: usize = 32;

/// A half-written file that is older was left by a daemon that died.
const HALF_WRITTEN: Duration = Duration::from_secs(3_600);

/// Why a directory cannot hold compiled code.
#[derive(Debug, thiserror::Error)]
pub enum CacheFault {
    /// It could not be made or looked at.
    #[error("the directory cannot be used")]
    Directory(#[source] io::Error),
    /// It belongs to another user.
    #[error(
        "the directory belongs to another user (id {owner}): give it to the user that runs Windlass, or name another with `cache_dir`"
    )]
    Owner {
        /// Whose it is.
        owner: u32,
    },
    /// Others may write it.
    #[error(
        "others may write the directory (mode {mode:o}), and compiled code runs with all rights of the daemon: `chmod 700` it"
    )]
    Writable {
        /// Its permissions.
        mode: u32,
    },
}

/// Compiled components, by the digest of the component.
pub(crate) struct CodeCache {
    directory: PathBuf,
    /// What an engine must have in common with the one that compiled.
    compatibility: String,
    max_bytes: u64,
}

impl CodeCache {
    /// Opens the directory, and makes it if it is not there. Refuses one that others may write.
    pub(crate) fn open(directory: &Path, engine: &Engine, max_bytes: u64) -> Result<Self, RuntimeError> {
        let open = || -> Result<PathBuf, CacheFault> {
            let directory = std::path::absolute(directory).map_err(CacheFault::Directory)?;
            make_private(&directory)?;
            Ok(directory)
        };
        let directory = open().map_err(|source| RuntimeError::Cache { path: directory.to_path_buf(), source })?;
        Ok(Self { directory, compatibility: compatibility(engine), max_bytes })
    }

    /// The code of a component, if there is a good entry. A bad one is removed, which is told in the log.
    pub(crate) fn load(&self, digest: &str) -> Option<OwnCode> {
        let (name, path) = self.entry(digest);
        let mut sealed = match fs::read(&path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!("The compiled code `{}` cannot be read, it is made anew: {error}", path.display());
                return None;
            }
        };
        let is_good = sealed.split_at_checked(SEAL).is_some_and(|(found, code)| found == seal(&name, code));
        if !is_good {
            warn!("The compiled code `{}` is damaged or not ours, it is made anew", path.display());
            self.remove(&path);
            return None;
        }
        touch(&path);
        sealed.drain(..SEAL);
        Some(OwnCode::from_cache(sealed))
    }

    /// Keeps the code of a component. If that fails it is told in the log, and the next start compiles again.
    pub(crate) fn store(&self, digest: &str, code: &OwnCode) {
        let (name, path) = self.entry(digest);
        match self.write(&name, &path, code.bytes()) {
            Ok(()) => self.trim(&path),
            Err(error) => warn!("The compiled code `{}` cannot be kept: {error}", path.display()),
        }
    }

    /// Removes an entry that the engine does not take.
    pub(crate) fn discard(&self, digest: &str) {
        let (_, path) = self.entry(digest);
        self.remove(&path);
    }

    fn entry(&self, digest: &str) -> (String, PathBuf) {
        let name = format!("{digest}-{}.cwasm", self.compatibility);
        let path = self.directory.join(&name);
        (name, path)
    }

    /// Under another name first: whoever reads sees a whole file or none, also after a power cut.
    fn write(&self, name: &str, path: &Path, code: &[u8]) -> io::Result<()> {
        let half = self.directory.join(format!(".{name}.{}", std::process::id()));
        let written = (|| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&half)?;
            file.write_all(&seal(name, code))?;
            file.write_all(code)?;
            file.sync_all()?;
            fs::rename(&half, path)?;
            File::open(&self.directory)?.sync_all()
        })();
        if written.is_err() {
            let _ = fs::remove_file(&half);
        }
        written
    }

    /// Removes the entries that were used longest ago until what is left fits; never the one that was just written.
    fn trim(&self, newest: &Path) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let files = entries.filter_map(Result::ok).filter_map(|entry| {
            let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((found.modified().ok()?, found.len(), entry.path()))
        });
        let mut files: Vec<(SystemTime, u64, PathBuf)> = files.collect();
        files.sort();
        let written = files.iter().find(|(_, _, path)| path == newest).map(|(time, ..)| *time);
        let is_code = |path: &Path| path.extension().is_some_and(|extension| extension == "cwasm");
        let mut total: u64 = files.iter().filter(|(_, _, path)| is_code(path)).map(|(_, bytes, _)| bytes).sum();
        for (time, bytes, path) in files {
            if is_code(&path) {
                if total > self.max_bytes && path != newest {
                    self.remove(&path);
                    total -= bytes;
                }
            } else if written
                .and_then(|written| written.duration_since(time).ok())
                .is_some_and(|age| age > HALF_WRITTEN)
                && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
            {
                self.remove(&path);
            }
        }
    }

    fn remove(&self, path: &Path) {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => warn!("The compiled code `{}` cannot be removed: {error}", path.display()),
        }
    }
}

fn seal(name: &str, code: &[u8]) -> [u8; SEAL] {
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_le_bytes());
    hash.update(name);
    hash.update(code);
    hash.finalize().into()
}

/// That it was used. The order in which entries go depends on it, nothing else.
fn touch(path: &Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let _ = utimensat(CWD, path, &Timestamps { last_access: now, last_modification: now }, AtFlags::empty());
}

/// What an engine must have in common with the one that compiled: wasmtime's version, the processor, all that shapes the code.
fn compatibility(engine: &Engine) -> String {
    /// A hash that is the same in every build, which the standard library does not promise of its own.
    struct Stable(Sha256);
    impl Hasher for Stable {
        fn finish(&self) -> u64 {
            0
        }

        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut hasher = Stable(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex(&hasher.0.finalize()[..8])
}

#[cfg(unix)]
fn make_private(directory: &Path) -> Result<(), CacheFault> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
    /// For the owner alone.
    const PRIVATE: u32 = 0o700;
    fs::DirBuilder::new().recursive(true).mode(PRIVATE).create(directory).map_err(CacheFault::Directory)?;
    let found = fs::metadata(directory).map_err(CacheFault::Directory)?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(CacheFault::Owner { owner: found.uid() });
    }
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(CacheFault::Writable { mode });
    }
    if mode != PRIVATE {
        fs::set_permissions(directory, fs::Permissions::from_mode(PRIVATE)).map_err(CacheFault::Directory)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(directory: &Path) -> Result<(), CacheFault> {
    fs::create_dir_all(directory).map_err(CacheFault::Directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn code(bytes: &[u8]) -> OwnCode {
        OwnCode::from_cache(bytes.to_vec())
    }

    fn cache(dir: &Path) -> CodeCache {
        CodeCache::open(&dir.join("cache"), &Engine::default(), 1_000).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn code_comes_back_as_it_was_kept_and_nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        assert!(cache.load("aa").is_none());
        cache.store("aa", &code(b"code"));
        assert_eq!(cache.load("aa").unwrap().bytes(), b"code");
        assert_eq!((mode(&cache.directory), mode(&cache.entry("aa").1)), (0o700, 0o600));
        assert_eq!(fs::read_dir(&cache.directory).unwrap().count(), 1, "nothing half-written stays");
    }

    #[test]
    fn an_entry_that_was_damaged_cut_short_or_taken_from_elsewhere_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        type Spoil = fn(&CodeCache, Vec<u8>) -> Vec<u8>;
        let spoil: [Spoil; 4] = [
            |_, mut sealed| {
                *sealed.last_mut().unwrap() ^= 1;
                sealed
            },
            |_, sealed| sealed[..sealed.len() - 1].to_vec(),
            |_, _| Vec::new(),
            |cache, _| {
                cache.store("bb", &code(b"the code of another component"));
                fs::read(cache.entry("bb").1).unwrap()
            },
        ];
        for spoil in spoil {
            cache.store("aa", &code(b"code"));
            let path = cache.entry("aa").1;
            fs::write(&path, spoil(&cache, fs::read(&path).unwrap())).unwrap();
            assert!(cache.load("aa").is_none());
            assert!(!path.exists());
        }
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let cache = cache(dir.path());
        let day = |n: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(n * 86_400);
        for (digest, used) in [("aa", 1), ("bb", 2), ("cc", 3)] {
            cache.store(digest, &code(&[0; 300]));
            File::options().write(true).open(cache.entry(digest).1).unwrap().set_modified(day(used)).unwrap();
        }
        // It was looked up, so it is not the oldest any more.
        assert!(cache.load("aa").is_some());
        cache.store("dd", &code(&[0; 300]));
        assert!(!cache.entry("bb").1.exists());
        assert!(["aa", "cc", "dd"].iter().all(|digest| cache.entry(digest).1.exists()));
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = |mode: u32| {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
            CodeCache::open(dir.path(), &Engine::default(), 1_000).map(drop)
        };
        for mode in [0o777, 0o770, 0o702] {
            let Err(RuntimeError::Cache { source, .. }) = open(mode) else { panic!("{mode:o} was taken") };
            assert!(matches!(source, CacheFault::Writable { mode: found } if found == mode), "{source}");
        }
        // One that others may only read is closed to them.
        open(0o755).unwrap();
        assert_eq!(mode(dir.path()), 0o700);
    }
}
