//! Usage windows on disk: taken from gateways before they are acknowledged, kept until the control plane acknowledges them.
//!
//! One file per window, named by its key (gateway, boot, sequence): a window that comes twice is stored once. `waiting/` holds
//! what the control plane has not acknowledged; `sent/` what it has, for 30 days or a size bound, whichever ends first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use prost::Message;
use tokio::sync::watch;
use weir_proto::agent::v1::{UsageWindow, WindowKey};

use crate::disk;

const WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;
const SENT_AGE_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
const SENT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Windows of one frame to the control plane, together.
pub const FRAME_BYTES: usize = 1024 * 1024;
/// Waiting windows of one data plane; beyond it a gateway's window is refused and stays in the gateway's journal.
const WAITING_MAX: usize = 200_000;

/// (gateway, boot, sequence): what makes counting exactly once.
pub type Key = (String, u64, u64);

/// Why a window is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Its key or size is not acceptable.
    #[error("the window's key or size is not acceptable")]
    Form,
    /// Too many windows wait already.
    #[error("too many windows wait for the control plane")]
    Full,
    /// It cannot be stored.
    #[error("store a usage window")]
    File(#[from] io::Error),
}

/// The store. Cheap to share behind an `Arc`.
pub struct Store {
    waiting_folder: PathBuf,
    sent_folder: PathBuf,
    keys: Mutex<Keys>,
    waiting_count: watch::Sender<usize>,
}

#[derive(Default)]
struct Keys {
    waiting: BTreeSet<Key>,
    sent: BTreeMap<Key, (SystemTime, u64)>,
}

impl Store {
    /// Opens the store of `folder`.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let (waiting_folder, sent_folder) = (folder.join("waiting"), folder.join("sent"));
        disk::private_folder(&waiting_folder)?;
        disk::private_folder(&sent_folder)?;
        let waiting = listed(&waiting_folder)?
            .into_iter()
            .map(|(key, _age)| key)
            .collect();
        let sent = listed(&sent_folder)?.into_iter().collect();
        let keys = Keys { waiting, sent };
        let waiting_count = watch::Sender::new(keys.waiting.len());
        Ok(Self {
            waiting_folder,
            sent_folder,
            keys: Mutex::new(keys),
            waiting_count,
        })
    }

    /// Stores a closed window durably. Only then may its gateway be told. Says whether it was new. Blocks on the disk.
    ///
    /// # Errors
    /// [`Refused`]; the gateway then keeps it and sends it again.
    pub fn put(&self, window: &UsageWindow) -> Result<bool, Refused> {
        let key = (window.gateway_id.clone(), window.boot, window.sequence);
        let name = file_name(&key).ok_or(Refused::Form)?;
        let bytes = window.encode_to_vec();
        if bytes.len() as u64 > WINDOW_BYTES_MAX {
            return Err(Refused::Form);
        }
        let mut keys = self.keys();
        if keys.waiting.contains(&key) || keys.sent.contains_key(&key) {
            return Ok(false);
        }
        if keys.waiting.len() >= WAITING_MAX {
            return Err(Refused::Full);
        }
        disk::write_atomic(&self.waiting_folder.join(name), &bytes)?;
        keys.waiting.insert(key);
        self.waiting_count.send_replace(keys.waiting.len());
        Ok(true)
    }

    /// Up to `count` waiting windows without those in `except`, in the order of their keys, and no more once they are
    /// [`FRAME_BYTES`] together. Blocks on the disk.
    ///
    /// # Errors
    /// As the file system says.
    pub fn waiting(&self, except: &BTreeSet<Key>, count: usize) -> io::Result<Vec<UsageWindow>> {
        let chosen: Vec<Key> = self
            .keys()
            .waiting
            .iter()
            .filter(|key| !except.contains(*key))
            .take(count)
            .cloned()
            .collect();
        let mut windows = Vec::with_capacity(chosen.len());
        let mut size = 0;
        for key in chosen {
            if size >= FRAME_BYTES {
                break;
            }
            let Some(name) = file_name(&key) else { continue };
            let path = self.waiting_folder.join(name);
            if let Some(bytes) = disk::read_bounded(&path, WINDOW_BYTES_MAX)? {
                size += bytes.len();
                match UsageWindow::decode(bytes.as_slice()) {
                    Ok(window) => windows.push(window),
                    Err(error) => {
                        tracing::error!(%error, gateway = key.0, boot = key.1, sequence = key.2, "a stored usage window is damaged and set aside");
                        fs::rename(&path, path.with_added_extension("damaged"))?;
                        self.keys().waiting.remove(&key);
                    }
                }
            }
        }
        Ok(windows)
    }

    /// The control plane counted this window: it waits no longer, and is kept for a while. Blocks on the disk.
    ///
    /// # Errors
    /// As the file system says.
    pub fn acknowledged(&self, key: &WindowKey) -> io::Result<()> {
        let key = (key.gateway_id.clone(), key.boot, key.sequence);
        let mut keys = self.keys();
        let (true, Some(name)) = (keys.waiting.contains(&key), file_name(&key)) else {
            return Ok(());
        };
        let kept = self.sent_folder.join(&name);
        fs::rename(self.waiting_folder.join(&name), &kept)?;
        disk::sync_folder(&self.sent_folder)?;
        let size = fs::metadata(&kept).map_or(0, |it| it.len());
        keys.waiting.remove(&key);
        keys.sent.insert(key, (SystemTime::now(), size));
        self.waiting_count.send_replace(keys.waiting.len());
        Ok(())
    }

    /// Forgets acknowledged windows beyond age and size, oldest first. Waiting ones are never forgotten.
    ///
    /// # Errors
    /// As the file system says.
    pub fn prune(&self, now: SystemTime) -> io::Result<usize> {
        let mut keys = self.keys();
        let mut by_age: Vec<(SystemTime, u64, Key)> = keys
            .sent
            .iter()
            .map(|(key, (at, size))| (*at, *size, key.clone()))
            .collect();
        by_age.sort();
        let mut bytes: u64 = by_age.iter().map(|(_at, size, _key)| size).sum();
        let mut forgotten = 0;
        for (at, size, key) in by_age {
            let old = now.duration_since(at).is_ok_and(|age| age > SENT_AGE_MAX);
            if !old && bytes <= SENT_BYTES_MAX {
                break;
            }
            if let Some(name) = file_name(&key) {
                fs::remove_file(self.sent_folder.join(name))?;
            }
            keys.sent.remove(&key);
            bytes -= size;
            forgotten += 1;
        }
        Ok(forgotten)
    }

    /// How many windows wait, and a wake-up when that changes.
    #[must_use]
    pub fn watch_waiting(&self) -> watch::Receiver<usize> {
        self.waiting_count.subscribe()
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `<gateway>.<boot>.<sequence>`; nothing when the gateway's id would not be a plain file name.
fn file_name(key: &Key) -> Option<String> {
    let (gateway, boot, sequence) = key;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    ((1..=80).contains(&gateway.len()) && gateway.bytes().all(plain))
        .then(|| format!("{gateway}.{boot:020}.{sequence:020}"))
}

fn key_of(name: &str) -> Option<Key> {
    let mut parts = name.split('.');
    let (gateway, boot, sequence) = (parts.next()?, parts.next()?, parts.next()?);
    let key = (gateway.to_owned(), boot.parse().ok()?, sequence.parse().ok()?);
    (parts.next().is_none() && file_name(&key).as_deref() == Some(name)).then_some(key)
}

fn listed(folder: &Path) -> io::Result<Vec<(Key, (SystemTime, u64))>> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder)? {
        let item = item?;
        if let Some(key) = item.file_name().to_str().and_then(key_of) {
            let about = item.metadata()?;
            found.push((key, (about.modified()?, about.len())));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::UsageRow;

    fn window(sequence: u64, bytes: u64) -> UsageWindow {
        UsageWindow {
            gateway_id: "gw-1".to_owned(),
            boot: 3,
            sequence,
            rows: vec![UsageRow {
                bytes,
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn key(sequence: u64) -> WindowKey {
        WindowKey {
            gateway_id: "gw-1".to_owned(),
            boot: 3,
            sequence,
        }
    }

    #[test]
    fn a_window_is_counted_once_however_often_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(store.put(&window(1, 10)).unwrap());
        assert!(
            !store.put(&window(1, 99)).unwrap(),
            "the first content of a key stays"
        );
        assert!(store.put(&window(2, 20)).unwrap());
        store.acknowledged(&key(1)).unwrap();
        store.acknowledged(&key(1)).unwrap();
        assert!(
            !store.put(&window(1, 10)).unwrap(),
            "also after it was acknowledged"
        );
        let waiting = store.waiting(&BTreeSet::new(), 10).unwrap();
        assert_eq!(waiting, [window(2, 20)]);
    }

    #[test]
    fn windows_wait_across_restarts_until_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path()).unwrap();
        open().put(&window(1, 10)).unwrap();
        open().put(&window(2, 20)).unwrap();
        let store = open();
        assert_eq!(*store.watch_waiting().borrow(), 2);
        let sent = BTreeSet::from([("gw-1".to_owned(), 3, 1)]);
        assert_eq!(store.waiting(&sent, 10).unwrap(), [window(2, 20)]);
        assert_eq!(
            store.waiting(&BTreeSet::new(), 1).unwrap(),
            [window(1, 10)],
            "unacknowledged: sent again"
        );
        store.acknowledged(&key(1)).unwrap();
        drop(store);
        let store = open();
        assert_eq!(store.waiting(&BTreeSet::new(), 10).unwrap(), [window(2, 20)]);
        assert!(
            !store.put(&window(1, 10)).unwrap(),
            "acknowledged ones are remembered"
        );
    }

    #[test]
    fn only_acknowledged_windows_grow_old() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.put(&window(1, 10)).unwrap();
        store.put(&window(2, 20)).unwrap();
        store.acknowledged(&key(1)).unwrap();
        assert_eq!(store.prune(SystemTime::now()).unwrap(), 0);
        let later = SystemTime::now() + SENT_AGE_MAX + Duration::from_secs(60);
        assert_eq!(store.prune(later).unwrap(), 1);
        assert_eq!(store.waiting(&BTreeSet::new(), 10).unwrap(), [window(2, 20)]);
    }

    #[test]
    fn a_damaged_window_does_not_hold_up_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.put(&window(1, 10)).unwrap();
        store.put(&window(2, 20)).unwrap();
        let first = fs::read_dir(folder.path().join("waiting")).unwrap();
        let path = first.map(|it| it.unwrap().path()).min().unwrap();
        fs::write(&path, [0xFF; 9]).unwrap();
        assert_eq!(store.waiting(&BTreeSet::new(), 1).unwrap(), []);
        assert_eq!(store.waiting(&BTreeSet::new(), 1).unwrap(), [window(2, 20)]);
    }

    #[test]
    fn a_key_that_is_no_file_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for bad in ["", "../x", "a.b", &"x".repeat(81)] {
            let window = UsageWindow {
                gateway_id: bad.to_owned(),
                ..window(1, 1)
            };
            assert!(matches!(store.put(&window), Err(Refused::Form)), "{bad}");
        }
    }
}
