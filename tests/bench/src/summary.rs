//! The figures of all turns, their medians, and how they compare with Windlass.

use std::fmt;

use anyhow::Result;
use serde::Serialize;

use crate::conditions::Conditions;
use crate::peer::{Database, Peer};
use crate::run::Outcome;
use crate::windlass::Drained;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    conditions: Conditions,
    peers: Vec<Row>,
    windlass: Vec<Windlass>,
}

/// Windlass on one database, over all its turns.
#[derive(Debug, PartialEq, Serialize)]
struct Windlass {
    database: Database,
    turns: usize,
    jobs_per_second: Option<f64>,
    enqueued_per_second: Option<f64>,
    daemon_us_per_job: Option<f64>,
}

/// One peer.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    peer: &'static Peer,
    #[serde(flatten)]
    medians: Medians,
    pub(crate) turns: Vec<Turn>,
}

/// A run of the peer, and the run of Windlass that came after it.
#[derive(Debug, Serialize)]
pub(crate) struct Turn {
    outcome: Option<Outcome>,
    beside: Option<Drained>,
    /// Why one of the two is missing.
    fault: Option<String>,
}

/// The middle of all turns of a peer; nothing when none has the figure.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Medians {
    jobs_per_second: Option<f64>,
    enqueued_per_second: Option<f64>,
    peer_us_per_job: Option<f64>,
    server_us_per_job: Option<f64>,
    windlass_jobs_per_second: Option<f64>,
    /// How many times as fast as the peer Windlass is: the median of the turns' own ratios, which hold better than a ratio of
    /// medians when the machine's speed drifts.
    windlass_ratio: Option<f64>,
}

impl Summary {
    pub(crate) fn new(conditions: Conditions, mut peers: Vec<Row>) -> Self {
        for row in &mut peers {
            row.medians = Medians::of(&row.turns);
        }
        let windlass =
            [Database::Postgres, Database::Sqlite].iter().filter_map(|on| Windlass::of(*on, &peers)).collect();
        Self { conditions, peers, windlass }
    }

    /// Whether every turn has an outcome.
    pub(crate) fn is_sound(&self) -> bool {
        self.peers.iter().flat_map(|row| &row.turns).all(|turn| turn.fault.is_none())
    }
}

impl Turn {
    /// `beside` is nothing when Windlass was not asked to run.
    pub(crate) fn new(outcome: Result<Outcome>, beside: Result<Option<Drained>>) -> Self {
        let faults = [outcome.as_ref().err(), beside.as_ref().err()];
        let faults: Vec<_> = faults.into_iter().flatten().map(|fault| format!("{fault:#}")).collect();
        let fault = (!faults.is_empty()).then(|| faults.join("; "));
        Self { outcome: outcome.ok(), beside: beside.unwrap_or(None), fault }
    }
}

impl Windlass {
    /// Nothing when it had no turn on that database.
    fn of(database: Database, peers: &[Row]) -> Option<Self> {
        let turns = peers.iter().filter(|row| row.peer.database == database).flat_map(|row| &row.turns);
        let turns: Vec<_> = turns.filter_map(|turn| turn.beside).collect();
        let figure = |figure: fn(&Drained) -> f64| median(turns.iter().map(figure).collect());
        (!turns.is_empty()).then(|| Self {
            database,
            turns: turns.len(),
            jobs_per_second: figure(|turn| turn.jobs_per_second),
            enqueued_per_second: figure(|turn| turn.filled_per_second),
            daemon_us_per_job: figure(|turn| turn.daemon_cpu_us_per_job),
        })
    }
}

impl Row {
    pub(crate) fn new(peer: &'static Peer) -> Self {
        Self { peer, medians: Medians::default(), turns: Vec::new() }
    }
}

impl Medians {
    fn of(turns: &[Turn]) -> Self {
        let outcomes = |figure: fn(&Outcome) -> Option<f64>| {
            median(turns.iter().filter_map(|turn| figure(turn.outcome.as_ref()?)).collect())
        };
        let rate = |turn: &Turn| Some(turn.beside?.jobs_per_second);
        let ratio = |turn: &Turn| Some(rate(turn)? / turn.outcome?.jobs_per_second);
        Self {
            jobs_per_second: outcomes(|outcome| Some(outcome.jobs_per_second)),
            enqueued_per_second: outcomes(|outcome| Some(outcome.enqueued_per_second)),
            peer_us_per_job: outcomes(|outcome| Some(outcome.peer_us_per_job)),
            server_us_per_job: outcomes(|outcome| outcome.server_us_per_job),
            windlass_jobs_per_second: median(turns.iter().filter_map(rate).collect()),
            windlass_ratio: median(turns.iter().filter_map(ratio).collect()),
        }
    }
}

/// The middle value; of an even number of values the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => Some(f64::midpoint(*values.get(middle.checked_sub(1)?)?, *values.get(middle)?)),
        _ => values.get(middle).copied(),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.conditions)?;
        writeln!(
            f,
            "| peer | settings | database | jobs/s | Windlass, jobs/s | ratio | enqueued/s | µs a job: peer, server | keeps |"
        )?;
        writeln!(f, "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |")?;
        self.peers.iter().try_for_each(|row| writeln!(f, "{row}"))?;
        self.windlass.iter().try_for_each(|row| writeln!(f, "{row}"))?;
        for row in &self.peers {
            let told = |turn: &&Turn| turn.fault.is_some() || turn.outcome.is_some_and(|outcome| !outcome.is_complete);
            let turns = row.turns.iter().enumerate().map(|(round, turn)| (round + 1, turn));
            for (round, turn) in turns.filter(|(_, turn)| told(turn)) {
                writeln!(f, "\n{}, round {round}: {turn}.", row.peer)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Some(outcome) => write!(f, "{outcome}")?,
            None => f.write_str("no figure")?,
        }
        if let Some(beside) = &self.beside {
            write!(f, "; windlass: {:.0} jobs/s", beside.jobs_per_second)?;
        }
        self.fault.as_ref().map_or(Ok(()), |fault| write!(f, "; {fault}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (peer, medians) = (self.peer, &self.medians);
        write!(f, "| {} {} | {} | {} ", peer.name, peer.version, peer.settings.word(), peer.database)?;
        write!(f, "| {} | {} ", rate(medians.jobs_per_second), rate(medians.windlass_jobs_per_second))?;
        write!(f, "| {} | {} ", number(medians.windlass_ratio, 2), rate(medians.enqueued_per_second))?;
        write!(f, "| {}, {} ", number(medians.peer_us_per_job, 1), number(medians.server_us_per_job, 1))?;
        write!(f, "| {} |", peer.keeps)
    }
}

impl fmt::Display for Windlass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| Windlass, {} turns | as shipped | {} ", self.turns, self.database)?;
        write!(f, "| {} | | | {} ", rate(self.jobs_per_second), rate(self.enqueued_per_second))?;
        write!(f, "| {}, not read | the job, its output, its history |", number(self.daemon_us_per_job, 1))
    }
}

/// Some peers do less than one job in a second.
fn rate(value: Option<f64>) -> String {
    number(value, usize::from(value.is_some_and(|value| value < 10.0)))
}

fn number(value: Option<f64>, places: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.places$}"))
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jobs, rounds, payload_bytes, processor, cores, kernel, file_system, .. } = self;
        let Self { postgres, fsync, synchronous_commit, shared_buffers, .. } = self;
        writeln!(f, "{jobs} jobs with {payload_bytes} bytes of arguments, medians of {rounds} rounds.")?;
        writeln!(f, "{cores} cores, {processor}, {kernel}, {file_system}.")?;
        write!(f, "PostgreSQL {postgres}, fsync={fsync}, synchronous_commit={synchronous_commit}, ")?;
        write!(f, "shared_buffers={shared_buffers}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::PEERS;

    fn outcome(jobs_per_second: f64) -> Outcome {
        Outcome {
            done: 1000,
            is_complete: true,
            seconds: 1000.0 / jobs_per_second,
            jobs_per_second,
            enqueued_per_second: 2.0 * jobs_per_second,
            peer_us_per_job: 10.0,
            server_us_per_job: None,
        }
    }

    fn turn(peer: f64, windlass: f64) -> Turn {
        let beside = Drained {
            jobs_per_second: windlass,
            p50_ms: 1.0,
            p99_ms: 2.0,
            verified: true,
            filled_per_second: 3.0 * windlass,
            daemon_cpu_us_per_job: 20.0,
        };
        Turn::new(Ok(outcome(peer)), Ok(Some(beside)))
    }

    fn summary(turns: Vec<Turn>) -> Summary {
        let conditions = Conditions {
            jobs: 1000,
            rounds: turns.len(),
            payload_bytes: 200,
            processor: "some CPU".to_owned(),
            cores: 2,
            kernel: "Linux 6".to_owned(),
            file_system: "ext2/ext3".to_owned(),
            postgres: "15.1".to_owned(),
            fsync: "on".to_owned(),
            synchronous_commit: "on".to_owned(),
            shared_buffers: "128MB".to_owned(),
        };
        Summary::new(conditions, vec![Row { peer: &PEERS[0], medians: Medians::default(), turns }])
    }

    #[test]
    fn the_median_is_the_middle_in_any_order() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![7.0]), Some(7.0));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn the_ratio_is_the_median_of_the_turns_ratios() {
        // The machine was twice as slow in the second turn, for both; the third is an outlier of the peer.
        let medians = Medians::of(&[turn(100.0, 400.0), turn(50.0, 200.0), turn(10.0, 400.0)]);
        assert_eq!(medians.windlass_ratio, Some(4.0));
        assert_eq!((medians.jobs_per_second, medians.windlass_jobs_per_second), (Some(50.0), Some(400.0)));
        assert_eq!((medians.enqueued_per_second, medians.server_us_per_job), (Some(100.0), None));
    }

    #[test]
    fn windlass_has_a_row_for_each_database_that_it_had_a_turn_on() {
        let summary = summary(vec![turn(100.0, 400.0), turn(50.0, 200.0)]);
        let expected = Windlass {
            database: Database::Postgres,
            turns: 2,
            jobs_per_second: Some(300.0),
            enqueued_per_second: Some(900.0),
            daemon_us_per_job: Some(20.0),
        };
        assert_eq!(summary.windlass, [expected]);
        assert!(
            summary
                .to_string()
                .contains("| Windlass, 2 turns | as shipped | postgres | 300 | | | 900 | 20.0, not read |")
        );
    }

    #[test]
    fn a_turn_without_outcome_counts_for_nothing_and_is_told() {
        let failed = Turn::new(Err(anyhow::anyhow!("it ended with exit status: 1")), Ok(None));
        let summary = summary(vec![turn(100.0, 400.0), failed]);
        assert_eq!(summary.peers[0].medians.windlass_ratio, Some(4.0));
        assert!(!summary.is_sound());
        let text = summary.to_string();
        assert!(text.contains("| 100 | 400 | 4.00 | 200 | 10.0, – | nothing |"), "{text}");
        assert!(text.contains("round 2: no figure; it ended with exit status: 1."), "{text}");
    }

    #[test]
    fn a_turn_in_which_windlass_failed_keeps_the_peers_figure_and_is_told() {
        let failed = Turn::new(Ok(outcome(100.0)), Err(anyhow::anyhow!("not verified")));
        let summary = summary(vec![failed]);
        assert!(!summary.is_sound());
        assert_eq!(summary.peers[0].medians.jobs_per_second, Some(100.0));
        assert_eq!(summary.peers[0].medians.windlass_ratio, None);
        assert!(summary.to_string().contains("round 1: 100 jobs/s; not verified."), "{summary}");
    }

    #[test]
    fn what_was_not_drained_in_time_is_told() {
        let mut turns = vec![turn(100.0, 400.0)];
        turns[0].outcome.as_mut().unwrap().is_complete = false;
        let summary = summary(turns);
        assert!(summary.is_sound());
        assert!(summary.to_string().contains("round 1: 100 jobs/s (1000 done when its time was over)"), "{summary}");
    }

    #[test]
    fn the_json_has_the_peer_its_medians_and_its_turns() {
        let json = serde_json::to_value(summary(vec![turn(100.0, 400.0)])).unwrap();
        let row = &json["peers"][0];
        assert_eq!(
            (&row["name"], &row["settings"], &row["database"]),
            (&"graphile-worker".into(), &"fast".into(), &"postgres".into())
        );
        assert_eq!((&row["windlass_ratio"], &row["turns"][0]["beside"]["p99_ms"]), (&4.0.into(), &2.0.into()));
        assert_eq!(json["conditions"]["synchronous_commit"], "on");
    }
}
