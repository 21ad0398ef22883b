//! The driver's end of a pool's keeper: what is wished of it, and what it tells.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::session::Clients;
use super::sql_job::Wished;
use super::told::Told;

/// What is wished of one pool's Flink.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Its jobs, those too that shall end.
    pub jobs: Vec<Wished>,
    /// TaskManagers.
    pub task_managers: u32,
    /// Their size, as a place among [`super::sizes::SIZES`].
    pub size: usize,
    /// All processes shall end: the agent ends, and jobs go on later. They end with savepoints, as far as these are there soon.
    pub ends: bool,
}

#[derive(Default)]
pub(super) struct Board {
    pub(super) jobs: BTreeMap<String, Told>,
    pub(super) processes: usize,
    /// Both ends of it, while it takes statements.
    pub(super) open: Option<Clients>,
}

/// The driver's end of a keeper.
pub struct Handle {
    pub(super) wish: watch::Sender<Wish>,
    pub(super) board: Arc<Mutex<Board>>,
}

/// Where a pool's Flink is found by those who have a question and no job.
#[derive(Clone, Default)]
pub struct Window(Arc<Mutex<Board>>);

impl Window {
    /// Both ends of it, while it takes statements.
    #[must_use]
    pub fn open(&self) -> Option<Clients> {
        lock(&self.0).open.clone()
    }

    /// Of a Flink that is there.
    #[cfg(test)]
    pub fn of(clients: Clients) -> Self {
        let board = Board {
            open: Some(clients),
            ..Board::default()
        };
        Self(Arc::new(Mutex::new(board)))
    }
}

impl Handle {
    /// Says what is wished from now on.
    pub fn wish(&self, wish: Wish) {
        self.wish.send_replace(wish);
    }

    /// Ends everything.
    pub fn end(&self) {
        self.wish.send_if_modified(|wish| {
            let news = !wish.ends;
            wish.ends = true;
            for job in &mut wish.jobs {
                job.runs = false;
            }
            news
        });
    }

    /// How a job goes.
    #[must_use]
    pub fn told(&self, job: &str) -> Told {
        lock(&self.board).jobs.get(job).cloned().unwrap_or_default()
    }

    /// Processes that run.
    #[must_use]
    pub fn processes(&self) -> usize {
        lock(&self.board).processes
    }

    /// For those who have a question.
    #[must_use]
    pub fn window(&self) -> Window {
        Window(Arc::clone(&self.board))
    }
}

pub(super) fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}
