//! A schedule under a clock that does what it likes, and hosts that decide whenever they like.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use windlass_model::{
    CLOCK_SLACK, Calendars, Count, Fire, Missed, Next, Overlap, Runs, Schedule, ScheduleState, Timestamp,
};

use crate::time;

const BEGIN: &str = "2026-03-28T22:00:00Z";

/// What happens between two decisions.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many milliseconds pass.
    Pass(u64),
    /// The clock is put back by so many seconds.
    Back(u64),
    /// This is under way from now on.
    Runs(Runs),
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let when = prop_oneof![
        Just(r#"{"cron": "* * * * * *"}"#),
        Just(r#"{"cron": "*/5 * * * *", "time_zone": "Europe/Berlin"}"#),
        Just(r#"{"cron": "30 2 * * *", "time_zone": "Europe/Berlin"}"#),
        Just(r#"{"cron": "0 0 LW * *", "time_zone": "America/New_York"}"#),
        Just(r#"{"every_ms": 61000}"#),
        Just(r#"{"every_ms": 86400000}"#),
    ];
    let missed =
        prop_oneof![Just(Missed::Skip), Just(Missed::Coalesce), (1_u32..40).prop_map(|max| Missed::CatchUp { max }),];
    let overlap = prop_oneof![Just(Overlap::Skip), Just(Overlap::Allow), Just(Overlap::QueueOne)];
    (when, missed, overlap, 0_u64..100_000).prop_map(|(when, missed, overlap, jitter)| {
        let text = format!(r#"{{"name": "nightly", "task": "export", "when": {when}, "jitter_ms": {jitter}}}"#);
        Schedule { missed, overlap, ..Schedule::parse(&text).unwrap() }
    })
}

fn steps(goes_back: bool) -> impl Strategy<Value = Vec<Step>> {
    let runs = prop_oneof![Just(Runs::None), Just(Runs::UnderWay), Just(Runs::UnderWayAndWaiting)].prop_map(Step::Runs);
    let pass = prop_oneof![
        4 => (1_u64..90_000).prop_map(Step::Pass),
        2 => (1_u64..200_000_000).prop_map(Step::Pass),
        1 => (1_u64..400_000_000_000).prop_map(Step::Pass),
    ];
    let back = prop_oneof![2 => (1_u64..3_600).prop_map(Step::Back), 1 => (1_u64..200_000_000).prop_map(Step::Back)];
    let step = prop_oneof![4 => pass, 2 => runs, u32::from(goes_back) => back];
    proptest::collection::vec(step, 1..40)
}

fn state() -> ScheduleState {
    ScheduleState { made_at: time(BEGIN), cursor: time(BEGIN), runs: Runs::None, last_end: None }
}

/// The most jobs that one decision may enqueue.
fn bound(schedule: &Schedule) -> usize {
    match schedule.missed {
        Missed::Skip | Missed::Coalesce => 1,
        Missed::CatchUp { max } => max as usize + 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_clock_does_there_is_no_storm_no_second_job_and_no_end(schedule in schedules(), steps in steps(true)) {
        let (calendars, mut state, mut now) = (Calendars::new(), state(), time(BEGIN));
        let mut enqueued: BTreeSet<Timestamp> = BTreeSet::new();
        let mut was_set_back = false;
        for step in steps {
            match step {
                Step::Pass(millis) => now = now.plus(Duration::from_millis(millis)),
                Step::Back(seconds) => now = now.minus(Duration::from_secs(seconds)).max(Timestamp::EPOCH),
                Step::Runs(runs) => state.runs = runs,
            }
            let before = state.cursor;
            let decision = schedule.decide(&calendars, &state, now).unwrap();
            was_set_back |= decision.is_set_back;
            prop_assert_eq!(decision.is_set_back, before > now.plus(CLOCK_SLACK));
            prop_assert!(decision.fires.len() <= bound(&schedule), "a storm");
            prop_assert!(decision.fires.windows(2).all(|pair| pair[0].tick < pair[1].tick));
            let floor = if decision.is_set_back { now } else { before };
            for Fire { tick, run_at, .. } in &decision.fires {
                prop_assert!(floor < *tick && *tick <= now, "a tick that was decided, or that has not come");
                prop_assert!(*tick <= decision.cursor);
                prop_assert!(tick <= run_at && *run_at <= tick.plus(schedule.jitter));
                // The store's index says the same; it is needed only where the clock was wrong by more than an hour.
                prop_assert!(enqueued.insert(*tick) || was_set_back, "a second job for {tick}");
            }
            prop_assert!(decision.cursor >= floor && decision.cursor <= now.max(before));
            prop_assert!(matches!(decision.next, Next::At(tick) if tick > now.min(decision.cursor) && tick > decision.cursor));
            state.cursor = decision.cursor;
            let again = schedule.decide(&calendars, &state, now).unwrap();
            prop_assert!(again.fires.is_empty(), "the same moment decided twice");
            prop_assert_eq!((again.cursor, again.next), (decision.cursor, decision.next));
        }
        // However it went, it goes on.
        state.runs = Runs::None;
        let Next::At(tick) = schedule.decide(&calendars, &state, now).unwrap().next else { panic!("stuck") };
        prop_assert!(tick <= now.max(state.cursor).plus(Duration::from_secs(34 * 86_400)), "stuck until {tick}");
        let decision = schedule.decide(&calendars, &state, tick).unwrap();
        prop_assert_eq!(decision.fires.last().map(|fire| fire.tick), Some(tick));
    }

    #[test]
    fn each_tick_has_its_job_or_is_counted_among_those_left_out(schedule in schedules(), steps in steps(false)) {
        let (calendars, mut state, mut now) = (Calendars::new(), state(), time(BEGIN));
        let (mut fired, mut left_out, mut is_exact) = (0, 0, true);
        for step in steps {
            match step {
                // Not so long that ticks are too many to count.
                Step::Pass(millis) => now = now.plus(Duration::from_millis(millis.min(1_000_000))),
                Step::Runs(runs) => state.runs = runs,
                Step::Back(_) => {}
            }
            let decision = schedule.decide(&calendars, &state, now).unwrap();
            state.cursor = decision.cursor;
            fired += decision.fires.len();
            for count in [decision.missed, decision.overlapping] {
                match count {
                    Count::Exactly(count) => left_out += count,
                    Count::AtLeast(_) => is_exact = false,
                }
            }
        }
        let (mut due, mut after) = (0, time(BEGIN));
        loop {
            let ticks = schedule.timing.next_fires(&calendars, time(BEGIN), after, 500).unwrap();
            due += ticks.iter().filter(|tick| **tick <= now).count();
            match ticks.last() {
                Some(last) if *last <= now => after = *last,
                _ => break,
            }
        }
        prop_assert!(is_exact);
        prop_assert_eq!(fired + left_out, due);
    }
}
