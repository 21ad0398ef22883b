//! Where people within the network ask after dead letters: how copying goes, what there is, and to send it again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use weir_proto::lane::v1::Snapshot;

use super::listing::{self, Asked, Page};
use super::redrive::{Account, Kept, Phase, Progress, Run, Wish};
use super::{Copier, DeadLetters, Post, Row, routes};
use crate::driver::Shared;
use crate::platform::Platform;
use crate::platform::kafka::KafkaError;

/// Pages that are read at once: each holds a read, unpacked.
const LISTINGS_MAX: usize = 2;
/// Topics that are redriven at once.
const REDRIVES_MAX: usize = 4;

/// Why it is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such dead-letter topic.
    #[error("No topic's contract that is served here names a dead-letter topic of this id.")]
    Unknown,
    /// Nobody began one.
    #[error("No redrive of this topic was begun since the agent started.")]
    NoRedrive,
    /// One is enough.
    #[error("A redrive of this topic is running: wait for its end, or cancel it.")]
    Running,
    /// Memory is bounded.
    #[error("Redrives of four other topics are running: wait for the end of one.")]
    TooMany,
    /// It cannot be read now.
    #[error("The topic cannot be read now: {0}.")]
    Kafka(#[from] KafkaError),
}

/// A redrive that was begun.
struct Begun {
    account: Arc<Account>,
    stop: CancellationToken,
    task: AbortHandle,
}

impl Begun {
    fn runs(&self) -> bool {
        if self.task.is_finished() {
            self.account.end_if_running();
        }
        self.account.progress().phase == Phase::Running
    }
}

#[derive(Default)]
struct Desk {
    /// By dead-letter topics' ids, the last of each.
    redrives: BTreeMap<String, Begun>,
    tasks: JoinSet<()>,
}

/// What is asked about dead letters is asked here. Redrives end with it.
pub struct Office {
    post: Post,
    /// Where it is kept how far was redriven.
    folder: PathBuf,
    copying: Arc<DeadLetters>,
    desk: Mutex<Desk>,
    listings: Semaphore,
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office").finish_non_exhaustive()
    }
}

impl Office {
    /// Begins to copy for an agent that serves these snapshots, and takes questions.
    pub fn open(
        platform: &Platform,
        shared: &Shared,
        snapshot: watch::Receiver<Arc<Snapshot>>,
        state_dir: &Path,
        tasks: &mut JoinSet<()>,
    ) -> Arc<Self> {
        let post = Post {
            logs: Arc::clone(&platform.logs),
            snapshot,
            directory: Arc::clone(&shared.directory),
        };
        let office = Self::new(post.clone(), state_dir);
        let copier = Copier {
            post,
            status: Arc::clone(&office.copying),
        };
        tasks.spawn(copier.run());
        Arc::new(office)
    }

    /// Takes questions; nothing is copied.
    #[must_use]
    pub fn new(post: Post, state_dir: &Path) -> Self {
        Self {
            post,
            folder: state_dir.join("redriven"),
            copying: Arc::default(),
            desk: Mutex::default(),
            listings: Semaphore::new(LISTINGS_MAX),
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How copying goes.
    #[must_use]
    pub fn copying(&self) -> Vec<Row> {
        self.copying.list()
    }

    /// What there is, a page of it.
    ///
    /// # Errors
    /// [`Refusal`]
    pub async fn list(&self, id: &str, asked: Asked) -> Result<Page, Refusal> {
        let _room = self.listings.acquire().await;
        listing::list(&self.post, id, asked).await
    }

    /// Begins to redrive.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn begin(&self, id: &str, wish: Wish) -> Result<Progress, Refusal> {
        let (name, owner) = {
            let snapshot = self.post.snapshot.borrow();
            let target = routes::target(&snapshot, id).ok_or(Refusal::Unknown)?;
            let owner = target.owner().ok_or(Refusal::Unknown)?;
            (target.topic.name.clone(), owner)
        };
        let mut desk = self.desk();
        while desk.tasks.try_join_next().is_some() {}
        if desk.redrives.get(id).is_some_and(Begun::runs) {
            return Err(Refusal::Running);
        }
        if desk.redrives.values().filter(|it| it.runs()).count() >= REDRIVES_MAX {
            return Err(Refusal::TooMany);
        }
        let account = Arc::new(Account::new(id, name, &wish));
        let stop = CancellationToken::new();
        let run = Run::new(
            self.post.clone(),
            id.to_owned(),
            wish,
            Kept::new(&self.folder, &owner),
            Arc::clone(&account),
            stop.clone(),
        );
        let task = desk.tasks.spawn(run.run());
        let progress = account.progress();
        let begun = Begun { account, stop, task };
        desk.redrives.insert(id.to_owned(), begun);
        Ok(progress)
    }

    /// How a redrive goes, or how the last one ended.
    ///
    /// # Errors
    /// [`Refusal::NoRedrive`]
    pub fn look(&self, id: &str) -> Result<Progress, Refusal> {
        self.with(id, |begun| begun.account.progress())
    }

    /// Ends a redrive after its transaction at hand.
    ///
    /// # Errors
    /// [`Refusal::NoRedrive`]
    pub fn cancel(&self, id: &str) -> Result<Progress, Refusal> {
        self.with(id, |begun| {
            begun.stop.cancel();
            begun.account.progress()
        })
    }

    fn with<T>(&self, id: &str, ask: impl FnOnce(&Begun) -> T) -> Result<T, Refusal> {
        let desk = self.desk();
        let begun = desk.redrives.get(id).ok_or(Refusal::NoRedrive)?;
        let _told_if_it_ended_by_itself = begun.runs();
        Ok(ask(begun))
    }
}
