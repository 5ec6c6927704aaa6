//! What the jobs run.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};
use windlass_model::TaskName;

use crate::BenchError;

/// The component that is measured with when none is named.
const DEFAULT: &str = "noop.wasm";

/// What it is given: an order of about 200 bytes.
const DEFAULT_ARGS: &str = r#"{"customer":"Grace Hopper, Arlington","lines":[{"article":"relay","pieces":17,"cents":1240},{"article":"moth trap","pieces":1,"cents":89900}],"note":"Please leave the parcel with the neighbour."}"#;

/// The component, and what its jobs are given.
pub(crate) struct Handler {
    pub(crate) task: TaskName,
    pub(crate) args: String,
    component: Vec<u8>,
    grants: Option<Vec<u8>>,
}

/// What is told about it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HandlerFacts {
    name: String,
    bytes: usize,
    digest: String,
    args_bytes: usize,
}

impl Handler {
    /// Reads the component and its grants file.
    pub(crate) fn read(plugin: Option<&Path>, args: Option<&str>) -> Result<Self, BenchError> {
        let file = match plugin {
            Some(file) => file.to_owned(),
            None => find()?,
        };
        let component = std::fs::read(&file).map_err(BenchError::io(format!("read {}", file.display())))?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let task = TaskName::parse(&stem).map_err(|error| BenchError::Flag {
            flag: "--plugin",
            fault: format!("the file's name, {stem:?}, is the task's: {error}"),
        })?;
        let grants = std::fs::read(file.with_extension("toml")).ok();
        Ok(Self { task, args: args.unwrap_or(DEFAULT_ARGS).to_owned(), component, grants })
    }

    /// Puts it into a plugins directory, and beside it so many others: the same with another number behind its end, so that each is a
    /// component of its own.
    pub(crate) fn place(&self, folder: &Path, others: u16) -> Result<(), BenchError> {
        let write = |name: String, bytes: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).map_err(BenchError::io(format!("write {}", path.display())))
        };
        std::fs::create_dir_all(folder).map_err(BenchError::io(format!("make {}", folder.display())))?;
        if let Some(grants) = &self.grants {
            write(format!("{}.toml", self.task), grants)?;
        }
        for number in 1..=others {
            let mut bytes = self.component.clone();
            // A section without a meaning: its kind, the length of what follows, the length of its name, and the number.
            bytes.extend([0, 3, 0]);
            bytes.extend(number.to_le_bytes());
            write(format!("other-{number}.wasm"), &bytes)?;
            if let Some(grants) = &self.grants {
                write(format!("other-{number}.toml"), grants)?;
            }
        }
        write(format!("{}.wasm", self.task), &self.component)
    }

    pub(crate) fn facts(&self) -> HandlerFacts {
        let digest = Sha256::digest(&self.component);
        HandlerFacts {
            name: self.task.to_string(),
            bytes: self.component.len(),
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            args_bytes: self.args.len(),
        }
    }
}

/// Beside the program, as in a release; or beside its folder, as in the folder of what cargo builds.
fn find() -> Result<PathBuf, BenchError> {
    let program = std::env::current_exe().map_err(BenchError::io("find this program's file"))?;
    let searched: Vec<_> = program.ancestors().skip(1).take(2).map(|folder| folder.join("plugins")).collect();
    let found = searched.iter().map(|folder| folder.join(DEFAULT)).find(|file| file.is_file());
    found.ok_or(BenchError::NoPlugin { searched })
}
