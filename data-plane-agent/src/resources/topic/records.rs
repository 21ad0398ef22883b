//! Which topic of Kafka is which topic of ours: the id that Kafka gave when we made it, and whether it was destroyed since.
//!
//! A name can be used again; an id cannot. Without this a tombstone that is still named could destroy the next topic of its name.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::disk;
use crate::platform::kafka::PhysicalId;

const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What is known of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Kafka's id of it.
    pub physical_id: Uuid,
    /// Its tombstone was carried out.
    pub buried: bool,
}

/// The records of all topics, on disk. Written before anything depends on them.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    topics: BTreeMap<String, Record>,
    begun_path: PathBuf,
    begun: BTreeSet<String>,
}

impl Records {
    /// Opens the records of `folder`.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("topics.json");
        let topics = disk::read_json(&path, FILE_BYTES_MAX)?.unwrap_or_default();
        let begun_path = folder.join("topics-begun.json");
        let begun = disk::read_json(&begun_path, FILE_BYTES_MAX)?.unwrap_or_default();
        Ok(Self {
            path,
            topics,
            begun_path,
            begun,
        })
    }

    /// What is known of a topic.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Record> {
        self.topics.get(id).copied()
    }

    /// Kafka's id of a topic that exists.
    #[must_use]
    pub fn physical_id(&self, id: &str) -> Option<PhysicalId> {
        self.get(id)
            .filter(|it| !it.buried)
            .map(|it| it.physical_id.into_bytes())
    }

    /// Did we begin to make a topic, and never heard what became of it?
    #[must_use]
    pub fn is_begun(&self, id: &str) -> bool {
        self.begun.contains(id)
    }

    /// Notes that a topic is about to be made where others make topics too.
    ///
    /// # Errors
    /// As the file system says.
    pub fn begin(&mut self, id: &str) -> io::Result<()> {
        if self.begun.insert(id.to_owned()) {
            disk::write_json(&self.begun_path, &self.begun)?;
        }
        Ok(())
    }

    /// Notes that what was begun has an end.
    ///
    /// # Errors
    /// As the file system says.
    pub fn settle(&mut self, id: &str) -> io::Result<()> {
        if self.begun.remove(id) {
            disk::write_json(&self.begun_path, &self.begun)?;
        }
        Ok(())
    }

    /// Notes Kafka's id of a topic.
    ///
    /// # Errors
    /// As the file system says.
    pub fn bind(&mut self, id: &str, physical_id: PhysicalId) -> io::Result<()> {
        let record = Record {
            physical_id: Uuid::from_bytes(physical_id),
            buried: false,
        };
        if self.topics.insert(id.to_owned(), record) == Some(record) {
            return Ok(());
        }
        disk::write_json(&self.path, &self.topics)
    }

    /// Notes that a tombstone was carried out.
    ///
    /// # Errors
    /// As the file system says.
    pub fn bury(&mut self, id: &str) -> io::Result<()> {
        let record = self.topics.entry(id.to_owned()).or_insert(Record {
            physical_id: Uuid::nil(),
            buried: false,
        });
        if record.buried {
            return Ok(());
        }
        record.buried = true;
        disk::write_json(&self.path, &self.topics)
    }

    /// Forgets carried-out tombstones that nobody names any more.
    ///
    /// # Errors
    /// As the file system says.
    pub fn forget_buried(&mut self, named: impl Fn(&str) -> bool) -> io::Result<()> {
        let before = self.topics.len();
        self.topics.retain(|id, record| !record.buried || named(id));
        if self.topics.len() == before {
            return Ok(());
        }
        disk::write_json(&self.path, &self.topics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_outlive_the_process_and_the_buried_are_forgotten_when_unnamed() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = Records::open(folder.path()).unwrap();
        records.bind("a", [1; 16]).unwrap();
        records.bind("b", [2; 16]).unwrap();
        records.bury("b").unwrap();
        let mut again = Records::open(folder.path()).unwrap();
        assert_eq!(again.physical_id("a"), Some([1; 16]));
        assert_eq!(again.physical_id("b"), None);
        again.forget_buried(|id| id == "b").unwrap();
        assert!(again.get("b").unwrap().buried);
        again.forget_buried(|_id| false).unwrap();
        assert_eq!(again.get("b"), None);
        assert!(
            again.get("a").is_some(),
            "a living topic is remembered without being named"
        );
    }
}
