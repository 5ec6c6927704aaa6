//! Which lines are cron lines, and what is said of those that are not.

use std::time::{Duration, Instant};

use windlass_model::CronLine;

fn refusal(line: &str) -> String {
    CronLine::parse(line).unwrap_err().to_string()
}

#[test]
fn a_line_that_can_never_fire_is_refused_at_once() {
    let begun = Instant::now();
    for line in [
        "0 0 30 2 *",
        "0 0 31 2 *",
        "0 0 31 4,6,9,11 *",
        "* * * 30-31 2 *",
        "* * * 31 2 ?",
        "0 0 31W 2,4 *",
        "0 0 30-31 2 */2",
    ] {
        assert_eq!(refusal(line), format!("`{line}` never fires: no year has such a date"));
    }
    for line in ["0 0 30 2 0", "0 0 29 2 *", "0 0 */30 1 0#5", "0 0 */28 2 MON#5"] {
        assert!(
            CronLine::parse(line).is_ok(),
            "{line}: one of its two days is enough, or both fall together in some year"
        );
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn what_is_not_a_line_is_refused_with_the_field_and_the_remedy() {
    for (line, said) in [
        ("", "a cron line has 1 to 300 characters, this one has 0"),
        (
            "* * * *",
            "a cron line has five fields (minute, hour, day of the month, month, day of the week), or six with the second first; this one has 4",
        ),
        (
            "0 0 0 1 1 * 2027",
            "a cron line has five fields (minute, hour, day of the month, month, day of the week), or six with the second first; this one has 7: in place of a year give the schedule a start and an end",
        ),
        ("60 * * * *", "the minute `60` is not understood: it takes numbers from 0 to 59"),
        ("-1 * * * *", "the minute `-1` is not understood: it takes numbers from 0 to 59"),
        ("+1 * * * *", "the minute `+1` is not understood: it takes numbers from 0 to 59"),
        ("* 24 * * *", "the hour `24` is not understood: it takes numbers from 0 to 23"),
        ("* * 0 * *", "the day of the month `0` is not understood: it takes numbers from 1 to 31"),
        ("* * * 13 *", "the month `13` is not understood: it takes numbers from 1 to 12, or JAN to DEC"),
        (
            "* * * * 8",
            "the day of the week `8` is not understood: it takes numbers from 0 to 7, or SUN to SAT; 0 and 7 are Sunday",
        ),
        (
            "1,,2 * * * *",
            "the minute `` is not understood: there is nothing between two commas, or before or after one: take the comma away",
        ),
        (
            ", * * * *",
            "the minute `` is not understood: there is nothing between two commas, or before or after one: take the comma away",
        ),
        ("*,5 * * * *", "the minute `*,5` is not understood: `*` already means every value: let it stand alone"),
        ("1MON * * * *", "the minute `1MON` is not understood: it takes numbers from 0 to 59"),
        ("JAN * * * *", "the minute `JAN` is not understood: it takes numbers from 0 to 59"),
        (
            "0 0 * * MONDAY",
            "the day of the week `MONDAY` is not understood: it takes numbers from 0 to 7, or SUN to SAT; 0 and 7 are Sunday",
        ),
        ("0/15 * * * *", "the minute `0/15` is not understood: a step takes a range: write 0-59/15"),
        ("*/0 * * * *", "the minute `*/0` is not understood: a step is a number from 1 to 59"),
        (
            "*/90 * * * *",
            "the minute `*/90` is not understood: a step of 90 leaves only 0, since each hour starts anew: write 0, or an interval with `every_ms`",
        ),
        ("*/ * * * *", "the minute `*/` is not understood: a step is a number from 1 to 59"),
        ("*/5/5 * * * *", "the minute `*/5/5` is not understood: a step is a number from 1 to 59"),
        ("0 22-2 * * *", "the hour `22-2` is not understood: it runs backwards: write 22-23,0-2"),
        ("0 0 * * FRI-MON", "the day of the week `FRI-MON` is not understood: it runs backwards: write 5-7,1"),
        (
            "0 0 * * L",
            "the day of the week `L` is not understood: write the day of which it is the last: 5L is the last Friday",
        ),
        (
            "0 0 * * 5#6",
            "the day of the week `5#6` is not understood: behind # stands a number from 1 to 5; the last one is written 5L",
        ),
        (
            "0 0 * * 1-5#2",
            "the day of the week `1-5#2` is not understood: it takes numbers from 0 to 7, or SUN to SAT; 0 and 7 are Sunday",
        ),
        (
            "0 0 L-3 * *",
            "the day of the month `L-3` is not understood: days counted from the end are not known: write L, LW or a day",
        ),
        ("0 0 W * *", "the day of the month `W` is not understood: write the day that it is near to: 15W"),
        ("0 0 32W * *", "the day of the month `32W` is not understood: it takes numbers from 1 to 31"),
        (
            "0 0 L,LW * *",
            "the day of the month `L,LW` is not understood: `L` and `LW` cannot stand together: make two schedules of it",
        ),
        ("0 L * * *", "the hour `L` is not understood: it takes numbers from 0 to 23; L, W, # and ? are for days"),
        ("? * * * *", "the minute `?` is not understood: it takes numbers from 0 to 59; L, W, # and ? are for days"),
        (
            "@reboot",
            "`@reboot` is not known: there are @yearly, @monthly, @weekly, @daily and @hourly; for an interval use `every_ms`",
        ),
        (
            "@every 5m",
            "`@every 5m` is not known: there are @yearly, @monthly, @weekly, @daily and @hourly; for an interval use `every_ms`",
        ),
        ("٣ * * * *", "the minute `٣` is not understood: it takes numbers from 0 to 59"),
    ] {
        assert_eq!(refusal(line), said, "{line}");
    }
    assert!(refusal(&"1,".repeat(200)).starts_with("a cron line has 1 to 300 characters, this one has 400"));
}

#[test]
fn a_line_is_kept_as_it_was_written() {
    let line = CronLine::parse("  0 2  * * mon-Fri ").unwrap();
    assert_eq!(line.as_str(), "0 2  * * mon-Fri");
    assert_eq!(CronLine::parse("@Daily").unwrap().to_string(), "@Daily");
}

#[test]
fn a_line_that_says_how_often_follows_the_clock_and_one_that_says_when_does_not() {
    for (line, follows) in [
        ("*/15 * * * *", true),
        ("*/15 2 * * *", true),
        ("0 */2 * * *", true),
        ("* 2 * * *", true),
        ("@hourly", true),
        ("30 2 * * *", false),
        ("0,30 1-3 * * *", false),
        ("*/10 30 2 * * *", false),
        ("@daily", false),
    ] {
        assert_eq!(CronLine::parse(line).unwrap().follows_the_clock(), follows, "{line}");
    }
}
