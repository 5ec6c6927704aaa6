//! Which package mirror the system itself uses, read from the sources of apt in both of their forms.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// One archive among the system's sources.
#[derive(Debug, PartialEq, Eq)]
struct Archive {
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
}

/// The mirror of the distribution. Only Debian's backports are known to carry what the caller wants of it.
pub(crate) fn mirror() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    ensure!(os_release(&release, "ID") == Some("debian"), "building the target from packages needs Debian");
    let codename = os_release(&release, "VERSION_CODENAME").unwrap_or("stable");
    let mut archives = Vec::new();
    for path in files() {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        archives.extend(if is(&path, "sources") { deb822(&text) } else { one_line(&text) });
    }
    distribution(&archives, codename)
        .map(str::to_owned)
        .with_context(|| format!("no source of apt has the suite `{codename}` with the component `main`"))
}

/// In the order in which apt reads them; what has another ending it does not read.
fn files() -> Vec<PathBuf> {
    let mut parts: Vec<PathBuf> = fs::read_dir("/etc/apt/sources.list.d")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    parts.retain(|path| is(path, "sources") || is(path, "list"));
    parts.sort();
    let whole = PathBuf::from("/etc/apt/sources.list");
    whole.exists().then_some(whole).into_iter().chain(parts).collect()
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// By suite and component: others (a vendor's repository) may have addresses that look the same.
fn distribution<'a>(archives: &'a [Archive], codename: &str) -> Option<&'a str> {
    let is_main = |archive: &&Archive| {
        archive.uri.starts_with("http")
            && archive.suites.iter().any(|suite| suite == codename || suite == "stable")
            && archive.components.iter().any(|component| component == "main")
    };
    archives.iter().find(is_main).map(|archive| archive.uri.trim_end_matches('/'))
}

/// `deb [option=value …] URI suite component…`, a line for an archive.
fn one_line(text: &str) -> Vec<Archive> {
    let archive = |line: &str| {
        let rest = line.trim().strip_prefix("deb")?;
        let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1,
            None => rest,
        };
        let rest = rest.split('#').next()?;
        let mut words = rest.split_whitespace().map(str::to_owned);
        Some(Archive { uri: words.next()?, suites: vec![words.next()?], components: words.collect() })
    };
    text.lines().filter_map(archive).collect()
}

/// Fields with their values, a paragraph for one archive or several.
fn deb822(text: &str) -> Vec<Archive> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut archives = Vec::new();
    for paragraph in lines.split(|line| line.trim().is_empty()) {
        let words = |name| field(paragraph, name);
        let is_enabled = words("Enabled").first().is_none_or(|word| word != "no");
        if is_enabled && words("Types").iter().any(|word| word == "deb") {
            archives.extend(words("URIs").into_iter().map(|uri| Archive {
                uri,
                suites: words("Suites"),
                components: words("Components"),
            }));
        }
    }
    archives
}

/// The words of a field; a line that begins with a space goes on with the field before it.
fn field(paragraph: &[&str], name: &str) -> Vec<String> {
    let mut is_wanted = false;
    let mut words = Vec::new();
    for line in paragraph {
        let mut rest = *line;
        if !line.starts_with([' ', '\t']) {
            let Some((key, value)) = line.split_once(':') else { continue };
            is_wanted = key.eq_ignore_ascii_case(name);
            rest = value;
        }
        if is_wanted {
            words.extend(rest.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn os_release<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_found_in_sources_of_the_new_form() {
        let text = "\
Types: deb deb-src
# http://old.example/archive/debian
URIs: http://mirror.example/debian/
Suites: bookworm
 bookworm-updates
Components: main contrib

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
";
        assert_eq!(distribution(&deb822(text), "bookworm"), Some("http://mirror.example/debian"));
        assert_eq!(distribution(&deb822(text), "trixie"), None);
    }

    #[test]
    fn the_mirror_is_found_in_sources_of_the_old_form() {
        let text = "\
# deb http://old.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb cdrom:[Debian]/ bookworm main
deb [arch=amd64 signed-by=/keys/a.gpg] https://mirror.example/pub/debian bookworm main contrib # ours
";
        assert_eq!(distribution(&one_line(text), "bookworm"), Some("https://mirror.example/pub/debian"));
    }

    #[test]
    fn a_vendors_repository_is_not_taken_for_the_distribution() {
        let mut archives = one_line("deb https://vendor.example/linux/debian bookworm stable\n");
        archives.extend(deb822("Types: deb\nURIs: https://other.example/debian\nSuites: nodistro\nComponents: main\n"));
        assert_eq!(distribution(&archives, "bookworm"), None);
    }

    #[test]
    fn what_is_switched_off_or_only_source_is_not_taken() {
        let rest = "URIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n";
        assert_eq!(deb822(&format!("Enabled: no\nTypes: deb\n{rest}")), []);
        assert_eq!(deb822(&format!("Types: deb-src\n{rest}")), []);
        assert_eq!(deb822(&format!("types: deb\n{rest}")).len(), 1);
    }

    #[test]
    fn the_release_is_read_with_and_without_quotes() {
        let text = "PRETTY_NAME=\"Debian\"\nVERSION_CODENAME=bookworm\nVERSION_ID=\"12\"\nID=debian\n";
        assert_eq!(os_release(text, "ID"), Some("debian"));
        assert_eq!(os_release(text, "VERSION_ID"), Some("12"));
        assert_eq!(os_release(text, "CODENAME"), None);
    }
}
