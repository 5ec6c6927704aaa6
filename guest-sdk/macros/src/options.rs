//! The options of the attribute.

use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, LitInt, LitStr, Token};

/// What holds for a job that does not say otherwise.
#[derive(Default)]
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(crate) struct Options {
    pub(crate) queue: Option<String>,
    pub(crate) priority: Option<i16>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) unique: Option<Unique>,
    /// An expression of the type `Wants`.
    pub(crate) wants: Option<Expr>,
}

/// How long a job waits between its attempts, in milliseconds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Backoff {
    /// From the first delay, doubling, to the longest.
    Doubling(u64, u64),
    /// These, one after the other.
    Delays(Vec<u64>),
}

/// What no two jobs of the task may be at the same time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unique {
    /// Jobs with the same arguments.
    Args,
    /// Jobs at all: all of them have this key.
    Key(String),
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            if seen.contains(&key) {
                return Err(syn::Error::new(key.span(), format!("`{key}` is given twice")));
            }
            let is_flag = key == "unique" && !input.peek(Token![=]);
            if !is_flag {
                input.parse::<Token![=]>()?;
            }
            match key.to_string().as_str() {
                "unique" if is_flag => options.unique = Some(Unique::Args),
                "unique" => options.unique = Some(Unique::Key(unique_key(&input.parse()?)?)),
                "queue" => options.queue = Some(queue(&input.parse()?)?),
                "priority" => options.priority = Some(priority(&input.parse()?)?),
                "max_attempts" => options.max_attempts = Some(max_attempts(&input.parse()?)?),
                "timeout" => options.timeout_ms = Some(timeout(&input.parse()?)?),
                "wants" => options.wants = Some(input.parse()?),
                "backoff" => options.backoff = Some(backoff(&input.parse()?)?),
                other => {
                    let message = format!(
                        "`{other}` is no option of a task; there are queue, priority, max_attempts, timeout, backoff, unique, wants"
                    );
                    return Err(syn::Error::new(key.span(), message));
                }
            }
            seen.push(key);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

/// The daemon's rule for names, here because it would refuse the whole component, and only when that is loaded.
fn queue(text: &LitStr) -> syn::Result<String> {
    let value = text.value();
    let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    if value.is_empty() || value.len() > 64 || !value.chars().all(fits) || value.starts_with(['-', '_']) {
        let message = "a queue's name has 1 to 64 characters of a-z, 0-9, `-` and `_`, the first a letter or a digit";
        return Err(syn::Error::new(text.span(), message));
    }
    Ok(value)
}

fn priority(number: &LitInt) -> syn::Result<i16> {
    match number.base10_parse() {
        Ok(value @ -100..=100) => Ok(value),
        _ => Err(syn::Error::new(number.span(), "a priority lies between -100 and 100")),
    }
}

fn max_attempts(number: &LitInt) -> syn::Result<u32> {
    match number.base10_parse()? {
        0 => Err(syn::Error::new(number.span(), "a job has at least 1 attempt")),
        value => Ok(value),
    }
}

fn timeout(text: &LitStr) -> syn::Result<u64> {
    match span_of(&text.value(), text)? {
        0 => Err(syn::Error::new(text.span(), "a timeout is at least 1ms")),
        value => Ok(value),
    }
}

fn backoff(text: &LitStr) -> syn::Result<Backoff> {
    let value = text.value();
    if let Some((base, max)) = value.split_once("..") {
        let (base, max) = (span_of(base, text)?, span_of(max, text)?);
        if base == 0 || max < base {
            let message = "the first delay is at least 1ms and not longer than the longest";
            return Err(syn::Error::new(text.span(), message));
        }
        return Ok(Backoff::Doubling(base, max));
    }
    let delays: Vec<_> = value.split(',').map(|delay| span_of(delay, text)).collect::<syn::Result<_>>()?;
    if delays.len() > 100 {
        return Err(syn::Error::new(text.span(), "a backoff has at most 100 delays"));
    }
    Ok(Backoff::Delays(delays))
}

fn unique_key(text: &LitStr) -> syn::Result<String> {
    let value = text.value();
    if value.is_empty() || value.chars().count() > 200 || value.contains(char::is_control) {
        return Err(syn::Error::new(
            text.span(),
            "a unique key has 1 to 200 characters, none of them a control character",
        ));
    }
    Ok(value)
}

fn span_of(value: &str, text: &LitStr) -> syn::Result<u64> {
    let value = value.trim();
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = value.split_at(digits);
    let scale = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    match (number.parse::<u64>(), scale) {
        (Ok(number), Some(scale)) => Ok(number.saturating_mul(scale)),
        _ => Err(syn::Error::new(text.span(), "a span is a number with ms, s, m or h: \"10m\"")),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    fn fault(text: &str) -> String {
        parse_str::<Options>(text).unwrap_err().to_string()
    }

    #[test]
    fn all_options_are_read() {
        let text =
            r#"queue = "exports", priority = -10, max_attempts = 5, timeout = "10m", backoff = "250ms..1h", unique"#;
        let options: Options = parse_str(text).unwrap();
        let expected = Options {
            queue: Some("exports".to_owned()),
            priority: Some(-10),
            max_attempts: Some(5),
            timeout_ms: Some(600_000),
            backoff: Some(Backoff::Doubling(250, 3_600_000)),
            unique: Some(Unique::Args),
            wants: None,
        };
        assert_eq!(options, expected);
        let wanting: Options = parse_str("wants = Wants::new().enqueue(\"a\"), priority = 1").unwrap();
        assert!(wanting.wants.is_some() && wanting.priority == Some(1));
        let other: Options = parse_str(r#"unique = "all", backoff = "0ms, 5s,1m""#).unwrap();
        assert_eq!(other.unique, Some(Unique::Key("all".to_owned())));
        assert_eq!(other.backoff, Some(Backoff::Delays(vec![0, 5_000, 60_000])));
    }

    #[test]
    fn a_fault_says_what_would_be_right() {
        assert!(fault("retries = 3").starts_with("`retries` is no option of a task; there are queue"));
        assert_eq!(fault(r#"timeout = "10""#), "a span is a number with ms, s, m or h: \"10m\"");
        for priority in ["priority = 101", "priority = -101", "priority = 99999"] {
            assert_eq!(fault(priority), "a priority lies between -100 and 100");
        }
        assert_eq!(fault("max_attempts = 0"), "a job has at least 1 attempt");
        assert_eq!(fault(r#"timeout = "0s""#), "a timeout is at least 1ms");
        assert_eq!(fault(r#"queue = "a", queue = "b""#), "`queue` is given twice");
        for queue in [r#"queue = """#, r#"queue = "My Queue""#, r#"queue = "-a""#] {
            assert!(fault(queue).starts_with("a queue's name has 1 to 64 characters"), "{queue}");
        }
        assert_eq!(fault(r#"backoff = "soon""#), "a span is a number with ms, s, m or h: \"10m\"");
        assert_eq!(fault(r#"backoff = "2s..1s""#), "the first delay is at least 1ms and not longer than the longest");
        assert!(fault(r#"unique = """#).starts_with("a unique key has 1 to 200 characters"));
    }
}
