//! Runs one of the gateway's targets under libFuzzer, and watches what it allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use weir_agent::gateway::fuzz;

/// What a run may hold at once: the bounds allow a decoded message its own length or 1 MiB (a broker's 4 MiB), and the
/// rewrite encodes it once more.
const FLOOR: usize = 16 * 1024 * 1024;
const PER_BYTE: usize = 64;
/// The same where batches are unpacked: one of 16 MiB with a JSON record of 8 MiB in it, which takes 24 times as much.
const FLOOR_UNPACKED: usize = 256 * 1024 * 1024;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator with what the caller gave; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Runs a target; panics when it takes more memory than its input is worth.
pub fn run(name: &str, data: &[u8]) {
    let Some((_name, target)) = fuzz::TARGETS.iter().find(|(it, _target)| *it == name) else {
        panic!("no target {name}");
    };
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    target(data);
    let taken = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    let floor = match name {
        "contract_batch" => FLOOR_UNPACKED,
        _other => FLOOR,
    };
    assert!(
        taken <= floor + PER_BYTE * data.len(),
        "{taken} bytes for an input of {}",
        data.len()
    );
}

/// Writes the seeds of a target into the folder that `WEIR_FUZZ_SEEDS` names, and ends the process.
pub fn seed(name: &str) {
    let Some(folder) = std::env::var_os("WEIR_FUZZ_SEEDS") else {
        return;
    };
    for (number, seed) in fuzz::seeds(name).into_iter().enumerate() {
        let path = Path::new(&folder).join(format!("seed-{number:03}"));
        if let Err(error) = std::fs::write(&path, seed) {
            eprintln!("write {}: {error}", path.display());
            std::process::exit(1);
        }
    }
    std::process::exit(0);
}
