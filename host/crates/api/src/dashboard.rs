//! The files of the dashboard, as they were when this crate was built.

/// The files that `cargo xtask dashboard` had built; none if it had not run.
pub(crate) const EMBEDDED: Dashboard = Dashboard(include!(concat!(env!("OUT_DIR"), "/dashboard.rs")));

/// The folder of the files whose name has a hash of what is in them.
pub(crate) const HASHED: &str = "/assets/";

/// Where the page itself is.
const INDEX: &str = "/index.html";

/// A set of files that make a dashboard.
#[derive(Clone, Copy)]
pub(crate) struct Dashboard(&'static [File]);

/// One file of it.
pub(crate) struct File {
    /// Its path in a URL.
    path: &'static str,
    /// What it is.
    pub(crate) content_type: &'static str,
    /// What is in it.
    pub(crate) bytes: &'static [u8],
}

impl Dashboard {
    /// The page, on whichever path it is opened; `None` if the dashboard was not built.
    pub(crate) fn page(self) -> Option<&'static File> {
        self.file(INDEX)
    }

    /// The file of this path.
    pub(crate) fn file(self, path: &str) -> Option<&'static File> {
        self.0.iter().find(|file| file.path == path)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A dashboard as it comes out of the build, but small.
    pub(crate) const SAMPLE: Dashboard = Dashboard(&[
        File { path: "/assets/index-Abc123.js", content_type: "text/javascript; charset=utf-8", bytes: b"start()" },
        File { path: "/index.html", content_type: "text/html; charset=utf-8", bytes: b"<!doctype html>" },
    ]);

    /// As it is where nobody built it.
    pub(crate) const NONE: Dashboard = Dashboard(&[]);

    #[test]
    fn a_file_is_found_by_its_whole_path_alone() {
        assert_eq!(SAMPLE.file("/assets/index-Abc123.js").unwrap().bytes, b"start()");
        for path in ["assets/index-Abc123.js", "/assets/", "/assets/../index.html", "/index-Abc123.js", ""] {
            assert!(SAMPLE.file(path).is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_embedded_is_a_whole_dashboard_or_none() {
        match EMBEDDED.page() {
            Some(page) => {
                let page = std::str::from_utf8(page.bytes).unwrap();
                let named = page.split('"').filter(|word| word.starts_with(HASHED));
                let missing: Vec<_> = named.clone().filter(|path| EMBEDDED.file(path).is_none()).collect();
                assert!(named.count() >= 2 && missing.is_empty(), "{missing:?} in {page}");
            }
            None => assert!(EMBEDDED.0.is_empty()),
        }
    }
}
