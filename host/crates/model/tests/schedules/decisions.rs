//! What is decided about a schedule at one moment.

use std::time::Duration;

use windlass_model::{
    Calendars, Count, Decision, FireOrder, IntervalFrom, Missed, NeverReason, Next, Overlap, Runs, Schedule,
    ScheduleState, Timing, When,
};

use crate::time;

fn schedule(json: serde_json::Value) -> Schedule {
    let mut whole = serde_json::json!({ "name": "nightly", "task": "export-csv", "when": { "cron": "0 * * * *" } });
    whole.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
    Schedule::parse(&whole.to_string()).unwrap()
}

fn hourly(missed: Missed, overlap: Overlap) -> Schedule {
    Schedule { missed, overlap, ..schedule(serde_json::json!({})) }
}

fn state(cursor: &str) -> ScheduleState {
    ScheduleState { made_at: time("2026-01-01T00:00:00Z"), cursor: time(cursor), runs: Runs::None, last_end: None }
}

fn decide(schedule: &Schedule, state: &ScheduleState, now: &str) -> Decision {
    schedule.decide(&Calendars::new(), state, time(now)).unwrap()
}

fn ticks(decision: &Decision) -> Vec<String> {
    decision.fires.iter().map(|fire| fire.tick.to_string()[11..16].to_owned()).collect()
}

const MIDNIGHT: &str = "2026-02-01T00:00:00Z";

#[test]
fn a_tick_that_has_come_fires_and_the_cursor_moves_to_it() {
    let schedule = hourly(Missed::Coalesce, Overlap::Skip);
    let decision = decide(&schedule, &state(MIDNIGHT), "2026-02-01T01:00:00.020Z");
    assert_eq!(ticks(&decision), ["01:00"]);
    assert_eq!(
        (decision.cursor, decision.next),
        (time("2026-02-01T01:00:00Z"), Next::At(time("2026-02-01T02:00:00Z")))
    );
    assert_eq!((decision.missed, decision.overlapping), (Count::Exactly(0), Count::Exactly(0)));
    let again =
        decide(&schedule, &ScheduleState { cursor: decision.cursor, ..state(MIDNIGHT) }, "2026-02-01T01:00:00.020Z");
    assert_eq!((ticks(&again), again.next), (vec![], decision.next));
}

#[test]
fn before_the_tick_nothing_is_done() {
    let decision = decide(&hourly(Missed::Coalesce, Overlap::Skip), &state(MIDNIGHT), "2026-02-01T00:59:59.999999Z");
    assert_eq!((ticks(&decision), decision.cursor), (vec![], time(MIDNIGHT)));
    assert_eq!(decision.next, Next::At(time("2026-02-01T01:00:00Z")));
}

#[test]
fn one_run_stands_for_all_missed_ticks_unless_something_else_is_said() {
    let decision = decide(&hourly(Missed::default(), Overlap::Skip), &state(MIDNIGHT), "2026-02-01T05:30:00Z");
    assert_eq!((ticks(&decision), decision.missed), (vec!["05:00".to_owned()], Count::Exactly(4)));
}

#[test]
fn missed_ticks_are_left_out_and_one_that_is_a_little_late_is_not_missed() {
    let skip = hourly(Missed::Skip, Overlap::Skip);
    let late = decide(&skip, &state(MIDNIGHT), "2026-02-01T05:30:00Z");
    assert_eq!((ticks(&late), late.missed, late.cursor), (vec![], Count::Exactly(5), time("2026-02-01T05:00:00Z")));
    let on_time = decide(&skip, &state(MIDNIGHT), "2026-02-01T05:01:00Z");
    assert_eq!((ticks(&on_time), on_time.missed), (vec!["05:00".to_owned()], Count::Exactly(4)));
    let just_late = decide(&skip, &state(MIDNIGHT), "2026-02-01T05:01:00.000001Z");
    assert!(just_late.fires.is_empty());
}

#[test]
fn the_last_missed_ticks_are_caught_up_within_the_bound_one_after_the_other() {
    let three = hourly(Missed::CatchUp { max: 3 }, Overlap::Skip);
    let decision = decide(&three, &state(MIDNIGHT), "2026-02-01T05:30:00Z");
    assert_eq!(
        (ticks(&decision), decision.missed),
        (vec!["03:00".into(), "04:00".into(), "05:00".into()], Count::Exactly(2))
    );
    let orders: Vec<_> = decision.fires.iter().map(|fire| fire.order).collect();
    assert_eq!(orders, [FireOrder::Free, FireOrder::AfterPrevious, FireOrder::AfterPrevious]);
    let on_time = decide(&three, &state(MIDNIGHT), "2026-02-01T05:00:10Z");
    assert_eq!(ticks(&on_time), ["02:00", "03:00", "04:00", "05:00"], "the one that is on time was not missed");
    let beside = hourly(Missed::CatchUp { max: 3 }, Overlap::Allow);
    let decision = decide(&beside, &state(MIDNIGHT), "2026-02-01T05:30:00Z");
    assert!(decision.fires.iter().all(|fire| fire.order == FireOrder::Free) && decision.fires.len() == 3);
}

#[test]
fn a_clock_that_jumps_ten_years_ahead_makes_no_storm() {
    let begun = std::time::Instant::now();
    let each_second =
        |missed: Missed| Schedule { missed, ..schedule(serde_json::json!({ "when": { "cron": "* * * * * *" } })) };
    let (now, tick) = ("2036-02-01T00:00:00.5Z", time("2036-02-01T00:00:00Z"));
    let coalesced = decide(&each_second(Missed::Coalesce), &state(MIDNIGHT), now);
    assert_eq!((coalesced.fires[0].tick, coalesced.missed), (tick, Count::AtLeast(1_000)));
    assert_eq!((coalesced.fires.len(), coalesced.cursor), (1, tick));
    let caught_up = decide(&each_second(Missed::CatchUp { max: 1_000 }), &state(MIDNIGHT), now);
    assert_eq!(caught_up.fires.len(), 1_001);
    assert!(caught_up.fires.windows(2).all(|pair| pair[1].tick.since(pair[0].tick) == Duration::from_secs(1)));
    assert_eq!(caught_up.fires[1_000].tick, tick);
    // Ten years have 315,360,000 seconds: looking at each of them takes minutes.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_clock_that_goes_back_a_little_is_waited_for() {
    let decision = decide(&hourly(Missed::Coalesce, Overlap::Skip), &state(MIDNIGHT), "2026-01-31T23:10:00Z");
    assert_eq!((ticks(&decision), decision.cursor, decision.is_set_back), (vec![], time(MIDNIGHT), false));
    assert_eq!(decision.next, Next::At(time("2026-02-01T01:00:00Z")));
}

#[test]
fn a_clock_that_was_far_ahead_does_not_keep_the_schedule_silent() {
    let schedule = hourly(Missed::Coalesce, Overlap::Skip);
    let decision = decide(&schedule, &state("2036-01-01T00:00:00Z"), "2026-02-01T05:30:00Z");
    assert_eq!((ticks(&decision), decision.cursor, decision.is_set_back), (vec![], time("2026-02-01T05:30:00Z"), true));
    assert_eq!(decision.next, Next::At(time("2026-02-01T06:00:00Z")));
}

#[test]
fn a_tick_that_comes_while_a_run_is_under_way_follows_the_rule() {
    let under_way = |runs: Runs| ScheduleState { runs, ..state(MIDNIGHT) };
    let now = "2026-02-01T01:00:01Z";
    for (overlap, runs, orders, left_out) in [
        (Overlap::Skip, Runs::UnderWay, vec![], 1),
        (Overlap::Skip, Runs::UnderWayAndWaiting, vec![], 1),
        (Overlap::Allow, Runs::UnderWay, vec![FireOrder::Free], 0),
        (Overlap::Allow, Runs::UnderWayAndWaiting, vec![FireOrder::Free], 0),
        (Overlap::QueueOne, Runs::None, vec![FireOrder::Free], 0),
        (Overlap::QueueOne, Runs::UnderWay, vec![FireOrder::AfterRuns], 0),
        (Overlap::QueueOne, Runs::UnderWayAndWaiting, vec![], 1),
    ] {
        let decision = decide(&hourly(Missed::Coalesce, overlap), &under_way(runs), now);
        let found: Vec<_> = decision.fires.iter().map(|fire| fire.order).collect();
        assert_eq!((found, decision.overlapping), (orders, Count::Exactly(left_out)), "{overlap:?} {runs:?}");
        assert_eq!(decision.cursor, time("2026-02-01T01:00:00Z"), "it is not looked at again");
    }
    let queued = decide(
        &hourly(Missed::CatchUp { max: 5 }, Overlap::QueueOne),
        &under_way(Runs::UnderWay),
        "2026-02-01T05:30:00Z",
    );
    assert_eq!((ticks(&queued), queued.overlapping), (vec!["05:00".to_owned()], Count::Exactly(4)));
}

#[test]
fn an_interval_from_the_end_waits_for_the_end_and_then_rests() {
    let every = When::Every { every: Duration::from_secs(600), from: IntervalFrom::End };
    let base = hourly(Missed::Coalesce, Overlap::Skip);
    let schedule = Schedule { timing: Timing { when: every, ..base.timing.clone() }, ..base };
    let first = decide(&schedule, &state(MIDNIGHT), "2026-02-01T00:10:00Z");
    assert_eq!((ticks(&first), first.next), (vec!["00:10".to_owned()], Next::AfterRun));
    let running = ScheduleState { cursor: first.cursor, runs: Runs::UnderWay, ..state(MIDNIGHT) };
    let waiting = decide(&schedule, &running, "2026-02-01T03:00:00Z");
    assert_eq!((ticks(&waiting), waiting.next), (vec![], Next::AfterRun));
    let ended = ScheduleState { runs: Runs::None, last_end: Some(time("2026-02-01T03:05:00Z")), ..running };
    let rests = decide(&schedule, &ended, "2026-02-01T03:14:59Z");
    assert_eq!((ticks(&rests), rests.next), (vec![], Next::At(time("2026-02-01T03:15:00Z"))));
    assert_eq!(ticks(&decide(&schedule, &ended, "2026-02-01T03:15:00Z")), ["03:15"]);
    // The row of the run may be gone, and a clock may have been wrong when it ended.
    let pruned = ScheduleState { last_end: None, ..ended };
    assert_eq!(decide(&schedule, &pruned, "2026-02-01T00:15:00Z").next, Next::At(time("2026-02-01T00:20:00Z")));
    let by_wrong_clock = ScheduleState { last_end: Some(time("2036-01-01T00:00:00Z")), ..ended };
    assert_eq!(decide(&schedule, &by_wrong_clock, "2026-02-01T03:00:00Z").next, Next::At(time("2026-02-01T03:10:00Z")));
}

#[test]
fn a_schedule_says_why_it_fires_no_more() {
    let over = |json: serde_json::Value, cursor: &str, now: &str| decide(&schedule(json), &state(cursor), now).next;
    let at = serde_json::json!({ "when": { "at": "2026-02-01T00:00:00Z" } });
    assert_eq!(over(at.clone(), MIDNIGHT, "2026-02-02T00:00:00Z"), Next::Never(NeverReason::Once));
    assert_eq!(
        over(at, "2026-01-31T00:00:00Z", "2026-02-02T00:00:00Z"),
        Next::Never(NeverReason::Once),
        "it fired late"
    );
    let ends = serde_json::json!({ "ends_at": "2026-02-01T00:00:00Z" });
    assert_eq!(over(ends, MIDNIGHT, "2026-02-02T00:00:00Z"), Next::Never(NeverReason::Ended));
    let closed = serde_json::json!({ "when": { "at": "2026-02-05T00:00:00Z" }, "except": ["02-05"] });
    assert_eq!(over(closed, MIDNIGHT, "2026-02-02T00:00:00Z"), Next::Never(NeverReason::NoTick));
    // Each minute from two to three on the day when Berlin's clocks jump from two to three.
    let jumped = serde_json::json!({ "when": { "cron": "* 2 * 3 SUNL", "time_zone": "Europe/Berlin" } });
    assert_eq!(over(jumped, MIDNIGHT, "2026-02-02T00:00:00Z"), Next::Never(NeverReason::NoTick));
}

#[test]
fn the_jitter_moves_the_job_and_not_the_tick() {
    let jittered = schedule(serde_json::json!({ "jitter_ms": 600_000, "missed": { "catch_up": { "max": 20 } } }));
    let decision = decide(&jittered, &state(MIDNIGHT), "2026-02-01T12:30:00Z");
    let delays: Vec<_> = decision.fires.iter().map(|fire| fire.run_at.since(fire.tick)).collect();
    assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(600)) && delays.len() == 12);
    assert!(delays.iter().any(|delay| *delay > Duration::from_secs(60)), "{delays:?}");
    assert_eq!(decision, decide(&jittered, &state(MIDNIGHT), "2026-02-01T12:30:00Z"), "on any host");
    assert!(decision.fires.iter().all(|fire| fire.tick.as_micros() % 3_600_000_000 == 0));
}
