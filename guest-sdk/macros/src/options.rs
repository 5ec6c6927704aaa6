//! The options of the attribute.

use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitInt, LitStr, Token};

/// What holds for a job that does not say otherwise.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) queue: Option<String>,
    pub(crate) priority: Option<i16>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) backoff_ms: Option<(u64, u64)>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "queue" => options.queue = Some(input.parse::<LitStr>()?.value()),
                "priority" => options.priority = Some(priority(input)?),
                "max_attempts" => options.max_attempts = Some(input.parse::<LitInt>()?.base10_parse()?),
                "timeout" => options.timeout_ms = Some(span(&input.parse()?)?),
                "backoff" => options.backoff_ms = Some(backoff(&input.parse()?)?),
                other => {
                    let message = format!(
                        "`{other}` is no option of a task; there are queue, priority, max_attempts, timeout, backoff"
                    );
                    return Err(syn::Error::new(key.span(), message));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

fn priority(input: ParseStream<'_>) -> syn::Result<i16> {
    let minus: Option<Token![-]> = input.parse()?;
    let number: LitInt = input.parse()?;
    let value: i16 = number.base10_parse()?;
    if value > 100 {
        return Err(syn::Error::new(number.span(), "a priority lies between -100 and 100"));
    }
    Ok(if minus.is_some() { -value } else { value })
}

fn backoff(text: &LitStr) -> syn::Result<(u64, u64)> {
    let value = text.value();
    let Some((base, max)) = value.split_once("..") else {
        return Err(syn::Error::new(text.span(), "a backoff is the first delay and the longest: \"2s..1h\""));
    };
    let (base, max) = (span_of(base, text)?, span_of(max, text)?);
    if base == 0 || max < base {
        return Err(syn::Error::new(text.span(), "the first delay is at least 1ms and not longer than the longest"));
    }
    Ok((base, max))
}

fn span(text: &LitStr) -> syn::Result<u64> {
    span_of(&text.value(), text)
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
        let text = r#"queue = "exports", priority = -10, max_attempts = 5, timeout = "10m", backoff = "250ms..1h""#;
        let options: Options = parse_str(text).unwrap();
        let expected = Options {
            queue: Some("exports".to_owned()),
            priority: Some(-10),
            max_attempts: Some(5),
            timeout_ms: Some(600_000),
            backoff_ms: Some((250, 3_600_000)),
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn a_fault_says_what_would_be_right() {
        assert!(fault("retries = 3").starts_with("`retries` is no option of a task; there are queue"));
        assert_eq!(fault(r#"timeout = "10""#), "a span is a number with ms, s, m or h: \"10m\"");
        assert_eq!(fault("priority = 101"), "a priority lies between -100 and 100");
        assert_eq!(fault(r#"backoff = "2s""#), "a backoff is the first delay and the longest: \"2s..1h\"");
    }
}
