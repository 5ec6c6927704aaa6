//! What other daemons changed, as soon as they did.

use async_trait::async_trait;

use crate::StoreError;

/// Where one can hear what other daemons change.
pub trait ChangeSource: Send + Sync {
    /// A feed of its own. It takes nothing from the database before it is first asked.
    fn changes(&self) -> Box<dyn ChangeFeed>;
}

/// Hears what is committed to the database. A hint and no more: it may be late, come twice, or not at all, so whoever listens looks
/// by himself now and then too.
#[async_trait]
pub trait ChangeFeed: Send {
    /// Waits until somebody changed something, this daemon too. The first answer, and the first one after an error, is
    /// [`Changes::ANYTHING`]: what happened before was not heard. After an error the next call tries anew.
    ///
    /// Never returns where there is nobody to hear from: a database that one daemon owns alone, or a pooler that passes nothing on.
    async fn next(&mut self) -> Result<Changes, StoreError>;
}

/// What a transaction changed that another daemon may be waiting for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Jobs became available.
    pub available: bool,
    /// Jobs wait for their time, perhaps an earlier one than those before.
    pub scheduled: bool,
    /// Jobs that run are to be cancelled.
    pub cancels: bool,
    /// Other versions of tasks are in service.
    pub tasks: bool,
}

impl Changes {
    /// Nobody knows what changed.
    pub const ANYTHING: Self = Self { available: true, scheduled: true, cancels: true, tasks: true };

    /// A letter for each kind, as it goes from daemon to daemon; empty if nothing changed.
    pub(crate) fn letters(self) -> String {
        let kinds = [(self.available, 'a'), (self.scheduled, 's'), (self.cancels, 'c'), (self.tasks, 't')];
        kinds.into_iter().filter(|(is_changed, _)| *is_changed).map(|(_, letter)| letter).collect()
    }

    /// The reverse. A letter that means nothing here is a later version's.
    pub(crate) fn of_letters(letters: &str) -> Self {
        let has = |letter| letters.contains(letter);
        Self { available: has('a'), scheduled: has('s'), cancels: has('c'), tasks: has('t') }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_mean_what_they_were_made_of() {
        for changes in [
            Changes::default(),
            Changes::ANYTHING,
            Changes { scheduled: true, ..Changes::default() },
            Changes { cancels: true, ..Changes::default() },
            Changes { tasks: true, ..Changes::default() },
        ] {
            assert_eq!(Changes::of_letters(&changes.letters()), changes);
        }
        assert_eq!(Changes::default().letters(), "");
        assert_eq!(Changes::of_letters("xa?"), Changes { available: true, ..Changes::default() });
    }
}
