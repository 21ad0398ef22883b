//! What a worker lets itself have: the memory of one compute unit, and nothing of what it holds in a file of the system's.
//!
//! It limits itself before it reads what to do. The program of a tenant cannot take it back: the limit is hard, and steps are data.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Of one worker, which is one unit.
pub const MEMORY_BYTES: u64 = 512 << 20;

/// Takes the limits of one unit.
///
/// # Errors
/// As the system says.
pub fn take(memory_bytes: u64) -> io::Result<()> {
    // What it may write to, but for its stack and shared memory: not what allocators only reserve, which takes no memory.
    set(Resource::Data, memory_bytes)?;
    // A picture of its memory would hold records and secrets.
    set(Resource::Core, 0)
}

fn set(resource: Resource, most: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    setrlimit(resource, limit).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHILD: &str = "WEIR_TEST_LIMITED";

    /// A process of its own: limits are taken for good.
    #[test]
    fn a_process_gets_the_memory_of_a_unit_and_no_more() {
        if std::env::var_os(CHILD).is_some() {
            take(MEMORY_BYTES).unwrap();
            let room = |bytes: u64| {
                let mut taken: Vec<u8> = Vec::new();
                taken.try_reserve_exact(usize::try_from(bytes).unwrap()).is_ok()
            };
            assert!(room(MEMORY_BYTES / 2), "half of it");
            assert!(!room(MEMORY_BYTES + 1), "more than it");
            let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
            let of = |name: &str| limits.lines().find(|it| it.starts_with(name)).unwrap().to_owned();
            assert_eq!(
                of("Max data size").matches("536870912").count(),
                2,
                "hard and soft"
            );
            assert_eq!(of("Max core file size").split_whitespace().nth(4), Some("0"));
            // It cannot be taken back, but by root, which workers are not where the agent is root.
            return;
        }
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "processor::limits::tests::a_process_gets_the_memory_of_a_unit_and_no_more",
            ])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("1 passed"), "{said}");
    }
}
