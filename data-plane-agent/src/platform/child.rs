//! One supervised child: started, recorded, adopted again after a restart of the agent, restarted with growing pauses, ended.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::process::{Ending, Identity, Processes, Program};
use crate::backoff::Backoff;
use crate::disk;

/// A child that ran this long starts with short pauses again.
const STEADY: Duration = Duration::from_secs(60);

/// What is kept on disk of a running child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    identity: Identity,
    /// What it was started with; another one means that it must be started anew.
    fingerprint: String,
}

/// Where a child stands after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It runs, and did before.
    Running,
    /// It was started now.
    Started,
    /// It failed and rests until the given time.
    Resting(Instant),
    /// An older one is on its way out.
    Ending,
}

/// A child and what is known of it.
pub struct Child {
    record_path: PathBuf,
    record: Option<Record>,
    since: Instant,
    backoff: Backoff,
    rest_until: Option<Instant>,
    ending_since: Option<Instant>,
}

impl Child {
    /// The child called `name`, with what the folder remembers of it.
    ///
    /// # Errors
    /// As the file system says.
    pub fn remembered(folder: &Path, name: &str, now: Instant) -> io::Result<Self> {
        disk::private_folder(folder)?;
        let record_path = folder.join(format!("{name}.pid"));
        // A record that cannot be read is as good as none: the child is then found by its tag.
        let record = disk::read_json(&record_path, 64 * 1024).unwrap_or(None);
        Ok(Self {
            record_path,
            record,
            since: now,
            backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(30)),
            rest_until: None,
            ending_since: None,
        })
    }

    /// The process id, if it is running.
    #[must_use]
    pub fn running(&self, processes: &dyn Processes) -> Option<i32> {
        let record = self.record.as_ref()?;
        processes.alive(&record.identity).then_some(record.identity.pid)
    }

    /// It runs with something else than `fingerprint`: the next [`Child::ensure`] would start it anew.
    #[must_use]
    pub fn is_outdated(&self, processes: &dyn Processes, fingerprint: &str) -> bool {
        self.running(processes).is_some()
            && self
                .record
                .as_ref()
                .is_some_and(|record| record.fingerprint != fingerprint)
    }

    /// Takes one step towards: it runs, as `program` says. Never waits.
    ///
    /// # Errors
    /// When it cannot be started or recorded.
    pub fn ensure(
        &mut self,
        processes: &dyn Processes,
        program: &Program,
        fingerprint: &str,
        now: Instant,
    ) -> io::Result<Step> {
        if self.record.is_none() {
            self.adopt_unrecorded(processes, program, fingerprint, now)?;
        }
        if let Some(record) = self.record.clone() {
            if processes.alive(&record.identity) {
                if record.fingerprint == fingerprint {
                    if now.duration_since(self.since) > STEADY {
                        self.backoff.succeed();
                    }
                    self.ending_since = None;
                    return Ok(Step::Running);
                }
                tracing::info!(
                    child = program.name,
                    "started anew: what it runs with has changed"
                );
                self.end(processes, Duration::from_secs(40), now)?;
                return Ok(Step::Ending);
            }
            self.forget()?;
            let wished = self.ending_since.take().is_some();
            if !wished {
                let pause = self.backoff.next_pause();
                tracing::warn!(
                    child = program.name,
                    ?pause,
                    "a child ended by itself; it rests and starts again"
                );
                self.rest_until = Some(now + pause);
            }
        }
        if let Some(until) = self.rest_until.filter(|until| *until > now) {
            return Ok(Step::Resting(until));
        }
        self.rest_until = None;
        let identity = match processes.spawn(program) {
            Ok(identity) => identity,
            Err(error) => {
                self.rest_until = Some(now + self.backoff.next_pause());
                return Err(error);
            }
        };
        self.remember(identity, fingerprint, now)?;
        Ok(Step::Started)
    }

    /// The agent may have died between starting a child and recording it.
    fn adopt_unrecorded(
        &mut self,
        processes: &dyn Processes,
        program: &Program,
        fingerprint: &str,
        now: Instant,
    ) -> io::Result<()> {
        match processes.find(&program.tag) {
            Some(identity) => {
                tracing::info!(
                    child = program.name,
                    pid = identity.pid,
                    "found a child without a record and adopted it"
                );
                self.remember(identity, fingerprint, now)
            }
            None => Ok(()),
        }
    }

    /// Takes one step towards: it is gone. SIGTERM first, SIGKILL after `patience`. Says whether it is gone. Never waits.
    ///
    /// # Errors
    /// When it cannot be signalled or its record not removed.
    pub fn end(&mut self, processes: &dyn Processes, patience: Duration, now: Instant) -> io::Result<bool> {
        let Some(record) = &self.record else {
            return Ok(true);
        };
        if !processes.alive(&record.identity) {
            self.forget()?;
            return Ok(true);
        }
        match self.ending_since {
            None => {
                processes.end(&record.identity, Ending::Terminate)?;
                self.ending_since = Some(now);
            }
            Some(since) if now.duration_since(since) > patience => {
                tracing::warn!(
                    pid = record.identity.pid,
                    "a child did not end in time and is killed"
                );
                processes.end(&record.identity, Ending::Kill)?;
            }
            Some(_patient) => {}
        }
        Ok(false)
    }

    fn remember(&mut self, identity: Identity, fingerprint: &str, now: Instant) -> io::Result<()> {
        let record = Record {
            identity,
            fingerprint: fingerprint.to_owned(),
        };
        disk::write_json(&self.record_path, &record)?;
        self.record = Some(record);
        self.since = now;
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        self.record = None;
        match std::fs::remove_file(&self.record_path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _gone => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeProcesses;
    use super::super::process::RealProcesses;
    use super::*;

    fn sleeper(folder: &Path, name: &str) -> Program {
        Program {
            name: name.to_owned(),
            executable: "/bin/sleep".into(),
            arguments: vec!["600".to_owned()],
            log: folder.join("log"),
            tag: folder.join(name).display().to_string(),
            ..Program::default()
        }
    }

    /// Steps until `done`, with a deadline.
    async fn until(mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done() {
            assert!(Instant::now() < deadline, "not within ten seconds");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_real_child_is_adopted_again_and_ends_on_wish() {
        let folder = tempfile::tempdir().unwrap();
        let program = sleeper(folder.path(), "one");
        let open = || Child::remembered(folder.path(), "one", Instant::now()).unwrap();
        let mut first = open();
        assert_eq!(
            first
                .ensure(&RealProcesses, &program, "v1", Instant::now())
                .unwrap(),
            Step::Started
        );
        let pid = first.running(&RealProcesses).unwrap();
        drop(first);
        let mut second = open();
        assert_eq!(
            second
                .ensure(&RealProcesses, &program, "v1", Instant::now())
                .unwrap(),
            Step::Running
        );
        assert_eq!(second.running(&RealProcesses), Some(pid));
        // A record that was never written: the child is found by its mark.
        std::fs::remove_file(folder.path().join("one.pid")).unwrap();
        let mut third = open();
        assert_eq!(
            third
                .ensure(&RealProcesses, &program, "v1", Instant::now())
                .unwrap(),
            Step::Running
        );
        assert_eq!(third.running(&RealProcesses), Some(pid));
        until(|| {
            third
                .end(&RealProcesses, Duration::from_secs(30), Instant::now())
                .unwrap()
        })
        .await;
        assert_eq!(third.running(&RealProcesses), None);
        assert!(RealProcesses.find(&program.tag).is_none());
    }

    #[tokio::test]
    async fn a_pid_of_somebody_else_is_never_ours() {
        let folder = tempfile::tempdir().unwrap();
        let program = sleeper(folder.path(), "two");
        let identity = RealProcesses.spawn(&program).unwrap();
        let stranger = Identity {
            started_ticks: identity.started_ticks + 1,
            ..identity.clone()
        };
        assert!(RealProcesses.alive(&identity));
        assert!(!RealProcesses.alive(&stranger));
        RealProcesses.end(&stranger, Ending::Kill).unwrap();
        assert!(
            RealProcesses.alive(&identity),
            "another start time is another process: not signalled"
        );
        RealProcesses.end(&identity, Ending::Kill).unwrap();
        until(|| !RealProcesses.alive(&identity)).await;
    }

    #[test]
    fn a_failing_child_rests_longer_each_time_and_a_changed_one_starts_anew() {
        let folder = tempfile::tempdir().unwrap();
        let program = sleeper(folder.path(), "three");
        let processes = FakeProcesses::default();
        let mut now = Instant::now();
        let mut child = Child::remembered(folder.path(), "three", now).unwrap();
        let mut rests = Vec::new();
        for _ in 0..5 {
            assert_eq!(
                child.ensure(&processes, &program, "v1", now).unwrap(),
                Step::Started
            );
            processes.crash("three");
            let Step::Resting(until) = child.ensure(&processes, &program, "v1", now).unwrap() else {
                panic!("a child that just failed rests");
            };
            rests.push(until - now);
            now = until;
        }
        assert!(rests[4] > rests[0] * 3, "{rests:?}");
        assert_eq!(
            child.ensure(&processes, &program, "v1", now).unwrap(),
            Step::Started
        );
        assert_eq!(
            child.ensure(&processes, &program, "v2", now).unwrap(),
            Step::Ending
        );
        assert_eq!(
            child.ensure(&processes, &program, "v2", now).unwrap(),
            Step::Started,
            "a wished end is no failure"
        );
        assert_eq!(
            child.ensure(&processes, &program, "v2", now).unwrap(),
            Step::Running
        );
    }

    #[test]
    fn a_child_that_ignores_the_polite_signal_is_killed_after_patience() {
        let folder = tempfile::tempdir().unwrap();
        let program = sleeper(folder.path(), "four");
        let processes = FakeProcesses::stubborn();
        let now = Instant::now();
        let mut child = Child::remembered(folder.path(), "four", now).unwrap();
        child.ensure(&processes, &program, "v1", now).unwrap();
        let patience = Duration::from_secs(30);
        assert!(!child.end(&processes, patience, now).unwrap());
        assert!(
            !child
                .end(&processes, patience, now + Duration::from_secs(29))
                .unwrap()
        );
        assert!(processes.is_alive("four"));
        assert!(
            !child
                .end(&processes, patience, now + Duration::from_secs(31))
                .unwrap()
        );
        assert!(
            child
                .end(&processes, patience, now + Duration::from_secs(31))
                .unwrap()
        );
        assert!(!processes.is_alive("four"));
    }
}
