//! One round: a fresh database, a fleet, a load, a fault, and the verdict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fastrand::Rng;
use serde_json::Value;

use crate::database::{Database, Kind};
use crate::fleet::{Fleet, Recipe};
use crate::ledger::Ledger;
use crate::load::{ALL_TAKEN, Load};
use crate::scenarios::Scenario;
use crate::verdict::{Facts, judge};

/// Within this time a scenario has done what it does.
const ALL_FAULTS: Duration = Duration::from_secs(300);

/// How much a round does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// For every change.
    Small,
    /// For a long run.
    Large,
}

impl Size {
    /// Within this time after the last fault every job must be final: several times what one daemon built for debugging takes for what
    /// is left then.
    fn all_final(self) -> Duration {
        Duration::from_secs(if self == Self::Small { 60 } else { 120 })
    }
}

/// What a round is to be.
pub(crate) struct Round {
    pub(crate) kind: Kind,
    pub(crate) scenario: Scenario,
    pub(crate) size: Size,
    pub(crate) seed: u64,
    pub(crate) daemon: PathBuf,
    pub(crate) guest: PathBuf,
    pub(crate) evidence: PathBuf,
}

/// What a scenario has in its hands.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) size: Size,
    pub(crate) fleet: Fleet,
    pub(crate) database: Database,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) rng: Rng,
    /// What is worth saying about the round.
    pub(crate) notes: Vec<String>,
    /// Promises that the scenario itself saw broken.
    pub(crate) broken: Vec<String>,
}

/// What came out of a round.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) jobs: usize,
    pub(crate) kills: u32,
    pub(crate) starts: u32,
    pub(crate) second_starts: usize,
    pub(crate) explained: BTreeMap<String, usize>,
    pub(crate) took: Duration,
    /// From the last fault and the last enqueue to the last final state.
    pub(crate) to_end: Duration,
    pub(crate) notes: Vec<String>,
    pub(crate) broken: Vec<String>,
    pub(crate) skipped: Option<String>,
}

impl Round {
    /// Runs it. An error means that the harness could not do its work; a broken promise stands in the report.
    pub(crate) async fn run(&self) -> Result<Report> {
        let start = Instant::now();
        let folder = tempfile::Builder::new().prefix("windlass-faults-").tempdir()?;
        let place = match self.scenario.prepare(folder.path()) {
            Ok(place) => place,
            Err(why) => return Ok(Report { skipped: Some(format!("{why:#}")), ..Report::default() }),
        };
        let mut rng = Rng::with_seed(self.seed ^ u64::from(self.scenario as u32).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let database = Database::create(self.kind, place.folder())?;
        let ledger = Arc::new(Ledger::new(&folder.path().join("ledger"))?);
        let daemons = if self.kind == Kind::Postgres { 3 } else { 1 };
        let fleet = Fleet::start(self.recipe(&database, &ledger), folder.path(), daemons)?;
        let mix = self.scenario.mix(self.size);
        let load = Load::start(mix, &fleet.addresses(), &ledger, &mut rng);
        let (kind, size) = (self.kind, self.size);
        let mut world = World { kind, size, fleet, database, ledger, rng, notes: Vec::new(), broken: Vec::new() };
        match tokio::time::timeout(ALL_FAULTS, self.scenario.hurt(&mut world, place.folder())).await {
            Ok(hurt) => hurt?,
            Err(_) => world.broken.push(format!("the daemons did not do enough work within {ALL_FAULTS:?}")),
        }
        world.fleet.look_after()?;
        world.fleet.start_all()?;
        if !load.end().await? {
            world.broken.push(format!("enqueues were not taken within {ALL_TAKEN:?} after the last fault"));
        }
        let mut report = world.judge().await?;
        if self.scenario.spares_workers()
            && let Some(lost) = report.explained.get("worker_lost")
        {
            report.broken.push(format!("{lost} jobs were taken from workers that lived"));
        }
        report.took = start.elapsed();
        drop(world);
        if !report.broken.is_empty() {
            let kept = self.evidence.join(format!("{}-{}-{}", self.scenario, self.kind, self.seed));
            let _ = std::fs::remove_dir_all(&kept);
            keep(folder.path(), &kept).context("cannot keep the evidence")?;
            report.notes.push(format!("evidence in {}", kept.display()));
        }
        Ok(report)
    }

    fn recipe(&self, database: &Database, ledger: &Ledger) -> Recipe {
        let ttl_ms = self.scenario.ttl_ms().to_string();
        let flags = ["--slots", "8", "--heartbeat-interval-ms", "200", "--worker-ttl-ms", &ttl_ms];
        let flags = flags.iter().chain(self.scenario.flags()).map(|flag| (*flag).to_owned()).collect();
        let environment = self.scenario.environment().iter();
        Recipe {
            binary: self.daemon.clone(),
            guest: self.guest.clone(),
            ledger: ledger.folder().to_owned(),
            cache: self.evidence.with_file_name("cache"),
            database_url: database.url(),
            flags,
            environment: environment.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }
}

impl World {
    /// Waits until all is over, gathers the facts, stops the daemons and judges.
    async fn judge(&mut self) -> Result<Report> {
        let start = Instant::now();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        while start.elapsed() < self.size.all_final() && !self.is_all_final(&http).await {
            self.fleet.look_after()?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let to_end = start.elapsed();
        let states = self.states(&http).await?;
        let records = self.database.records().await?;
        self.fleet.stop()?;
        let acknowledged = self.ledger.acknowledged();
        let facts = Facts {
            acknowledged: acknowledged.iter().map(|(id, _)| bare(id)).collect(),
            starts: self.ledger.starts()?.into_iter().map(|(id, starts)| (bare(&id), starts)).collect(),
            states,
            records,
        };
        let verdict = judge(&facts);
        let mut broken = std::mem::take(&mut self.broken);
        broken.extend(verdict.broken);
        broken.append(&mut self.fleet.surprises);
        // An outage is no reason to give up what a job came to.
        broken.extend(self.fleet.log_lines("The database refused to write down").into_iter().take(3));
        broken.extend(self.fleet.log_lines("panicked at").into_iter().map(|line| format!("a panic: {line}")));
        let mut notes = std::mem::take(&mut self.notes);
        let refused: Vec<_> = self.ledger.answers().into_iter().filter(|(answer, _)| answer != "202").collect();
        notes.extend(refused.into_iter().map(|(answer, count)| format!("answer {answer}: {count}")));
        notes.extend(
            verdict.ended.into_iter().filter(|(state, _)| state != "completed").map(|(s, n)| format!("{s} {n}")),
        );
        Ok(Report {
            jobs: acknowledged.len(),
            kills: self.fleet.kills,
            starts: self.fleet.starts,
            second_starts: verdict.second_starts,
            explained: verdict.explained,
            to_end,
            notes,
            broken,
            ..Report::default()
        })
    }

    /// Whether the API lists no job that is not final. A daemon that does not answer has not said so.
    async fn is_all_final(&self, http: &reqwest::Client) -> bool {
        const OPEN: &str = "state=scheduled&state=available&state=running&state=retryable&limit=1";
        let page = page(http, &self.fleet, OPEN).await;
        page.is_ok_and(|page| page["jobs"].as_array().is_some_and(Vec::is_empty))
    }

    async fn states(&self, http: &reqwest::Client) -> Result<BTreeMap<String, String>> {
        let mut states = BTreeMap::new();
        let mut query = "limit=500".to_owned();
        loop {
            let page = page(http, &self.fleet, &query).await?;
            for job in page["jobs"].as_array().context("the API lists no jobs")? {
                let of = |field: &str| job[field].as_str().unwrap_or_default().to_owned();
                states.insert(bare(&of("id")), of("state"));
            }
            match page["next"].as_str() {
                Some(next) => query = format!("limit=500&cursor={next}"),
                None => return Ok(states),
            }
        }
    }
}

async fn page(http: &reqwest::Client, fleet: &Fleet, query: &str) -> Result<Value> {
    let url = format!("{}/api/v1/jobs?{query}", fleet.address()?);
    Ok(http.get(url).send().await?.error_for_status()?.json().await?)
}

fn bare(id: &str) -> String {
    id.replace('-', "")
}

/// Copies what a round left behind, without plugins and caches.
fn keep(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_wanted = !["plugins", "cache", "ledger", "work"].iter().any(|left_out| name == *left_out);
        match entry.file_type()? {
            kind if kind.is_dir() && is_wanted => keep(&entry.path(), &to.join(name))?,
            kind if kind.is_file() => std::fs::copy(entry.path(), to.join(name)).map(drop)?,
            _ => (),
        }
    }
    Ok(())
}
