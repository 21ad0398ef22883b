//! How far a topic was redriven, on disk besides: Kafka forgets the positions of a group that nobody uses
//! (`offsets.retention.minutes`, seven days), and what is read from the beginning again would be delivered again.

use std::io;
use std::path::{Path, PathBuf};

use crate::dead_letters::track::Offsets;
use crate::disk;

const BYTES_MAX: u64 = 1 << 20;

/// One topic's file. It may be behind what Kafka keeps, never before it.
#[derive(Debug, Clone)]
pub struct Kept {
    path: PathBuf,
}

impl Kept {
    /// In a folder, under the name of whoever redrives.
    #[must_use]
    pub fn new(folder: &Path, owner: &str) -> Self {
        Self {
            path: folder.join(format!("{owner}.json")),
        }
    }

    /// What was kept.
    ///
    /// # Errors
    /// As the file system says, and when it is something else: then letters might be delivered again.
    pub async fn read(&self) -> io::Result<Offsets> {
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || disk::read_json(&path, BYTES_MAX));
        Ok(read.await.map_err(io::Error::other)??.unwrap_or_default())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// As the file system says.
    pub async fn write(&self, offsets: &Offsets) -> io::Result<()> {
        let (path, offsets) = (self.path.clone(), offsets.clone());
        let write = tokio::task::spawn_blocking(move || {
            if let Some(folder) = path.parent() {
                disk::private_folder(folder)?;
            }
            disk::write_json(&path, &offsets)
        });
        write.await.map_err(io::Error::other)?
    }
}
