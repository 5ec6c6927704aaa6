//! A cron line, or the definition of a schedule.

use std::time::Duration;

use windlass_model::{Calendars, CronLine, Missed, Runs, Schedule, ScheduleState, Timestamp, Timing, Zone};

/// The time of every decision here.
const NOW: i64 = 1_795_000_000_000_000;

/// How long every schedule was left alone.
const SILENCE: Duration = Duration::from_secs(40 * 86_400);

/// What is refused is refused in words. What is taken fires in order and reads the same when it is written; one decision about it
/// enqueues no more than it says, and the next finds nothing left to do. All of it is quick: the fuzzer itself looks at that.
pub fn schedule(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match CronLine::parse(text) {
        Ok(line) => fires(&Timing::cron(line, Zone::default())),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let schedule = match Schedule::parse(text) {
        Ok(schedule) => schedule,
        Err(faults) => {
            return assert!(!faults.0.is_empty() && faults.0.iter().all(|fault| !fault.message.is_empty()));
        }
    };
    let written = serde_json::to_string(&schedule).expect("a schedule can be written");
    assert_eq!(Schedule::parse(&written).as_ref(), Ok(&schedule), "{written}");
    assert!(!schedule.timing.to_string().is_empty());
    if schedule.timing.calendars.is_empty() {
        fires(&schedule.timing);
        decisions(&schedule);
    }
}

fn fires(timing: &Timing) {
    let now = Timestamp::from_micros(NOW);
    let fires = timing.next_fires(&Calendars::new(), now, now, 5).expect("it names no calendar");
    assert!(fires.iter().all(|fire| *fire > now) && fires.windows(2).all(|pair| pair[0] < pair[1]), "{fires:?}");
}

fn decisions(schedule: &Schedule) {
    let now = Timestamp::from_micros(NOW);
    let before = now.minus(SILENCE);
    let state = ScheduleState { made_at: before, cursor: before, runs: Runs::None, last_end: None };
    let decision = schedule.decide(&Calendars::new(), &state, now).expect("it names no calendar");
    let most = match schedule.missed {
        Missed::Skip | Missed::Coalesce => 1,
        Missed::CatchUp { max } => max as usize + 1,
    };
    assert!(decision.fires.len() <= most);
    assert!(decision.fires.iter().all(|fire| before < fire.tick && fire.tick <= now && fire.tick <= fire.run_at));
    let runs = if decision.fires.is_empty() { Runs::None } else { Runs::UnderWay };
    let state = ScheduleState { cursor: decision.cursor, runs, ..state };
    let again = schedule.decide(&Calendars::new(), &state, now).expect("it names no calendar");
    assert!(again.fires.is_empty() || !again.is_set_back && again.cursor > decision.cursor);
}
