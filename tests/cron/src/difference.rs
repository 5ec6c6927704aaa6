//! Where the two dialects differ, each difference with its name and its reason. What is not here may not differ.

use crate::line::{EVEN_ZONES, Request};

/// In seconds since 1970.
const START_OF_2024: i64 = 1_704_067_200;

/// Where the clock is put forward at midnight, or was since 2000.
const MIDNIGHTS: [&str; 5] = ["Africa/Cairo", "America/Havana", "America/Santiago", "America/Sao_Paulo", "Asia/Beirut"];

/// A difference that is meant.
pub(crate) struct Difference {
    /// Its name.
    pub(crate) name: &'static str,
    /// Why the two differ.
    pub(crate) reason: &'static str,
    /// Whether it concerns a request.
    pub(crate) concerns: fn(&Request) -> bool,
}

/// All of them.
pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "nearest-weekday",
        reason: "cronsim does not know `15W`",
        concerns: |request| word(request, 3).contains('W') && word(request, 3) != "LW",
    },
    Difference {
        name: "seconds-where-clocks-are-put",
        reason: "of a line with six fields cronsim loses the times of day that a clock jumps over, and tells those that come twice twice",
        concerns: |request| has_seconds(request) && !EVEN_ZONES.contains(&request.zone.as_str()),
    },
    Difference {
        name: "step-over-one-value",
        reason: "`5-5/10` is 5 for crontab(5) and us, and 5, 15, 25 … for cronsim, which knows `5/10`",
        concerns: |request| request.line.split([' ', ',']).any(is_step_over_one_value),
    },
    Difference {
        name: "half-hours",
        reason: "where a clock is put by half an hour cronsim goes on from half past and misses what comes before in that hour",
        concerns: |request| request.zone == "Australia/Lord_Howe" && follows_the_clock(request),
    },
    Difference {
        name: "midnight",
        reason: "cronsim leaps to the midnight of the next day that fits, which is wrong where the clock jumps over midnight",
        concerns: |request| {
            let leaps = (3..6).any(|place| word(request, place) != "*");
            leaps && MIDNIGHTS.contains(&request.zone.as_str()) && follows_the_clock(request)
        },
    },
    Difference {
        name: "back-over-midnight",
        reason: "where the clock was put back from a minute past midnight cronsim looks for ever",
        concerns: |request| request.zone == "America/St_Johns" && follows_the_clock(request),
    },
    Difference {
        name: "nuuk-before-2024",
        reason: "for Python's zoneinfo the clock of America/Nuuk jumped on 28 October 2023, when its summer time became its standard time",
        concerns: |request| request.zone == "America/Nuuk" && request.after < START_OF_2024,
    },
];

/// A field of six, the second being the first.
fn word(request: &Request, place: usize) -> &str {
    let words: Vec<_> = request.line.split(' ').collect();
    words.get((place + words.len()).wrapping_sub(6)).copied().unwrap_or("0")
}

fn follows_the_clock(request: &Request) -> bool {
    word(request, 1).starts_with('*') || word(request, 2).starts_with('*')
}

fn has_seconds(request: &Request) -> bool {
    request.line.split(' ').count() == 6
}

fn is_step_over_one_value(item: &str) -> bool {
    let range = item.split_once('/').and_then(|(range, _)| range.split_once('-'));
    range.is_some_and(|(from, to)| from == to)
}
