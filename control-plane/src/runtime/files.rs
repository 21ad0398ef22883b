//! Files of the state directory: written whole, readable by their owner only, and never over another's.
//!
//! Two control planes may start on one directory at the same moment. A file appears by a hard link from a
//! finished temporary file, so exactly one writer wins and nobody ever reads half a key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};

/// More than any file here can be.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Makes the directory, closed to others, when it is not there.
pub fn ensure_directory(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// Reads a whole file of bounded size; `None` when there is none.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(ErrorKind::InvalidData, "the file is too large"));
    }
    Ok(Some(content))
}

/// The file's content; when there is no file, `make` writes it first. If another process was faster, its
/// content is returned.
pub fn read_or_create<E: From<io::Error>>(
    path: &Path,
    make: impl FnOnce() -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    if let Some(content) = read(path)? {
        return Ok(content);
    }
    let temporary = write_temporary(path, &make()?)?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Ok(()) => sync_directory(path)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    read(path)?
        .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "the file vanished after it was made").into())
}

/// Puts `content` in the place of whatever is there.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = write_temporary(path, content)?;
    fs::rename(&temporary, path)?;
    sync_directory(path)
}

fn write_temporary(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let mut random = [0_u8; 8];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_unspecified| io::Error::other("the system gave no random numbers"))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.new", u64::from_be_bytes(random)));
    let temporary = path.with_file_name(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(temporary)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Barrier;

    #[test]
    fn of_many_writers_one_wins_and_all_read_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let start = Barrier::new(8);
        let seen: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0_u8..8)
                .map(|writer| {
                    let (path, start) = (&path, &start);
                    scope.spawn(move || {
                        start.wait();
                        read_or_create(path, || Ok::<_, io::Error>(vec![writer; 4096])).unwrap()
                    })
                })
                .collect();
            writers.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert!(seen.iter().all(|it| *it == seen[0] && it.len() == 4096));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_oversized_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        fs::write(&path, vec![b'x'; 256 * 1024 + 1]).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
