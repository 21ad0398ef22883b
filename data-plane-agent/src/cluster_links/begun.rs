//! Which partitions this agent ever began to copy, on its disk: one that was begun and has no place any more is not begun anew.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::resources::is_plain_id;

const FILE_BYTES_MAX: u64 = 4 << 20;

/// Those of one link, by the copy's topic.
#[derive(Debug, Default)]
pub struct Begun {
    /// Nothing: an id that could not name a file.
    path: Option<PathBuf>,
    topics: BTreeMap<String, BTreeSet<i32>>,
}

impl Begun {
    /// Of a link.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path, link_id: &str) -> io::Result<Self> {
        let path = is_plain_id(link_id).then(|| folder.join(format!("{link_id}.json")));
        let topics = match &path {
            Some(path) => disk::read_json(path, FILE_BYTES_MAX)?.unwrap_or_default(),
            None => BTreeMap::new(),
        };
        Ok(Self { path, topics })
    }

    /// Whether a partition was begun.
    #[must_use]
    pub fn has(&self, topic_id: &str, partition: i32) -> bool {
        self.topics
            .get(topic_id)
            .is_some_and(|it| it.contains(&partition))
    }

    /// Whether any of a topic's was.
    #[must_use]
    pub fn has_any(&self, topic_id: &str) -> bool {
        self.topics.get(topic_id).is_some_and(|it| !it.is_empty())
    }

    /// These are.
    ///
    /// # Errors
    /// As the file system says.
    pub fn note(&mut self, begun: impl Iterator<Item = (String, i32)>) -> io::Result<()> {
        let mut grown = false;
        for (topic_id, partition) in begun {
            grown |= self.topics.entry(topic_id).or_default().insert(partition);
        }
        match &self.path {
            Some(path) if grown => disk::write_json(path, &self.topics),
            _same => Ok(()),
        }
    }

    /// The link is gone.
    pub fn forget(folder: &Path, link_id: &str) {
        if is_plain_id(link_id) {
            // There may be none.
            let _none = std::fs::remove_file(folder.join(format!("{link_id}.json")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_remembered_until_the_link_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Begun::open(folder.path(), "link_1").unwrap();
        let mut begun = open();
        begun.note([("topic_1".to_owned(), 2)].into_iter()).unwrap();
        assert!(open().has("topic_1", 2) && open().has_any("topic_1"));
        assert!(!open().has("topic_1", 0) && !open().has_any("topic_2"));
        Begun::forget(folder.path(), "link_1");
        assert!(!open().has("topic_1", 2));
        let mut odd = Begun::open(folder.path(), "../link").unwrap();
        odd.note([("topic_1".to_owned(), 0)].into_iter()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
