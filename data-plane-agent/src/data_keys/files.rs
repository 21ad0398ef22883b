//! Keys that wrap data keys: a file each, in a folder for each tenant, which its owner may remove. A key management service can
//! stand here later; it has the same verbs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::hex;
use crate::disk;

const KEY_BYTES: usize = 32;

/// Whose key, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    /// The tenant.
    pub tenant: String,
    /// A topic of its, or a share that it received.
    pub of: String,
}

/// Something wrapped, and what by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    /// Names the key without telling it.
    pub by: String,
    /// Hexadecimal.
    pub bytes: String,
}

/// What wraps data keys.
pub trait Wrapping {
    /// Wraps something, for this purpose alone; `None`: there is no such key.
    ///
    /// # Errors
    /// As the file system says.
    fn wrap(&self, name: &KeyName, purpose: &str, plain: &[u8]) -> io::Result<Option<Wrapped>>;
    /// What was wrapped; `None`: the key that did is gone, or it is something else.
    ///
    /// # Errors
    /// As the file system says.
    fn unwrap(&self, name: &KeyName, purpose: &str, wrapped: &Wrapped) -> io::Result<Option<Vec<u8>>>;
    /// Makes the key, unless there is one. Only where nothing is wrapped by an earlier one.
    ///
    /// # Errors
    /// As the file system says.
    fn make(&self, name: &KeyName) -> io::Result<()>;
    /// Something is wrapped by a new key from now on; the old one still unwraps. What is gone stays so.
    ///
    /// # Errors
    /// As the file system says.
    fn renew(&self, name: &KeyName) -> io::Result<()>;
    /// Ends a renewal: the old key goes, once nothing is wrapped by it.
    ///
    /// # Errors
    /// As the file system says.
    fn settle(&self, name: &KeyName, in_use: &BTreeSet<String>) -> io::Result<()>;
}

/// Keys in files.
#[derive(Debug)]
pub struct KeyFiles(PathBuf);

struct Key {
    fingerprint: String,
    key: LessSafeKey,
}

impl KeyFiles {
    /// Below this folder.
    #[must_use]
    pub const fn of(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn path(&self, name: &KeyName, end: &str) -> PathBuf {
        self.0.join(&name.tenant).join(format!("{}{end}", name.of))
    }

    fn current(&self, name: &KeyName) -> PathBuf {
        self.path(name, ".key")
    }

    fn next(&self, name: &KeyName) -> PathBuf {
        self.path(name, ".next.key")
    }

    fn write(path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            disk::private_folder(folder)?;
        }
        disk::write_atomic(path, &random::<KEY_BYTES>()?)
    }
}

/// `None`: there is none. A file of another length is overwritten on its way out, or never was a key.
fn read(path: &Path) -> io::Result<Option<Key>> {
    let Ok(held) = disk::read_bounded(path, KEY_BYTES as u64)
        .or_else(|error| match error.kind() {
            io::ErrorKind::InvalidData => Ok(Some(Vec::new())),
            _other => Err(error),
        })?
        .unwrap_or_default()
        .try_into()
    else {
        return Ok(None);
    };
    let held: [u8; KEY_BYTES] = held;
    let mut told = digest::Context::new(&digest::SHA256);
    told.update(b"weir names a wrapping key ");
    told.update(&held);
    let fingerprint = hex::written(&told.finish().as_ref()[..8]);
    let key = UnboundKey::new(&AES_256_GCM, &held).map_err(unspecified)?;
    Ok(Some(Key {
        fingerprint,
        key: LessSafeKey::new(key),
    }))
}

impl Wrapping for KeyFiles {
    fn wrap(&self, name: &KeyName, purpose: &str, plain: &[u8]) -> io::Result<Option<Wrapped>> {
        let key = match read(&self.next(name))? {
            Some(next) => Some(next),
            None => read(&self.current(name))?,
        };
        let Some(key) = key else { return Ok(None) };
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = plain.to_vec();
        key.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .map_err(unspecified)?;
        Ok(Some(Wrapped {
            by: key.fingerprint,
            bytes: hex::written(&[&nonce[..], &sealed].concat()),
        }))
    }

    fn unwrap(&self, name: &KeyName, purpose: &str, wrapped: &Wrapped) -> io::Result<Option<Vec<u8>>> {
        for path in [self.current(name), self.next(name)] {
            let Some(key) = read(&path)?.filter(|it| it.fingerprint == wrapped.by) else {
                continue;
            };
            let Some(bytes) = hex::read(&wrapped.bytes) else {
                return Ok(None);
            };
            let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE_LEN>() else {
                return Ok(None);
            };
            let (nonce, mut sealed) = (Nonce::assume_unique_for_key(*nonce), sealed.to_vec());
            let plain = key
                .key
                .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut sealed);
            return Ok(plain.ok().map(|it| it.to_vec()));
        }
        Ok(None)
    }

    fn make(&self, name: &KeyName) -> io::Result<()> {
        let there = read(&self.current(name))?.is_some() || read(&self.next(name))?.is_some();
        if there {
            return Ok(());
        }
        Self::write(&self.current(name))
    }

    fn renew(&self, name: &KeyName) -> io::Result<()> {
        if read(&self.current(name))?.is_some() && read(&self.next(name))?.is_none() {
            Self::write(&self.next(name))?;
        }
        Ok(())
    }

    fn settle(&self, name: &KeyName, in_use: &BTreeSet<String>) -> io::Result<()> {
        let (path, next_path) = (self.current(name), self.next(name));
        let Some(next) = read(&next_path)? else {
            return Ok(());
        };
        let old = read(&path)?;
        let needed = old.is_some_and(|it| in_use.contains(&it.fingerprint));
        if in_use.contains(&next.fingerprint) && !needed {
            fs::rename(&next_path, &path)?;
            if let Some(folder) = path.parent() {
                disk::sync_folder(folder)?;
            }
        }
        Ok(())
    }
}

/// Fresh random bytes.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| io::Error::other("the system gave no random numbers"))?;
    Ok(bytes)
}

fn unspecified(_error: ring::error::Unspecified) -> io::Error {
    io::Error::other("a key cannot be used")
}
