//! What a job's room remembers, over fakes.

use std::path::Path;

use tokio::time::Instant;

use super::*;
use crate::platform::fake::FakeProcesses;
use crate::processor::progress::PartitionProgress;
use crate::processor::spec::tests::sample;
use crate::resources::job::Hand;
use crate::resources::job::sleep;
use weir_proto::agent::v1::Job;

struct Scene {
    folder: tempfile::TempDir,
    processes: FakeProcesses,
    room: Room,
}

const NOW: u64 = 1_000_000;

fn open(folder: &Path) -> Room {
    let mut room = Room::open("job_1", &folder.join("jobs"), &folder.join("run"), Instant::now()).unwrap();
    room.reads("orders");
    room
}

impl Scene {
    fn new(workers: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut scene = Self {
            room: open(folder.path()),
            folder,
            processes: FakeProcesses::default(),
        };
        scene.turn(workers);
        scene
    }

    fn turn(&mut self, workers: u32) {
        let spec = sample();
        let hand = Hand {
            spec: &spec,
            fingerprint: "v1",
            executable: Path::new("/bin/true"),
            user: None,
            logs: self.folder.path(),
        };
        let hand = (workers > 0).then_some(&hand);
        let now = Instant::now();
        self.room
            .turn(hand, workers, &mut 9, &self.processes, now)
            .unwrap();
    }

    /// A worker says where it is: partition, next offset, done to, end.
    fn says(&mut self, slot: u32, at_unix_ms: u64, places: &[(i32, i64, i64, i64)]) {
        let pid = self.room.workers[&slot].child.running(&self.processes).unwrap();
        let partitions = places.iter().map(|(partition, offset, done_to, end)| {
            let at = PartitionProgress {
                offset: *offset,
                done_to: *done_to,
                end: *end,
            };
            (*partition, at)
        });
        let progress = Progress {
            version: 1,
            source: "orders".to_owned(),
            pid: u32::try_from(pid).unwrap(),
            at_unix_ms,
            joined: true,
            records_in: 5,
            partitions: partitions.collect(),
            ..Progress::default()
        };
        let path = progress_path(&self.room.folder, slot);
        let file = std::fs::File::create(path).unwrap();
        progress.write(file).unwrap();
        self.room.look();
    }

    fn given(&self, slot: u32) -> BTreeMap<i32, Position> {
        let path = self.room.folder.join(format!("worker-{slot}.json"));
        let file = std::fs::File::open(path).unwrap();
        crate::processor::spec::WorkerSpec::read(file).unwrap().positions
    }
}

#[test]
fn the_place_is_kept_and_handed_to_the_next_worker() {
    let mut scene = Scene::new(1);
    assert!(scene.given(0).is_empty());
    scene.says(0, NOW, &[(0, 10, 12, 12), (1, 7, 7, 9)]);
    scene.turn(0);
    // The agent starts anew, and so does the worker.
    scene.room = open(scene.folder.path());
    scene.room.look();
    scene.turn(1);
    let given = scene.given(0);
    assert_eq!(
        (given[&0].offset, given[&0].done_to, given[&1].offset),
        (10, 12, 7)
    );
    std::fs::remove_file(progress_path(&scene.room.folder, 0)).unwrap();
    scene.room = open(scene.folder.path());
    assert_eq!(
        scene.room.kept.positions, given,
        "though the worker wrote over its file"
    );
    scene.room.reads("refunds");
    assert!(scene.room.kept.positions.is_empty(), "a place is of one topic");
}

#[test]
fn the_newest_word_on_a_partition_counts() {
    let mut scene = Scene::new(2);
    scene.says(0, NOW, &[(0, 10, 10, 12)]);
    scene.says(1, NOW + 5, &[(0, 8, 8, 12)]);
    assert_eq!(
        scene.room.kept.positions[&0].offset, 8,
        "a person set the group back"
    );
    scene.says(0, NOW + 9, &[]);
    assert_eq!(scene.room.kept.positions[&0].offset, 8);
    scene.says(1, NOW + 10, &[(0, 8, 12, 12)]);
    scene.says(0, NOW + 11, &[(0, 8, 8, -1)]);
    assert_eq!(
        scene.room.kept.positions[&0].done_to, 12,
        "who takes over forgets nothing"
    );
}

#[test]
fn what_waits_is_known_when_every_partition_is_somebodys() {
    let mut scene = Scene::new(2);
    let waits = |scene: &Scene, partitions| scene.room.waits(2, partitions, &scene.processes, NOW).0;
    scene.says(0, NOW, &[(0, 10, 12, 12)]);
    assert_eq!(waits(&scene, 2), Waiting::Unknown, "one has not joined");
    scene.says(1, NOW, &[(1, 7, 7, 9)]);
    assert_eq!(waits(&scene, 2), Waiting::Records { records: 2 });
    assert_eq!(waits(&scene, 3), Waiting::Unknown, "a partition that nobody has");
    scene.says(1, NOW, &[(1, 7, 7, -1)]);
    assert_eq!(waits(&scene, 2), Waiting::Unknown);
    let reading = scene.room.reading(2, 2, &scene.processes, NOW).unwrap();
    assert_eq!((reading.workers.len(), reading.lag), (2, None));
    assert_eq!(
        scene.room.reading(1, 2, &scene.processes, NOW),
        None,
        "one too many runs"
    );
}

#[test]
fn a_sleeping_job_stays_asleep_over_restarts_and_wakes_on_growth() {
    let mut scene = Scene::new(1);
    scene.says(0, NOW, &[(0, 10, 12, 12), (1, 7, 7, 7)]);
    scene.room.fall_asleep("1/0", NOW).unwrap();
    scene.turn(0);
    scene.room = open(scene.folder.path());
    assert_eq!(scene.room.asleep().map(|it| it.of.as_str()), Some("1/0"));
    let settings = sleep::settings(&Job::default());
    let edges = |end| Edges::from([(0, (Some(0), Some(end))), (1, (Some(0), Some(7)))]);
    assert!(!scene.room.look_asleep(&settings, &[0, 1], &edges(12), NOW));
    assert_eq!(scene.room.waiting, Some(0));
    assert!(!scene.room.look_asleep(&settings, &[0, 1], &Edges::new(), NOW));
    assert_eq!(scene.room.waiting, None, "not known is not none");
    let workers = scene.room.workers(0, &scene.processes, NOW);
    assert!(scene.room.look_asleep(&settings, &[0, 1], &edges(13), NOW));
    let told = scene.room.progress(workers, 0, &scene.processes);
    assert_eq!((told.lag_records, told.suspended_at_unix_ms), (1, NOW as i64));
    assert_eq!(
        told.offsets.iter().map(|it| it.offset).collect::<Vec<_>>(),
        [10, 7]
    );
    scene.room.wake().unwrap();
    assert!(open(scene.folder.path()).asleep().is_none());
}
