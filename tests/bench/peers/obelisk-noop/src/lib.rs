//! The no-op as an activity of obelisk: reads its order, and says what it comes to, as the `noop` of the gallery does. It reports no
//! progress, since obelisk has no call for that.

use serde::{Deserialize, Serialize};

wit_bindgen::generate!({
    inline: "
        package windlass:peers;

        interface noop {
            execute: func(argument: string) -> result<string, string>;
        }

        world activity {
            export noop;
        }
    ",
});

struct Noop;

/// An order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    customer: String,
    lines: Vec<Line>,
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    article: String,
    pieces: u32,
    cents: u64,
}

/// What it comes to.
#[derive(Serialize)]
struct Total {
    customer: String,
    articles: Vec<String>,
    pieces: u32,
    cents: u64,
    note_bytes: usize,
}

impl exports::windlass::peers::noop::Guest for Noop {
    fn execute(argument: String) -> Result<String, String> {
        let order: Order = serde_json::from_str(&argument).map_err(|fault| fault.to_string())?;
        let total = Total {
            pieces: order.lines.iter().map(|line| line.pieces).fold(0, u32::saturating_add),
            cents: order.lines.iter().map(|line| line.cents * u64::from(line.pieces)).fold(0, u64::saturating_add),
            articles: order.lines.into_iter().map(|line| line.article).collect(),
            note_bytes: order.note.len(),
            customer: order.customer,
        };
        serde_json::to_string(&total).map_err(|fault| fault.to_string())
    }
}

export!(Noop);
