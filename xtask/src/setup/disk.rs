//! Is there room? A build that finds none breaks off in its middle with a message about an object file.

use crate::trouble::Trouble;
use crate::workspace::Workspace;
use anyhow::{Context, Result};

const GIB: u64 = 1 << 30;
/// Build output, browser, Kafka and logs of a first run, with what cargo keeps to build faster next time.
const FIRST: u64 = 12 * GIB;
/// The same, once it was built.
const AGAIN: u64 = 3 * GIB;

/// Makes sure that the disk of the build output has room.
pub fn room(ws: &Workspace) -> Result<()> {
    std::fs::create_dir_all(&ws.target).context("make the target folder")?;
    let disk = rustix::fs::statvfs(&ws.target).context("ask how full the disk is")?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let built = ws.binary("weir-agent", false).exists();
    let wanted = if built { AGAIN } else { FIRST };
    if free >= wanted {
        return Ok(());
    }
    let target = ws.target.display();
    let remedy = if built {
        format!(
            "free some, for example with: rm -rf {target}/debug/incremental (what is in it is built again)"
        )
    } else {
        "free some, or set CARGO_TARGET_DIR to a folder on a larger disk".to_owned()
    };
    Err(Trouble::new(format!(
        "{:.1} GiB are free at {target}; this needs {}",
        free as f64 / GIB as f64,
        wanted / GIB
    ))
    .remedy(remedy)
    .into())
}
