//! Named places where a test makes the daemon die: between two steps that only a crash can part.
//!
//! They are there with the feature `failpoints` alone, which nothing turns on but `cargo xtask faults`. Without it
//! [`FailPoint::hit`] is empty.

macro_rules! fail_points {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// A place where the daemon can be made to die.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FailPoint {
            $($(#[$doc])* $name,)*
        }

        #[cfg(feature = "failpoints")]
        impl FailPoint {
            /// All of them, by name.
            const ALL: &[(Self, &'static str)] = &[$((Self::$name, $text),)*];
        }
    };
}

fail_points! {
    /// New jobs are in the database, not yet committed.
    MidEnqueue = "mid-enqueue";
    /// New jobs are committed, nobody has been told.
    AfterEnqueue = "after-enqueue";
    /// Jobs are claimed, not yet committed.
    MidClaim = "mid-claim";
    /// Jobs are claimed, none has started.
    AfterClaim = "after-claim";
    /// Attempts have ended, nothing of that is written.
    BeforeFinish = "before-finish";
    /// The ends of attempts are written, not yet committed.
    MidFinish = "mid-finish";
    /// The ends of attempts are committed, nobody has been told.
    AfterFinish = "after-finish";
    /// Jobs are taken away from dead workers, not yet committed.
    MidRescue = "mid-rescue";
}

#[cfg(not(feature = "failpoints"))]
impl FailPoint {
    /// Nothing.
    #[inline]
    pub const fn hit(self) {}
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::FailPoint;

    static ARMED: OnceLock<(FailPoint, AtomicU32)> = OnceLock::new();

    impl FailPoint {
        /// Makes the process die, without a chance to tidy up, when it comes to a place for the n-th time: `mid-finish=5`.
        ///
        /// # Errors
        /// In words, if there is no such place or no such number.
        pub fn arm(spec: &str) -> Result<(), String> {
            let (name, times) = spec.split_once('=').unwrap_or((spec, "1"));
            let names: Vec<_> = Self::ALL.iter().map(|(_, name)| *name).collect();
            let Some((point, _)) = Self::ALL.iter().find(|(_, known)| *known == name) else {
                return Err(format!("there is no fail point `{name}`; there are {}", names.join(", ")));
            };
            let times: u32 = times.parse().map_err(|_| format!("`{times}` is not a number of times"))?;
            ARMED.set((*point, AtomicU32::new(times.max(1)))).map_err(|_| "one fail point is armed already".to_owned())
        }

        /// Dies here if a test has said so.
        pub fn hit(self) {
            if let Some((point, left)) = ARMED.get()
                && *point == self
                && left.fetch_sub(1, Ordering::SeqCst) == 1
            {
                std::process::abort();
            }
        }
    }
}
