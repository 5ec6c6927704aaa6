//! When to look at the plugins directory: after an event of the file system, and now and then.
//!
//! Events are hints. They are lost on network file systems and when a queue overflows, so a slow rescan stands behind them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, Event, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tracing::warn;

use crate::text;

/// How often the directory is looked at when no event came. Also how long it takes until a fault that mends itself (a granted
/// directory that is made later) is noticed.
pub(crate) const RESCAN: Duration = Duration::from_secs(5);

/// Events of the file system, as hints without content.
pub(crate) struct Hints {
    came: Arc<Notify>,
    /// Events end when it is dropped.
    _watcher: Option<RecommendedWatcher>,
}

impl Hints {
    /// Listens to a directory. Where that is not possible no hint ever comes, and the rescan does the work.
    pub(crate) fn listen(directory: &Path) -> Self {
        let came = Arc::new(Notify::new());
        let tell = Arc::clone(&came);
        let watcher = notify::recommended_watcher(move |event| {
            if is_change(&event) {
                tell.notify_one();
            }
        })
        .and_then(|mut watcher| {
            watcher.watch(directory, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        let watcher = watcher.inspect_err(|error| {
            let (path, every, reason) = (directory.display(), text::span(RESCAN), text::chain(error));
            warn!("`{path}` is only looked at every {every}, its changes cannot be listened to: {reason}");
        });
        Self { came, _watcher: watcher.ok() }
    }

    pub(crate) async fn next(&self) {
        self.came.notified().await;
    }
}

/// Whether a file may have changed. That one was opened is told too, and would make every look call for the next.
fn is_change(event: &notify::Result<Event>) -> bool {
    match event {
        Ok(event) => match event.kind {
            EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
            _ => true,
        },
        // Something was lost: look.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_does_not_call_for_the_next_look_and_a_change_does() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.wasm");
        std::fs::write(&file, "a").unwrap();
        let hints = Hints::listen(dir.path());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        std::fs::read(&file).unwrap();
        let none = tokio::time::timeout(Duration::from_millis(300), hints.next()).await;
        assert!(none.is_err(), "reading is no change");
        std::fs::write(&file, "b").unwrap();
        tokio::time::timeout(Duration::from_secs(10), hints.next()).await.expect("writing is one");
    }
}
