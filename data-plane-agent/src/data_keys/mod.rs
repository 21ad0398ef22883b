//! Data keys of topics that are shared encrypted: made here, kept wrapped, told to gateways alone and never written to a disk.
//!
//! A [`book::Book`] has those of a topic, wrapped by keys of both sides ([`files`]). Each turn of the driver unwraps them anew, so that
//! whoever removes a key's file has destroyed it within seconds.

mod book;
mod files;
mod hex;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use weir_proto::agent::v1::{DesiredState, Mount};
use weir_proto::lane::v1::{DataKey, KeyRing, LogicalTopic, Snapshot};

use crate::disk;
use crate::resources::is_plain_id;
use book::{Book, Opened, Wish};
use files::KeyFiles;

const BOOK_BYTES_MAX: u64 = 16 << 20;

/// The data keys of all topics.
#[derive(Debug)]
pub struct DataKeys {
    books: PathBuf,
    keys: KeyFiles,
    /// Topics and mounts that lacked a key that wraps their data keys when it was last looked for.
    shut: BTreeSet<String>,
}

impl DataKeys {
    /// Those of a folder.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let (books, keys) = (folder.join("data-keys"), folder.join("keys"));
        disk::private_folder(&books)?;
        disk::private_folder(&keys)?;
        Ok(Self {
            books,
            keys: KeyFiles::of(keys),
            shut: BTreeSet::new(),
        })
    }

    /// Makes what is wished, and gives each topic and mount the data keys that it can have now. `obeyed`: every gateway obeys what
    /// was `published` last. Says whether there is anything, which is to be looked at again soon.
    ///
    /// # Errors
    /// As the file system says.
    pub fn give(
        &mut self,
        snapshot: &mut Snapshot,
        admitted: &DesiredState,
        published: &Snapshot,
        obeyed: bool,
    ) -> io::Result<bool> {
        let wishes = wishes(admitted);
        let before = std::mem::take(&mut self.shut);
        let mut topics: BTreeSet<String> = wishes.keys().cloned().collect();
        topics.extend(self.known()?);
        for topic in &topics {
            let wished = wishes.get(topic).map_or(&[][..], Vec::as_slice);
            let Some(book) = self.turn(topic, wished, published, obeyed)? else {
                continue;
            };
            self.give_topic(&book, wished, snapshot)?;
        }
        for id in self.shut.difference(&before) {
            tracing::error!(
                topic = id,
                "a key that wraps a topic's data keys is gone: what is encrypted there cannot be read, and nothing is written in clear"
            );
        }
        Ok(!topics.is_empty())
    }

    /// Whether a topic or mount lacks a key that it needs.
    #[must_use]
    pub fn is_shut(&self, id: &str) -> bool {
        self.shut.contains(id)
    }

    /// Topics that have a book.
    fn known(&self) -> io::Result<Vec<String>> {
        let mut known = Vec::new();
        for entry in std::fs::read_dir(&self.books)? {
            let name = entry?.file_name();
            let topic = name.to_str().and_then(|it| it.strip_suffix(".json"));
            known.extend(topic.filter(|it| is_plain_id(it)).map(str::to_owned));
        }
        Ok(known)
    }

    /// The book of a topic, as it is wished by now; on the disk before anybody is given anything of it.
    fn turn(
        &self,
        topic: &str,
        wished: &[Wish],
        published: &Snapshot,
        obeyed: bool,
    ) -> io::Result<Option<Book>> {
        let path = self.books.join(format!("{topic}.json"));
        let held: Option<Book> = disk::read_json(&path, BOOK_BYTES_MAX)?;
        let Some(mut book) = held
            .clone()
            .or_else(|| Some(Book::new(topic, &wished.first()?.provider)))
        else {
            return Ok(None);
        };
        book.follow(wished, &self.keys)?;
        if obeyed && book.active().is_none() && is_told(published, &book) {
            book.activate();
        }
        if held.as_ref() != Some(&book) {
            disk::write_json(&path, &book)?;
        }
        book.settle(&self.keys)?;
        Ok(Some(book))
    }

    fn give_topic(&mut self, book: &Book, wished: &[Wish], snapshot: &mut Snapshot) -> io::Result<()> {
        let own = book.own(&self.keys)?;
        for topic in snapshot.clusters.iter_mut().flat_map(|it| &mut it.topics) {
            let ring = match &topic.mount {
                None if topic.id == book.topic => ring(book, &own, !wished.is_empty()),
                Some(mount) if mount.topic_id == book.topic && mount.encryption.is_some() => {
                    ring(book, &book.of_share(&mount.share_id, &self.keys)?, false)
                }
                // Of another share, which does not ask for encryption: its readers have what the owner has.
                Some(mount) if mount.topic_id == book.topic => ring(book, &own, false),
                _other => continue,
            };
            let encrypted = topic.mount.as_ref().is_some_and(|it| it.encryption.is_some());
            if ring.closed && (ring.required || encrypted) {
                self.shut.insert(topic.id.clone());
            }
            topic.key_ring = Some(ring);
        }
        Ok(())
    }
}

fn ring(book: &Book, opened: &Opened, required: bool) -> KeyRing {
    KeyRing {
        topic_id: book.topic.clone(),
        keys: opened
            .keys
            .iter()
            .map(|(id, key)| DataKey {
                id: *id,
                key: key.clone(),
            })
            .collect(),
        active: book.active().filter(|_id| required).unwrap_or(0),
        newest: book.newest().unwrap_or(0),
        required,
        closed: opened.closed,
    }
}

/// Whether gateways were told of the newest data key of a topic.
fn is_told(published: &Snapshot, book: &Book) -> bool {
    let topics = published.clusters.iter().flat_map(|it| &it.topics);
    let mut rings = topics.filter_map(|it| it.key_ring.as_ref());
    rings.any(|it| it.topic_id == book.topic && Some(it.newest) == book.newest())
}

/// Who reads which topic encrypted. What has no name that a file could have is left out: its mount has no keys, and is shut.
fn wishes(admitted: &DesiredState) -> BTreeMap<String, Vec<Wish>> {
    let mut wishes: BTreeMap<String, Vec<Wish>> = BTreeMap::new();
    let living = admitted.topics.iter().filter(|it| !it.deleted);
    for mount in living.filter_map(|it| it.mount.as_ref()) {
        if let Some(wish) = wish(mount) {
            wishes.entry(mount.topic_id.clone()).or_default().push(wish);
        }
    }
    wishes
}

fn wish(mount: &Mount) -> Option<Wish> {
    let told = mount.encryption.as_ref()?;
    let names = [
        &mount.topic_id,
        &mount.share_id,
        &told.provider_tenant_id,
        &told.consumer_tenant_id,
    ];
    names.iter().all(|it| is_plain_id(it)).then(|| Wish {
        share: mount.share_id.clone(),
        provider: told.provider_tenant_id.clone(),
        consumer: told.consumer_tenant_id.clone(),
        generation: told.key_generation,
    })
}

/// A snapshot as it may lie on a disk.
#[must_use]
pub fn without_keys(mut snapshot: Snapshot) -> Snapshot {
    for key in rings(&mut snapshot).flat_map(|it| &mut it.keys) {
        key.key.clear();
    }
    snapshot
}

fn rings(snapshot: &mut Snapshot) -> impl Iterator<Item = &mut KeyRing> {
    let topics = snapshot.clusters.iter_mut().flat_map(|it| &mut it.topics);
    topics.filter_map(|it: &mut LogicalTopic| it.key_ring.as_mut())
}

/// Whether it was read from a disk, and data keys are missing.
#[must_use]
pub fn waits_for_keys(snapshot: &Snapshot) -> bool {
    let topics = snapshot.clusters.iter().flat_map(|it| &it.topics);
    let mut keys = topics
        .filter_map(|it| it.key_ring.as_ref())
        .flat_map(|it| &it.keys);
    keys.any(|it| it.key.is_empty())
}
