//! Lends parts of budgets, and remembers to whom across restarts: what was lent before one must not be lent again.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use weir_proto::lane::v1::{LeaseRequest, Leases};

use super::leases::Lessor;
use crate::disk;

const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The lessor and its memory on disk.
#[derive(Debug)]
pub struct Budgets {
    inner: Mutex<Inner>,
    path: PathBuf,
}

#[derive(Debug)]
struct Inner {
    lessor: Lessor,
    kept: Vec<String>,
}

impl Budgets {
    /// Opens the memory in `folder`.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        disk::private_folder(folder)?;
        let path = folder.join("gateways.json");
        let kept: Vec<String> = disk::read_json(&path, FILE_BYTES_MAX)?.unwrap_or_default();
        let lessor = Lessor::new(Instant::now(), kept.iter().cloned());
        Ok(Self {
            inner: Mutex::new(Inner { lessor, kept }),
            path,
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a gateway's request; `None`: nothing is lent yet.
    pub async fn answer(self: &Arc<Self>, gateway: &str, request: &LeaseRequest) -> Option<Leases> {
        let answer = self.inner().lessor.answer(Instant::now(), gateway, request);
        self.keep().await;
        answer
    }

    /// A gateway ended in order.
    pub async fn leave(self: &Arc<Self>, gateway: &str) {
        self.inner().lessor.leave(gateway);
        self.keep().await;
    }

    /// Writes down who shares the budgets, when that changed.
    async fn keep(self: &Arc<Self>) {
        let known = {
            let mut inner = self.inner();
            let known = inner.lessor.known();
            if known == inner.kept {
                return;
            }
            inner.kept.clone_from(&known);
            known
        };
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || disk::write_json(&path, &known)).await;
        if let Err(error) = written.map_err(io::Error::other).and_then(|it| it) {
            tracing::error!(%error, "the gateways that share budgets could not be written down");
        }
    }
}
