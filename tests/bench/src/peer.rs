//! Who runs beside Windlass.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// One peer with one of its settings on one database.
#[derive(Debug, Serialize)]
pub(crate) struct Peer {
    /// As its registry has it.
    pub(crate) name: &'static str,
    /// Pinned; the files that install it say the same.
    pub(crate) version: &'static str,
    /// How it is installed and started.
    #[serde(skip)]
    pub(crate) program: Program,
    pub(crate) settings: Settings,
    pub(crate) database: Database,
    /// What it leaves in the database of a job that is done.
    pub(crate) keeps: &'static str,
}

/// How a peer is installed and started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// A script for the Node from npm.
    Node(&'static str),
    /// A script for the Python of the virtual environment.
    Python(&'static str),
    /// A program of the workspace in `peers`.
    Crate(&'static str),
    /// A server from its crate, driven by a script for Node.
    Obelisk(&'static str),
}

/// Which of a peer's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Settings {
    /// What its own documents recommend for many small jobs.
    Fast,
    /// What it has without settings.
    Default,
}

/// Where the jobs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Database {
    /// The server that was started for this.
    Postgres,
    /// A file of its own.
    Sqlite,
}

/// All of them, in the order in which they take turns.
pub(crate) const PEERS: &[Peer] = &[
    graphile_worker_node(Settings::Fast),
    graphile_worker_node(Settings::Default),
    pg_boss(Settings::Fast),
    pg_boss(Settings::Default),
    graphile_worker_rust(Settings::Fast),
    graphile_worker_rust(Settings::Default),
    apalis(Settings::Fast),
    apalis(Settings::Default),
    procrastinate(Settings::Fast),
    procrastinate(Settings::Default),
    obelisk(Settings::Fast, Database::Postgres),
    obelisk(Settings::Default, Database::Postgres),
    obelisk(Settings::Fast, Database::Sqlite),
    obelisk(Settings::Default, Database::Sqlite),
];

const fn graphile_worker_node(settings: Settings) -> Peer {
    Peer {
        name: "graphile-worker",
        version: "0.18.0",
        program: Program::Node("graphile-worker.mjs"),
        settings,
        database: Database::Postgres,
        keeps: "nothing",
    }
}

const fn pg_boss(settings: Settings) -> Peer {
    Peer {
        name: "pg-boss",
        version: "12.35.0",
        program: Program::Node("pg-boss.mjs"),
        settings,
        database: Database::Postgres,
        keeps: match settings {
            Settings::Fast => "the job",
            Settings::Default => "the job, its output",
        },
    }
}

const fn graphile_worker_rust(settings: Settings) -> Peer {
    Peer {
        name: "graphile_worker",
        version: "0.14.1",
        program: Program::Crate("peer-graphile-worker"),
        settings,
        database: Database::Postgres,
        keeps: "nothing",
    }
}

const fn apalis(settings: Settings) -> Peer {
    Peer {
        name: "apalis",
        version: "1.0.0",
        program: Program::Crate("peer-apalis"),
        settings,
        database: Database::Postgres,
        keeps: "the job, its output",
    }
}

const fn procrastinate(settings: Settings) -> Peer {
    Peer {
        name: "procrastinate",
        version: "3.10.0",
        program: Program::Python("procrastinate_noop.py"),
        settings,
        database: Database::Postgres,
        keeps: "the job, its events",
    }
}

const fn obelisk(settings: Settings, database: Database) -> Peer {
    Peer {
        name: "obelisk",
        version: "0.38.3",
        program: Program::Obelisk("obelisk.mjs"),
        settings,
        database,
        keeps: "the job, its output, its events",
    }
}

impl Settings {
    /// As the scripts take it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Default => "default",
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}, {}", self.name, self.database, self.settings.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What installs it says the version that is told.
    #[test]
    fn every_version_is_the_one_that_is_installed() {
        let npm: serde_json::Value = serde_json::from_str(include_str!("../peers/package.json")).unwrap();
        let python = include_str!("../peers/requirements.txt");
        let crates =
            [include_str!("../peers/apalis/Cargo.toml"), include_str!("../peers/graphile-worker-rs/Cargo.toml")];
        for peer in PEERS {
            let is_pinned = match peer.program {
                Program::Node(_) => npm["dependencies"][peer.name] == peer.version,
                Program::Python(_) => python.lines().any(|line| line == format!("{}=={}", peer.name, peer.version)),
                Program::Crate(_) => {
                    let line = format!("{} = \"={}\"", peer.name, peer.version);
                    crates.iter().any(|manifest| manifest.lines().any(|found| found == line))
                }
                // It is installed by the version that stands here.
                Program::Obelisk(_) => true,
            };
            assert!(is_pinned, "{peer}: {}", peer.version);
        }
    }

    #[test]
    fn every_script_is_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        for peer in PEERS {
            match peer.program {
                Program::Node(script) | Program::Python(script) | Program::Obelisk(script) => {
                    assert!(folder.join(script).is_file(), "{script}");
                }
                Program::Crate(_) => {}
            }
        }
    }

    /// A program that is not installed is told, and its scripts are looked at by the run that installs it.
    #[test]
    fn every_script_parses() {
        const PYTHON: &str = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
        let peers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let checks: [(&str, &[&str], &[&str]); 3] = [
            ("node", &["--check"], &["graphile-worker.mjs", "obelisk.mjs", "pg-boss.mjs", "stage.mjs"]),
            ("python3", &["-c", PYTHON], &["procrastinate_noop.py"]),
            (
                "rustfmt",
                &["--edition", "2024", "--check"],
                &[
                    "apalis/src/main.rs",
                    "graphile-worker-rs/src/main.rs",
                    "obelisk-noop/src/lib.rs",
                    "stage/src/lib.rs",
                ],
            ),
        ];
        for (program, args, files) in checks {
            for file in files {
                let checked = std::process::Command::new(program).args(args).arg(peers.join(file)).output();
                let Ok(checked) = checked else {
                    eprintln!("skipped: {file}, because there is no `{program}`");
                    continue;
                };
                let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
                assert!(checked.status.success(), "{file}: {said}");
            }
        }
    }
}
