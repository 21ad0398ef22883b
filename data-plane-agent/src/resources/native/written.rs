//! Which passwords Kafka was given: by cluster and user, the hash of what was sealed. Kafka tells nobody what a user's password is,
//! so without this each start would write them all again. Only a memory: whose a user is, its mark in Kafka says.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::wish::User;
use crate::disk;

const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// On disk.
#[derive(Debug)]
pub struct Written {
    path: PathBuf,
    users: BTreeMap<String, BTreeMap<String, String>>,
}

impl Written {
    /// Opens the memory of `folder`.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("native-users.json");
        let users = disk::read_json(&path, FILE_BYTES_MAX)?.unwrap_or_default();
        Ok(Self { path, users })
    }

    /// Was the user given just these?
    #[must_use]
    pub fn has(&self, cluster: &str, name: &str, user: &User) -> bool {
        let held = self.users.get(cluster).and_then(|it| it.get(name));
        held.is_some_and(|it| *it == print(user))
    }

    /// Notes that it was given these.
    ///
    /// # Errors
    /// As the file system says.
    pub fn note(&mut self, cluster: &str, name: &str, user: &User) -> io::Result<()> {
        let of = self.users.entry(cluster.to_owned()).or_default();
        of.insert(name.to_owned(), print(user));
        disk::write_json(&self.path, &self.users)
    }

    /// Forgets users that are not named.
    ///
    /// # Errors
    /// As the file system says.
    pub fn retain(&mut self, cluster: &str, named: impl Fn(&str) -> bool) -> io::Result<()> {
        let Some(of) = self.users.get_mut(cluster) else {
            return Ok(());
        };
        let before = of.len();
        of.retain(|name, _print| named(name));
        if of.len() == before {
            return Ok(());
        }
        if of.is_empty() {
            self.users.remove(cluster);
        }
        disk::write_json(&self.path, &self.users)
    }
}

fn print(user: &User) -> String {
    weir_credentials::hex(&weir_credentials::sha256(&user.sealed))
}
