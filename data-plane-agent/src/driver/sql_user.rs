//! Folders that the OS user of a pool's Flink must get through.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// May any user get there?
pub(super) fn by_others(path: &Path) -> bool {
    path.ancestors()
        .filter(|it| !it.as_os_str().is_empty())
        .all(|it| it.metadata().is_ok_and(|it| it.permissions().mode() & 0o001 != 0))
}

/// Lets others through a folder of ours to what is theirs: they can list nothing, and files in it are closed to them first.
pub(super) fn let_through(folder: &Path) -> io::Result<()> {
    for item in std::fs::read_dir(folder)? {
        let path = item?.path();
        let metadata = path.symlink_metadata()?;
        let mode = metadata.permissions().mode();
        if metadata.is_file() && mode & 0o077 != 0 {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode & 0o700))?;
        }
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_get_through_and_see_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("open");
        std::fs::write(&file, b"x").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let_through(folder.path()).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&file)), (0o711, 0o600));
    }
}
