//! Path patterns. `*` stands for any run of characters, `/` too; all else stands for itself.
//!
//! A path that servers read in different ways is not judged but refused: with `.` or `..` as a part, an empty part, `\`,
//! an encoded slash, dot, backslash or control character.

use serde::Serialize;

/// `/v1/*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct PathPattern(String);

impl PathPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let without_stars = text.replace('*', "x");
        if !(text.starts_with('/') || text == "*") {
            return Err(format!("{text:?} must start with `/`"));
        }
        let rest = if text == "*" { "/" } else { &without_stars };
        let path = canonical(rest).map_err(|why| format!("{text:?} would match nothing: {why}"))?;
        if path != rest {
            return Err(format!("{text:?} would match nothing: write it without needless %, such as {path:?}"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether it matches a canonical path.
    pub(crate) fn matches(&self, path: &str) -> bool {
        glob(self.0.as_bytes(), path.as_bytes())
    }

    /// Whether all that the other one matches is matched by this one too. The other's star can only be matched by one of
    /// this one's, since no path has a star as itself.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path in the form that is compared: letters, digits, `-`, `.`, `_` and `~` not encoded, other escapes in capitals, `*`
/// encoded. Says why if servers could read it in different ways.
pub(crate) fn canonical(path: &str) -> Result<String, String> {
    let path = if path.is_empty() { "/" } else { path };
    let mut canonical = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()].map(|digit| digit.and_then(|d| (d as char).to_digit(16)));
                let [Some(high), Some(low)] = digits else {
                    return Err("a `%` stands before two hex digits".to_owned());
                };
                match (high * 16 + low) as u8 {
                    plain @ (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~') => {
                        canonical.push(plain as char)
                    }
                    b'/' | b'\\' => {
                        return Err("an encoded slash means different things to different servers".to_owned());
                    }
                    b'.' => return Err("an encoded dot means different things to different servers".to_owned()),
                    0..=31 | 127 => return Err("it has an encoded control character".to_owned()),
                    other => canonical.push_str(&format!("%{other:02X}")),
                }
            }
            b'\\' => return Err("a backslash means different things to different servers".to_owned()),
            b'*' => canonical.push_str("%2A"),
            0..=32 | 127.. => return Err("it has characters that must be encoded".to_owned()),
            plain => canonical.push(plain as char),
        }
    }
    let parts: Vec<_> = canonical.split('/').skip(1).collect();
    // Some servers cut what stands behind `;` before they look for dots.
    if parts.iter().any(|part| matches!(part.split(';').next(), Some("." | ".."))) {
        return Err("`.` and `..` mean different things to different servers".to_owned());
    }
    if parts[..parts.len() - 1].iter().any(|part| part.is_empty()) {
        return Err("`//` means different things to different servers".to_owned());
    }
    Ok(canonical)
}

/// Linear in the product of the lengths at worst: it remembers the last star alone.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, t) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> PathPattern {
        PathPattern::parse(text).unwrap()
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        let v1 = pattern("/v1/*");
        assert!(v1.matches("/v1/") && v1.matches("/v1/a/b"));
        assert!(!v1.matches("/v1") && !v1.matches("/v2/a") && !v1.matches("/x/v1/a"));
        assert!(pattern("/a/*/z").matches("/a/b/c/z") && !pattern("/a/*/z").matches("/a/z"));
        assert!(
            pattern("*").matches("/") && pattern("/exact").matches("/exact") && !pattern("/exact").matches("/exact/")
        );
    }

    #[test]
    fn a_path_that_servers_read_in_different_ways_is_refused() {
        let tricks = [
            "/v1/../admin",
            "/v1/%2e%2e/admin",
            "/v1/.%2E/x",
            "/v1/%2f",
            "/a//b",
            "//a",
            "/a/./b",
            "/v1/..",
            "/.",
            "/a\\b",
        ];
        for path in
            tricks.into_iter().chain(["/a%5cb", "/a%00", "/a%0a", "/a%", "/a%zz", "/a b", "/v1/..;x/admin", "/ä"])
        {
            assert!(canonical(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_is_compared_in_one_form() {
        assert_eq!(canonical("").unwrap(), "/");
        assert_eq!(canonical("/%61dmin/%c3%a4").unwrap(), "/admin/%C3%A4");
        assert!(!pattern("/v1/x").matches(&canonical("/v1/*").unwrap()));
        assert!(
            PathPattern::parse("/%61").is_err()
                && PathPattern::parse("v1").is_err()
                && PathPattern::parse("/../*").is_err()
        );
    }

    #[test]
    fn a_pattern_covers_what_lies_in_it() {
        assert!(pattern("/v1/*").covers(&pattern("/v1/a*")) && pattern("*").covers(&pattern("/v1/*")));
        assert!(!pattern("/v1/a").covers(&pattern("/v1/*")) && !pattern("/v1/*").covers(&pattern("/v*")));
    }

    proptest! {
        #[test]
        fn a_canonical_path_is_canonical(path in "/[ -~]{0,20}") {
            if let Ok(once) = canonical(&path) {
                prop_assert_eq!(canonical(&once).unwrap(), once);
            }
        }

        #[test]
        fn no_encoding_leads_out_of_a_granted_folder(parts in prop::collection::vec("(\\.|%2e|%2E|/|%2f|%5c|\\\\|a|;|%25){1,4}", 0..4)) {
            let path = format!("/v1/{}", parts.join("/"));
            if let Ok(path) = canonical(&path) {
                prop_assert!(path.starts_with("/v1/") && !path.contains("//"));
                prop_assert!(path.split('/').all(|part| part != "." && part != ".."));
            }
        }

        #[test]
        fn a_pattern_that_covers_another_matches_whatever_that_matches(
            wide in "/[ab*]{0,5}", narrow in "/[ab*]{0,5}", path in "/[ab]{0,7}",
        ) {
            let (wide, narrow) = (pattern(&wide), pattern(&narrow));
            if wide.covers(&narrow) && narrow.matches(&path) {
                prop_assert!(wide.matches(&path));
            }
        }
    }
}
