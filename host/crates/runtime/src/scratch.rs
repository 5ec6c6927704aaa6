//! The two directories of a job on this host: `/out`, fresh for each attempt, and `/tmp`, kept between attempts. They are made when a
//! guest first looks for its directories: most never do, and a job without files costs no call to the disk.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use windlass_model::JobId;

/// The directories of all jobs on this host.
pub(crate) struct Scratches {
    work_dir: PathBuf,
    /// The jobs that have some. Nobody else makes any here, so for other jobs nothing is to be removed.
    made: Mutex<HashSet<JobId>>,
}

/// The directories of one attempt, made or not.
#[derive(Clone)]
pub(crate) struct Scratch {
    of: Arc<Scratches>,
    job: JobId,
    lease: u64,
}

/// Where the directories of one attempt are.
pub(crate) struct Places {
    /// What the guest sees as `/out`. It has the lease in its path: an attempt that lost its job may still be running, and
    /// must not write into the output of the one that has it.
    pub(crate) out: PathBuf,
    /// What the guest sees as `/tmp`.
    pub(crate) tmp: PathBuf,
}

impl Scratches {
    /// Notes what earlier daemons left: a job whose attempt they began may go on here.
    pub(crate) fn open(work_dir: &Path) -> io::Result<Self> {
        let mut made = HashSet::new();
        for entry in fs::read_dir(work_dir)? {
            // Whatever else lies there is not ours.
            made.extend(entry?.file_name().to_str().and_then(|name| name.parse::<JobId>().ok()));
        }
        Ok(Self { work_dir: work_dir.to_path_buf(), made: Mutex::new(made) })
    }

    /// Those of one attempt. Makes nothing yet.
    pub(crate) fn of(self: &Arc<Self>, job: JobId, lease: u64) -> Scratch {
        Scratch { of: Arc::clone(self), job, lease }
    }

    /// Which of these jobs have directories here. They count as removed from now on.
    pub(crate) fn take(&self, jobs: &[JobId]) -> Vec<JobId> {
        let mut made = self.lock();
        jobs.iter().copied().filter(|job| made.remove(job)).collect()
    }

    /// Removes all that is kept of a job. Blocks.
    pub(crate) fn remove(&self, job: JobId) -> io::Result<()> {
        remove(&self.own(job))
    }

    fn own(&self, job: JobId) -> PathBuf {
        self.work_dir.join(job.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<JobId>> {
        // A set of ids, whole after every step.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scratch {
    /// Whose they are.
    pub(crate) fn job(&self) -> JobId {
        self.job
    }

    /// Makes them. What earlier attempts left in `/out` is removed. Blocks.
    pub(crate) fn make(&self) -> io::Result<Places> {
        // Before there is anything: what is made in part is to be removed too.
        self.of.lock().insert(self.job);
        let own = self.of.own(self.job);
        remove(&own.join("out"))?;
        let places = self.places();
        fs::create_dir_all(&places.out)?;
        fs::create_dir_all(&places.tmp)?;
        Ok(places)
    }

    /// Where they are once they are made.
    pub(crate) fn places(&self) -> Places {
        let own = self.of.own(self.job);
        Places { out: own.join("out").join(self.lease.to_string()), tmp: own.join("tmp") }
    }

    /// Removes `/out`. Blocks.
    pub(crate) fn discard_out(&self) -> io::Result<()> {
        remove(&self.places().out)
    }
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(n: u128) -> JobId {
        JobId::from_uuid(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn only_what_was_made_is_to_be_removed_also_after_a_restart() {
        let work = tempfile::tempdir().unwrap();
        fs::write(work.path().join("notes"), "").unwrap();
        let scratches = Arc::new(Scratches::open(work.path()).unwrap());
        scratches.of(job(1), 1);
        scratches.of(job(2), 1).make().unwrap();
        let scratches = Scratches::open(work.path()).unwrap();
        assert_eq!(scratches.take(&[job(1), job(2)]), [job(2)]);
        scratches.remove(job(2)).unwrap();
        assert_eq!(scratches.take(&[job(2)]), []);
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1, "what is not a job's is left alone");
    }

    #[test]
    fn an_attempt_sees_the_scratch_of_the_one_before_it_and_not_its_output() {
        let work = tempfile::tempdir().unwrap();
        let scratches = Arc::new(Scratches::open(work.path()).unwrap());
        let first = scratches.of(job(1), 1).make().unwrap();
        fs::write(first.out.join("a"), "").unwrap();
        fs::write(first.tmp.join("a"), "").unwrap();
        let second = scratches.of(job(1), 2).make().unwrap();
        assert!(!first.out.exists() && second.tmp.join("a").exists());
    }
}
