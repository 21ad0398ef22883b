//! OS users of pools: where the agent is root, the workers of each pool run as a user of their own, so that the system keeps
//! one tenant's processes, memory and files from another's.
//!
//! Users are numbers without names. Which is whose is kept on disk: a number is given once, and never to a second pool.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::disk;

/// Above what systems and containers give out.
const FIRST: u32 = 2_000_000_000;
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Others may enter or run it.
const BY_OTHERS: u32 = 0o001;

/// Which pool has which user.
pub struct Users {
    path: PathBuf,
    given: BTreeMap<String, u32>,
    /// Numbers can be given: we are root, and others can run our program.
    able: bool,
}

impl Users {
    /// What the folder remembers.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path, program: Option<&Path>) -> io::Result<Self> {
        let path = folder.join("users.json");
        let root = rustix::process::geteuid().is_root();
        let reachable = program.is_none_or(by_others);
        if root && !reachable {
            tracing::warn!(
                "other users cannot run the agent's program: workers of jobs run as the agent's user"
            );
        }
        Ok(Self {
            given: disk::read_json(&path, FILE_BYTES_MAX)?.unwrap_or_default(),
            path,
            able: root && reachable,
        })
    }

    /// The user of a pool; `None`: its workers run as the agent's own.
    ///
    /// # Errors
    /// As the file system says.
    pub fn of(&mut self, pool: &str) -> io::Result<Option<u32>> {
        if !self.able {
            return Ok(None);
        }
        if let Some(user) = self.given.get(pool) {
            return Ok(Some(*user));
        }
        let user = self.given.values().max().map_or(FIRST, |highest| highest + 1);
        self.given.insert(pool.to_owned(), user);
        disk::write_json(&self.path, &self.given)?;
        Ok(Some(user))
    }
}

/// May any user reach and run it?
fn by_others(program: &Path) -> bool {
    program
        .ancestors()
        .filter(|it| !it.as_os_str().is_empty())
        .all(|it| it.metadata().is_ok_and(|it| it.mode() & BY_OTHERS != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_pool_keeps_its_user_and_shares_it_with_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Users {
            able: true,
            ..Users::open(folder.path(), None).unwrap()
        };
        let mut users = open();
        let one = users.of("compute_pool_1").unwrap().unwrap();
        let two = users.of("compute_pool_2").unwrap().unwrap();
        assert_ne!(one, two);
        assert_eq!(open().of("compute_pool_1").unwrap(), Some(one));
        let mut unable = Users {
            able: false,
            ..open()
        };
        assert_eq!(unable.of("compute_pool_3").unwrap(), None);
    }

    #[test]
    fn a_program_in_a_private_folder_is_not_for_others() {
        assert!(by_others(Path::new("/bin/sh")));
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, b"").unwrap();
        let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
        set(&program, 0o755).unwrap();
        set(folder.path(), 0o700).unwrap();
        assert!(!by_others(&program));
    }
}
