//! What people read of a schedule.

use std::time::Duration;

use windlass_model::{ExcludedDates, IntervalFrom, Timing, When};

use crate::{cron, time};

#[test]
fn a_line_is_told_in_plain_english() {
    for (line, said) in [
        ("0 2 * * 1-5", "At 02:00, Monday to Friday"),
        ("0 2 * * *", "At 02:00, every day"),
        ("30 9,17 * * MON,WED,FRI", "At 09:30 and 17:30, Monday, Wednesday and Friday"),
        ("0,30 8-9 * * *", "At 08:00, 08:30, 09:00 and 09:30, every day"),
        ("15 30 2 * * *", "At 02:30:15, every day"),
        ("* * * * *", "Every minute"),
        ("* * * * * *", "Every second"),
        ("*/10 * * * * *", "Every 10 seconds"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:59, Monday to Friday"),
        ("*/20 30 9-17 * * *", "Every 20 seconds of minute 30 of hours 9 to 17"),
        ("* 9,17 * * *", "Every minute of hours 9 and 17"),
        ("*/7 * * * *", "At minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour"),
        ("5 * * * *", "At minute 5 of every hour"),
        ("5 */2 * * *", "At minute 5 of every 2nd hour"),
        ("@hourly", "Every hour"),
        ("0 */6 * * *", "Every 6 hours"),
        ("0 */5 * * *", "At 00:00, 05:00, 10:00, 15:00 and 20:00, every day"),
        ("@weekly", "At 00:00, Sunday"),
        ("@monthly", "At 00:00, on day 1 of the month"),
        ("@yearly", "At 00:00, on day 1 of the month, in January"),
        ("0 0 1,15 * *", "At 00:00, on days 1 and 15 of the month"),
        ("0 0 1-7 * *", "At 00:00, on days 1 to 7 of the month"),
        ("0 0 */10 * *", "At 00:00, on every 10th day of the month from day 1"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
        ("0 0 LW * *", "At 00:00, on the last day from Monday to Friday of the month"),
        ("0 0 15W * ?", "At 00:00, on the day from Monday to Friday nearest to day 15 of the month"),
        ("0 0 ? * 5L", "At 00:00, on the last Friday of the month"),
        ("0 0 * * TUE#3", "At 00:00, on the third Tuesday of the month"),
        ("0 0 13 * 5", "At 00:00, on day 13 of the month and on Friday"),
        ("0 0 */2 * 1,2", "At 00:00, on every 2nd day of the month from day 1 if it is also Monday or Tuesday"),
        ("0 0 1 3-5 *", "At 00:00, on day 1 of the month, from March to May"),
        ("0 0 1 3,6,9,12 *", "At 00:00, on day 1 of the month, in March, June, September and December"),
        ("0 0 1 */3 *", "At 00:00, on day 1 of the month, in January, April, July and October"),
        ("0 0 * * 0-6", "At 00:00, Sunday to Saturday"),
        ("0 0 * * 6-7", "At 00:00, Saturday and Sunday"),
    ] {
        assert_eq!(cron(line, "Europe/Berlin").to_string(), format!("{said}, Europe/Berlin"), "{line}");
    }
}

#[test]
fn intervals_and_bounds_are_told_too() {
    let base = cron("0 0 * * *", "Europe/Berlin");
    let every = |seconds: u64, from: IntervalFrom| {
        let when = When::Every { every: Duration::from_secs(seconds), from };
        Timing { when, ..base.clone() }.to_string()
    };
    assert_eq!(every(300, IntervalFrom::Start), "Every 5 minutes");
    assert_eq!(every(90, IntervalFrom::Start), "Every 90 seconds");
    assert_eq!(every(86_400, IntervalFrom::End), "1 day after the end of the run before");
    let once = Timing { when: When::At(time("2026-12-24T17:00:00Z")), ..base.clone() };
    assert_eq!(once.to_string(), "Once, Thu 2026-12-24 18:00:00 +01:00, Europe/Berlin");
    let bounded = Timing {
        starts_at: Some(time("2026-01-01T00:00:00Z")),
        ends_at: Some(time("2027-01-01T00:00:00Z")),
        except: ExcludedDates::parse(&["12-25", "12-26"]).unwrap(),
        calendars: vec!["holidays".parse().unwrap()],
        ..base
    };
    assert_eq!(
        bounded.to_string(),
        "At 00:00, every day, Europe/Berlin, from Thu 2026-01-01 01:00:00 +01:00, before Fri 2027-01-01 01:00:00 +01:00, except on 2 \
         dates, except on the dates of holidays"
    );
}
