//! This agent's own key pair for what only it may read. The private half never leaves the state folder.

use std::io;
use std::path::Path;

use weir_credentials::SealingKey;

use crate::disk;

/// Reads the key of `folder`, or makes it.
///
/// # Errors
/// As the file system says, and when the file holds something else: a new key would leave all that was sealed before unread.
pub fn open_or_make(folder: &Path) -> io::Result<SealingKey> {
    disk::private_folder(folder)?;
    let path = folder.join("sealing.key");
    if let Some(bytes) = disk::read_bounded(&path, 64)? {
        return SealingKey::read(&bytes)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "sealing.key does not hold a key"));
    }
    let key = SealingKey::generate().map_err(io::Error::other)?;
    disk::write_atomic(&path, key.secret_bytes().as_slice())?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_a_damaged_one_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let made = open_or_make(folder.path()).unwrap();
        let again = open_or_make(folder.path()).unwrap();
        assert_eq!(made.public().to_bytes(), again.public().to_bytes());
        std::fs::write(folder.path().join("sealing.key"), b"short").unwrap();
        assert!(open_or_make(folder.path()).is_err());
    }
}
