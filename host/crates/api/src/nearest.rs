//! Which names may have been meant.

/// How many names are offered at most: a hint, not a list.
const OFFERED: usize = 3;

/// Below this likeness (0 to 1) a name is a guess that only confuses. Found by trying: one typing error in a short name
/// stays above it, two unrelated names of the same length stay below.
const ENOUGH: f64 = 0.75;

/// The names that are most like `wanted`, the most similar first, at most three.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<_> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, name), name))
        .filter(|(likeness, _)| *likeness >= ENOUGH)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASKS: [&str; 5] = ["export-csv", "export-pdf", "hello", "import-csv", "send-mail"];

    #[test]
    fn a_misspelt_name_finds_the_right_one_first() {
        assert_eq!(nearest("export-cvs", TASKS)[0], "export-csv");
        assert_eq!(nearest("Export-CSV", TASKS)[0], "export-csv");
        assert_eq!(nearest("helo", TASKS), ["hello"]);
    }

    #[test]
    fn a_name_like_none_offers_nothing() {
        assert!(nearest("zzz", TASKS).is_empty());
        assert!(nearest("", TASKS).is_empty());
    }

    #[test]
    fn at_most_three_names_are_offered() {
        let many = ["task-1", "task-2", "task-3", "task-4"];
        assert_eq!(nearest("task-0", many), ["task-1", "task-2", "task-3"]);
    }
}
