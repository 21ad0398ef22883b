//! Control groups (version 2): what all workers of a compute pool may use together, where the customer has set a group aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A unit's part of a processor, in microseconds of each period.
const UNIT_CPU_US: u64 = 50_000;
/// The period that the system counts processors by.
const PERIOD_US: u64 = 100_000;

/// Makes the group of a pool below one that the customer has set aside, with the limits of so many units.
///
/// # Errors
/// As the file system says: most often the group above does not hand on `cpu` and `memory`.
pub fn limit(above: &Path, pool: &str, units: u32, unit_memory_bytes: u64) -> io::Result<PathBuf> {
    let group = above.join(pool);
    if !group.is_dir() {
        fs::create_dir(&group)?;
    }
    let units = u64::from(units.max(1));
    write(
        &group.join("cpu.max"),
        &format!("{} {PERIOD_US}", units * UNIT_CPU_US),
    )?;
    write(
        &group.join("memory.max"),
        &(units * unit_memory_bytes).to_string(),
    )?;
    Ok(group)
}

/// Puts a process, with all of its threads, into a group.
///
/// # Errors
/// As the system says.
pub fn join(group: &Path, pid: i32) -> io::Result<()> {
    let members = group.join("cgroup.procs");
    let held = fs::read_to_string(&members).unwrap_or_default();
    if held.lines().any(|it| it.parse() == Ok(pid)) {
        return Ok(());
    }
    fs::write(members, pid.to_string())
}

/// Writes what is not so already.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let same = fs::read_to_string(file).is_ok_and(|it| it.trim_end() == text);
    if same { Ok(()) } else { fs::write(file, text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_a_group_with_the_limits_of_its_units() {
        let above = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(above.path().join("pool_1").join(name)).unwrap();
        let group = limit(above.path(), "pool_1", 3, 512 << 20).unwrap();
        assert_eq!(
            (read("cpu.max"), read("memory.max")),
            ("150000 100000".to_owned(), "1610612736".to_owned())
        );
        limit(above.path(), "pool_1", 1, 512 << 20).unwrap();
        assert_eq!(read("cpu.max"), "50000 100000");
        join(&group, 4711).unwrap();
        join(&group, 4711).unwrap();
        assert_eq!(read("cgroup.procs"), "4711");
        assert!(limit(&above.path().join("none"), "pool_1", 1, 1).is_err());
    }
}
