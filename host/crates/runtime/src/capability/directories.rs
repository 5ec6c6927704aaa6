//! Directories. Denied by default: a guest sees `/out` and `/tmp`, which belong to its job alone, and those directories
//! that its grants file names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use toml::Value;
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::capability::entries::{Entry, entries};
use crate::capability::filesystem::{Quota, Quotas, Root};
use crate::grants::GrantFault;
use crate::limits::Limits;
use crate::meter::Refusal;
use crate::port::HostError;
use crate::scratch::Scratch;
use crate::text;

/// The directories that belong to the job: a grant cannot stand in their place or below them.
const RESERVED: [&str; 2] = ["/out", "/tmp"];

/// The smallest quota that makes sense: sixteen empty files.
const BYTES_MIN: u64 = 64 * 1_024;

/// One `[[directory]]` of a grants file.
#[derive(Clone, Serialize)]
pub(crate) struct DirectoryGrant {
    /// Where it is on the host, absolute.
    host: PathBuf,
    /// Where the guest sees it.
    guest: String,
    mode: Mode,
    /// How much may be in it, each file and folder with 4 KiB more than its content; only where it can be written to. Absent:
    /// the disk is the bound.
    bytes: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Read,
    /// Reads too.
    Write,
}

/// Why a guest's directory could not be opened: the host's fault.
#[derive(Debug, thiserror::Error)]
#[error("the directory `{}`, which the guest sees as `{guest}`, could not be opened", host.display())]
pub(crate) struct DirectoryFault {
    host: PathBuf,
    guest: String,
    #[source]
    source: crate::error::Source,
}

impl DirectoryGrant {
    /// Reads all `[[directory]]` entries. Relative host paths stand under `base`.
    pub(crate) fn parse_all(value: &Value, base: &Path, faults: &mut Vec<GrantFault>) -> Vec<Self> {
        let mut granted: Vec<Self> = Vec::new();
        for entry in entries("directory", value, faults) {
            let Some(grant) = Self::parse(&entry, base, faults) else { continue };
            if granted.iter().any(|other| other.guest == grant.guest) {
                entry.fault("guest", &format!("two directories cannot both be `{}`", grant.guest), faults);
            }
            granted.push(grant);
        }
        granted
    }

    fn parse(entry: &Entry<'_>, base: &Path, faults: &mut Vec<GrantFault>) -> Option<Self> {
        entry.only("host, guest, mode, bytes", faults);
        let bytes = entry.value("bytes").map(|value| value.as_integer().and_then(|bytes| u64::try_from(bytes).ok()));
        if bytes.is_some_and(|bytes| bytes.is_none_or(|bytes| bytes < BYTES_MIN)) {
            entry.fault("bytes", &format!("it is a whole number of bytes, {BYTES_MIN} or more"), faults);
        } else if bytes.is_some() && entry.value("mode").and_then(Value::as_str) == Some("read") {
            entry.fault("bytes", "nothing is written to a directory with the mode \"read\"", faults);
        }
        let host = entry.text("host", |host| filled(host).map(|host| base.join(host)), faults);
        if let Some(host) = host.as_ref().filter(|host| !host.is_dir()) {
            faults.push(GrantFault::NoDirectory { key: entry.key("host"), path: host.clone() });
        }
        let guest = entry.text("guest", |guest| filled(guest).and_then(guest_path), faults);
        let mode = |mode: &str| match mode {
            "read" => Ok(Mode::Read),
            "write" => Ok(Mode::Write),
            _ => Err("it is \"read\" or \"write\"".to_owned()),
        };
        let mode = entry.text("mode", |text| filled(text).and_then(mode), faults);
        Some(Self { host: host?, guest: guest?, mode: mode?, bytes: bytes.flatten() })
    }

    /// What a guest may do there.
    pub(crate) fn root(&self, quotas: &Quotas) -> Root {
        let bytes = self.bytes.filter(|_| self.mode == Mode::Write);
        let quota = bytes.map(|bytes| quotas.of(&self.host, bytes));
        Root { guest: self.guest.clone(), quota, is_own: false }
    }

    /// Whether the guest sees it at this path, however that is written.
    pub(crate) fn is_at(&self, guest: &str) -> bool {
        guest_path(guest).is_ok_and(|path| path == self.guest)
    }

    pub(crate) fn is_writable(&self) -> bool {
        matches!(self.mode, Mode::Write)
    }

    /// Opens the directory for a guest.
    pub(crate) fn grant(&self, wasi: &mut WasiCtxBuilder) -> Result<(), DirectoryFault> {
        let perms = match self.mode {
            Mode::Read => FsPerms::ReadOnly,
            Mode::Write => FsPerms::ReadWrite,
        };
        open(wasi, &self.host, &self.guest, perms)
    }
}

/// The two directories that belong to the job. They are made and opened when the guest first asks for its directories.
pub(crate) struct OwnDirectories {
    scratch: Scratch,
    out: (u64, u64),
    tmp: u64,
    opened: Option<WasiFilesystemCtx>,
}

impl OwnDirectories {
    pub(crate) fn new(scratch: Scratch, limits: &Limits) -> Self {
        let out = (limits.artifact_bytes, limits.artifact_files as u64);
        Self { scratch, out, tmp: limits.scratch_bytes, opened: None }
    }

    /// Whether the guest has asked for them.
    pub(crate) fn are_opened(&self) -> bool {
        self.opened.is_some()
    }

    /// Makes and opens them the first time, and says what the guest may do there. Blocks.
    pub(crate) fn open(&mut self) -> Result<Vec<Root>, HostError> {
        if self.opened.is_some() {
            return Ok(Vec::new());
        }
        let places = self.scratch.make().map_err(|error| {
            let (job, why) = (self.scratch.job(), text::chain(&error));
            HostError(format!("the directories of job {job} could not be made: {why}"))
        })?;
        let mut wasi = WasiCtxBuilder::new();
        for (host, guest) in [(&places.out, RESERVED[0]), (&places.tmp, RESERVED[1])] {
            open(&mut wasi, host, guest, FsPerms::ReadWrite).map_err(|fault| HostError(text::chain(&fault)))?;
        }
        self.opened = Some(std::mem::take(wasi.build().filesystem()));
        let out = Quota::of_out(&places.out, self.out.0, self.out.1);
        let tmp = Quota::of_tree(&places.tmp, self.tmp, Refusal::Scratch);
        let own = |guest: &str, quota| Root { guest: guest.to_owned(), quota: Some(Arc::new(quota)), is_own: true };
        Ok(vec![own(RESERVED[0], out), own(RESERVED[1], tmp)])
    }

    /// What wasmtime's own implementation works on, once they are opened.
    pub(crate) fn opened(&mut self) -> Option<&mut WasiFilesystemCtx> {
        self.opened.as_mut()
    }
}

fn open(wasi: &mut WasiCtxBuilder, host: &Path, guest: &str, perms: FsPerms) -> Result<(), DirectoryFault> {
    wasi.preopened_dir(host, guest, perms).map(drop).map_err(|error| DirectoryFault {
        host: host.to_path_buf(),
        guest: guest.to_owned(),
        source: error.into(),
    })
}

fn filled(text: &str) -> Result<&str, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("it must be a string that is not empty".to_owned());
    }
    Ok(text)
}

/// The guest's path in its simplest form, so that `/out/` and `/data//x` cannot slip past a comparison.
fn guest_path(raw: &str) -> Result<String, String> {
    if !raw.starts_with('/') {
        return Err("it must be an absolute path, such as \"/data\"".to_owned());
    }
    let parts: Vec<_> = raw.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return Err("it cannot have `.` or `..` in it".to_owned());
    }
    let path = format!("/{}", parts.join("/"));
    match RESERVED.into_iter().find(|own| path == *own || path.starts_with(&format!("{own}/"))) {
        Some(own) => Err(format!("`{own}` belongs to the job: choose another path")),
        None => Ok(path),
    }
}
