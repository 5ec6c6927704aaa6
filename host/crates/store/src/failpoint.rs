//! Named places where a test makes the daemon die, between two steps that only a crash can part, or lose the database's answer to a
//! commit.
//!
//! They are there with the feature `failpoints` alone, which nothing turns on but `cargo xtask faults`. Without it
//! [`FailPoint::hit`] and [`FailPoint::pass`] are empty.

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
    /// New jobs are committed, but the database's answer is lost.
    LostEnqueue = "lost-enqueue";
    /// Jobs are claimed and committed, but the database's answer is lost.
    LostClaim = "lost-claim";
    /// The ends of attempts are committed, but the database's answer is lost.
    LostFinish = "lost-finish";
}

#[cfg(not(feature = "failpoints"))]
impl FailPoint {
    /// Nothing.
    #[inline]
    pub const fn hit(self) {}

    /// Nothing.
    #[inline]
    pub(crate) const fn pass(self) -> Result<(), crate::StoreError> {
        Ok(())
    }
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::FailPoint;
    use crate::StoreError;

    static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();

    struct Armed {
        point: FailPoint,
        every: u32,
        passed: AtomicU32,
    }

    impl FailPoint {
        /// Arms places, with commas between them, each with how often it is passed before it fails: `mid-finish=5`. It fails every
        /// fifth time then, if the process lives on.
        ///
        /// # Errors
        /// In words, if there is no such place or no such number.
        pub fn arm(spec: &str) -> Result<(), String> {
            let armed = spec.split(',').map(Armed::parse).collect::<Result<_, _>>()?;
            ARMED.set(armed).map_err(|_| "fail points are armed already".to_owned())
        }

        /// Makes the process die here, without a chance to tidy up, if a test has said so.
        pub fn hit(self) {
            if self.is_due() {
                std::process::abort();
            }
        }

        /// Fails here as a connection that breaks, if a test has said so.
        pub(crate) fn pass(self) -> Result<(), StoreError> {
            match self.is_due() {
                true => Err(StoreError::new("commit", crate::error::DriverError::Closed)),
                false => Ok(()),
            }
        }

        fn is_due(self) -> bool {
            let armed = ARMED.get().into_iter().flatten().find(|armed| armed.point == self);
            armed.is_some_and(|armed| (armed.passed.fetch_add(1, Ordering::SeqCst) + 1) % armed.every == 0)
        }
    }

    impl Armed {
        fn parse(spec: &str) -> Result<Self, String> {
            let (name, every) = spec.split_once('=').unwrap_or((spec, "1"));
            let Some((point, _)) = FailPoint::ALL.iter().find(|(_, known)| *known == name) else {
                let names: Vec<_> = FailPoint::ALL.iter().map(|(_, name)| *name).collect();
                return Err(format!("there is no fail point `{name}`; there are {}", names.join(", ")));
            };
            let every: u32 = every.parse().map_err(|_| format!("`{every}` is not a number of times"))?;
            Ok(Self { point: *point, every: every.max(1), passed: AtomicU32::new(0) })
        }
    }
}
