//! Where a job's state lies on disk: the newest checkpoint that is whole.
//!
//! Flink writes a checkpoint's `_metadata` last and in one go, so a folder that has one is whole.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Runs of one job, and checkpoints of one run, that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// A checkpoint that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// Its number in its run.
    pub number: u64,
    /// When it was whole.
    pub at: SystemTime,
}

/// The newest whole checkpoint of a run of a job: `folder/<run>/chk-<number>/_metadata`.
///
/// # Errors
/// As the file system says: then nobody knows whether there is one.
pub fn newest_of_run(folder: &Path, run: &str) -> io::Result<Option<Checkpoint>> {
    let mut newest: Option<Checkpoint> = None;
    for path in entries(&folder.join(run))? {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        let Some(number) = name.strip_prefix("chk-").and_then(|it| it.parse::<u64>().ok()) else {
            continue;
        };
        let Some(at) = whole(&path)? else { continue };
        if newest.as_ref().is_none_or(|it| number > it.number) {
            newest = Some(Checkpoint { path, number, at });
        }
    }
    Ok(newest)
}

/// The same over all runs: of the run whose newest checkpoint was written last.
///
/// # Errors
/// As of a run.
pub fn newest(folder: &Path) -> io::Result<Option<Checkpoint>> {
    let mut newest: Option<Checkpoint> = None;
    for path in entries(folder)? {
        let Some(run) = path.file_name().and_then(|it| it.to_str()) else {
            continue;
        };
        let Some(found) = newest_of_run(folder, run)? else {
            continue;
        };
        if newest.as_ref().is_none_or(|it| found.at > it.at) {
            newest = Some(found);
        }
    }
    Ok(newest)
}

/// The newest whole savepoint: `folder/<any>/_metadata`.
///
/// # Errors
/// As of a run.
pub fn newest_savepoint(folder: &Path) -> io::Result<Option<Checkpoint>> {
    let mut newest: Option<Checkpoint> = None;
    for path in entries(folder)? {
        let Some(at) = whole(&path)? else { continue };
        if newest.as_ref().is_none_or(|it| at > it.at) {
            newest = Some(Checkpoint { path, number: 0, at });
        }
    }
    Ok(newest)
}

/// Removes a job's state.
///
/// # Errors
/// As the file system says.
pub fn bury(folders: &super::configuration::Folders, job: &str) -> io::Result<()> {
    for folder in [folders.checkpoints(job), folders.savepoints(job)] {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _gone => {}
        }
    }
    Ok(())
}

/// When a folder's `_metadata` was written, if it is there.
fn whole(path: &Path) -> io::Result<Option<SystemTime>> {
    match path.join("_metadata").metadata() {
        Ok(metadata) if metadata.len() > 0 => Ok(Some(metadata.modified()?)),
        Ok(_empty) => Ok(None),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(items) => items
            .take(ENTRIES_MAX)
            .map(|item| item.map(|it| it.path()))
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn checkpoint(folder: &Path, run: &str, number: u64, seconds: u64) {
        let path = folder.join(run).join(format!("chk-{number}"));
        std::fs::create_dir_all(&path).unwrap();
        let file = std::fs::File::create(path.join("_metadata")).unwrap();
        std::io::Write::write_all(&mut &file, b"x").unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .unwrap();
    }

    #[test]
    fn the_newest_whole_checkpoint_counts() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(newest(&folder.join("nothing")).unwrap(), None);
        checkpoint(folder, "run1", 9, 10);
        checkpoint(folder, "run1", 10, 11);
        checkpoint(folder, "run2", 2, 20);
        // Begun, and not whole.
        std::fs::create_dir_all(folder.join("run2/chk-3")).unwrap();
        std::fs::create_dir_all(folder.join("run2/chk-4")).unwrap();
        std::fs::write(folder.join("run2/chk-4/_metadata"), b"").unwrap();
        std::fs::create_dir_all(folder.join("run2/shared")).unwrap();
        std::fs::create_dir_all(folder.join("run3")).unwrap();
        let found = newest(folder).unwrap().unwrap();
        assert_eq!((found.number, found.path), (2, folder.join("run2/chk-2")));
        assert_eq!(newest_of_run(folder, "run1").unwrap().unwrap().number, 10);
    }
}
