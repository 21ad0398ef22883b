//! The sizes that TaskManagers come in. All of one pool have the same: its jobs share them.

/// One size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// What one TaskManager takes of its pool.
    pub units: u32,
    /// Heap of tasks, MiB.
    task_heap: u32,
    /// Memory that Flink manages for sorting and state, MiB.
    managed: u32,
    /// Buffers of the network, MiB.
    network: u32,
}

/// Heap and other memory that Flink itself needs, MiB.
const FRAMEWORK_HEAP: u32 = 64;
const FRAMEWORK_OFF_HEAP: u32 = 32;

/// From the smallest. The first is what the pool's configuration says.
pub const SIZES: [Size; 3] = [
    size(1, 192, 64, 32),
    size(2, 576, 192, 64),
    size(4, 1472, 384, 64),
];

const fn size(units: u32, task_heap: u32, managed: u32, network: u32) -> Size {
    Size {
        units,
        task_heap,
        managed,
        network,
    }
}

/// The size at this place in the list; beyond its end the largest.
#[must_use]
pub fn size_of(place: usize) -> Size {
    SIZES[place.min(SIZES.len() - 1)]
}

impl Size {
    /// What its JVM is told.
    #[must_use]
    pub fn jvm(self) -> Vec<String> {
        vec![
            "-Xms64m".to_owned(),
            format!("-Xmx{}m", FRAMEWORK_HEAP + self.task_heap),
            format!("-XX:MaxDirectMemorySize={}m", FRAMEWORK_OFF_HEAP + self.network),
            "-XX:MaxMetaspaceSize=128m".to_owned(),
        ]
    }

    /// Where it differs from the pool's configuration.
    #[must_use]
    pub fn settings(self) -> Vec<String> {
        if self == SIZES[0] {
            return Vec::new();
        }
        let set = |key: &str, mib: u32| format!("-Dtaskmanager.memory.{key}={mib}m");
        vec![
            set("task.heap.size", self.task_heap),
            set("managed.size", self.managed),
            set("network.min", self.network),
            set("network.max", self.network),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_is_larger_than_the_one_before_and_the_first_is_the_usual() {
        assert_eq!(size_of(0).jvm()[1], "-Xmx256m");
        assert!(size_of(0).settings().is_empty());
        assert_eq!(size_of(1).jvm()[1], "-Xmx640m");
        assert!(
            size_of(1)
                .settings()
                .contains(&"-Dtaskmanager.memory.task.heap.size=576m".to_owned())
        );
        for pair in SIZES.windows(2) {
            assert!(pair[1].units > pair[0].units && pair[1].task_heap > pair[0].task_heap);
        }
        assert_eq!(size_of(99), SIZES[2]);
    }
}
