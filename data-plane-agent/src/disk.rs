//! Files of the state folder: private, written whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes a folder (and its parents) that only its owner can enter.
///
/// # Errors
/// As the file system says.
pub fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Replaces `path` with `bytes`, readable by its owner only. A crash leaves the old content or the new, never a mixture.
///
/// # Errors
/// As the file system says.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let fresh = folder.join(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_folder(folder)
}

/// Makes renames and removals in `folder` durable.
///
/// # Errors
/// As the file system says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The content of a file of at most `bytes_max`; nothing when there is no such file.
///
/// # Errors
/// As the file system says, and when the file is larger.
pub fn read_bounded(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max) {
        Ok(Some(bytes))
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "file larger than its limit",
        ))
    }
}

/// Reads JSON of at most `bytes_max`; nothing when there is no such file.
///
/// # Errors
/// As the file system says, and when the content is not the expected JSON.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path, bytes_max: u64) -> io::Result<Option<T>> {
    match read_bounded(path, bytes_max)? {
        None => Ok(None),
        Some(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
    }
}

/// Writes `value` as JSON, whole or not at all.
///
/// # Errors
/// As the file system says.
pub fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> io::Result<()> {
    write_atomic(path, &serde_json::to_vec_pretty(value)?)
}

/// Appends values as lines of JSON. A file that is larger than `bytes_max` then becomes `<path>.1`, in place of the one before; says so.
///
/// # Errors
/// As the file system says.
pub fn append_lines<T: serde::Serialize>(path: &Path, values: &[T], bytes_max: u64) -> io::Result<bool> {
    let mut lines = Vec::new();
    for value in values {
        serde_json::to_writer(&mut lines, value)?;
        lines.push(b'\n');
    }
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&lines)?;
    let full = file.metadata()?.len() > bytes_max;
    if full {
        let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(".1");
        fs::rename(path, path.with_file_name(name))?;
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn lines_are_appended_until_the_file_is_full_and_one_old_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.jsonl");
        assert!(!append_lines(&path, &[1, 2], 8).unwrap());
        assert!(!append_lines(&path, &[3], 8).unwrap());
        assert!(append_lines(&path, &[4, 5], 8).unwrap());
        assert!(!append_lines(&path, &[6], 8).unwrap());
        let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("lines.jsonl.1"), "1\n2\n3\n4\n5\n");
        assert_eq!(read("lines.jsonl"), "6\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn files_are_private_replaced_whole_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inner").join("secret");
        private_folder(path.parent().unwrap()).unwrap();
        assert_eq!(read_bounded(&path, 10).unwrap(), None);
        write_atomic(&path, b"first").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(read_bounded(&path, 6).unwrap().unwrap(), b"second");
        assert!(read_bounded(&path, 5).is_err());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
}
