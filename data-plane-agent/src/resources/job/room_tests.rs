//! Workers over fakes: started, counted, renewed, ended.

use super::*;
use crate::platform::fake::FakeProcesses;
use crate::processor::progress::{PartitionProgress, Progress};
use crate::processor::spec::tests::sample;

struct Scene {
    folder: tempfile::TempDir,
    processes: FakeProcesses,
    room: Room,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Instant::now();
        let room = open(folder.path(), now);
        Self {
            folder,
            processes: FakeProcesses::default(),
            room,
            now,
        }
    }

    /// One turn with `free` units left in the pool; says how many are left after it.
    fn turn(&mut self, wanted: u32, fingerprint: &str, mut free: u32) -> u32 {
        let spec = sample();
        let hand = Hand {
            spec: &spec,
            fingerprint,
            executable: Path::new("/bin/true"),
            user: None,
            logs: self.folder.path(),
        };
        let turned = self
            .room
            .turn(Some(&hand), wanted, &mut free, &self.processes, self.now);
        turned.unwrap();
        free
    }

    fn alive(&self) -> u32 {
        self.room.alive(&self.processes)
    }

    fn pid(&self, slot: u32) -> u32 {
        let pid = self.room.workers[&slot].child.running(&self.processes).unwrap();
        u32::try_from(pid).unwrap()
    }

    fn writes(&mut self, slot: u32, progress: &Progress) {
        let path = progress_path(&self.room.folder, slot);
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        progress.write(file.unwrap()).unwrap();
        self.room.look();
    }
}

fn open(folder: &Path, now: Instant) -> Room {
    Room::open("job_1", &folder.join("jobs"), &folder.join("run"), now).unwrap()
}

#[test]
fn a_job_has_as_many_workers_as_are_wanted_and_never_more_than_fit() {
    let mut scene = Scene::new();
    assert_eq!(scene.turn(3, "v1", 2), 0);
    assert_eq!(scene.alive(), 2, "the pool has no room for a third");
    assert_eq!(scene.turn(3, "v1", 0), 0);
    assert_eq!(scene.alive(), 2);
    assert_eq!(scene.turn(3, "v1", 1), 0);
    assert_eq!(scene.alive(), 3);
    scene.turn(1, "v1", 0);
    assert_eq!(scene.alive(), 1);
    assert!(
        scene.processes.is_alive("job_1-worker-0"),
        "the last one to come goes first"
    );
    let gone = scene.room.stop(&scene.processes, scene.now).unwrap();
    assert!(gone || scene.room.stop(&scene.processes, scene.now).unwrap());
    assert_eq!(scene.alive(), 0);
}

#[test]
fn another_version_starts_when_none_of_the_old_one_is_left() {
    let mut scene = Scene::new();
    scene.turn(2, "v1", 9);
    assert_eq!(scene.turn(2, "v2", 9), 9, "first the old ones end");
    assert_eq!(scene.alive(), 0);
    scene.turn(2, "v2", 9);
    assert_eq!(scene.alive(), 2);
    assert_eq!(scene.room.kept.restarts, 0, "a wished end is no failure");
}

#[test]
fn one_old_worker_that_lingers_holds_all_new_ones_back() {
    let mut scene = Scene::new();
    scene.processes = FakeProcesses::stubborn();
    scene.turn(2, "v1", 9);
    scene.turn(2, "v2", 9);
    scene.processes.crash("job_1-worker-1");
    for _turn in 0..2 {
        scene.turn(2, "v2", 9);
        let started = scene.processes.started().len();
        assert_eq!((scene.alive(), started), (1, 2), "the old one has not ended");
    }
    scene.processes.crash("job_1-worker-0");
    scene.turn(2, "v2", 9);
    scene.turn(2, "v2", 9);
    assert_eq!((scene.alive(), scene.processes.started().len()), (2, 4));
}

#[test]
fn workers_are_adopted_again_and_their_ends_are_counted_over_restarts_of_the_agent() {
    let mut scene = Scene::new();
    scene.turn(2, "v1", 9);
    scene.room = open(scene.folder.path(), scene.now);
    assert_eq!(scene.alive(), 2);
    scene.turn(2, "v1", 9);
    assert_eq!(scene.processes.started().len(), 2, "not started anew");
    scene.processes.crash("job_1-worker-1");
    scene.turn(2, "v1", 9);
    let workers = scene.room.workers(2, &scene.processes, 0);
    assert_eq!((workers.alive, workers.resting), (1, 1));
    scene.room = open(scene.folder.path(), scene.now);
    assert_eq!(scene.room.kept.restarts, 1);
}

#[test]
fn what_workers_write_is_added_up() {
    let mut scene = Scene::new();
    scene.turn(2, "v1", 9);
    let progress = |pid, at_unix_ms, partition, offset| Progress {
        version: 4,
        pid,
        at_unix_ms,
        joined: true,
        records_in: 10,
        records_out: 7,
        watermark_unix_ms: offset,
        partitions: BTreeMap::from([(
            partition,
            PartitionProgress {
                offset,
                done_to: offset,
                end: 20,
            },
        )]),
        ..Progress::default()
    };
    let (first, second) = (scene.pid(0), scene.pid(1));
    scene.writes(0, &progress(first, 100_000, 0, 12));
    scene.writes(1, &progress(second, 100_500, 1, 18));
    let workers = scene.room.workers(2, &scene.processes, 101_000);
    assert_eq!((workers.alive, workers.joined, workers.halted), (2, 2, None));
    let told = scene.room.progress(workers, 0, &scene.processes);
    assert_eq!(
        (told.records_in, told.records_out, told.lag_records),
        (20, 14, 10)
    );
    assert_eq!((told.watermark_unix_ms, told.version, told.units), (18, 4, 2));
    let offsets: Vec<_> = told.offsets.iter().map(|it| (it.partition, it.offset)).collect();
    assert_eq!(offsets, [(0, 12), (1, 18)]);
    let late = scene.room.workers(2, &scene.processes, 100_000 + STALE_MS);
    assert_eq!(late.joined, 1, "a silent one is not counted on");

    let halted = Progress {
        halt: Some(HaltCode::PoisonRecord),
        ..progress(second, 102_000, 1, 18)
    };
    scene.writes(1, &halted);
    scene.processes.crash("job_1-worker-1");
    scene.turn(2, "v1", 9);
    let workers = scene.room.workers(2, &scene.processes, 102_000);
    assert_eq!((workers.alive, workers.halted), (1, Some(HaltCode::PoisonRecord)));
    let told = scene.room.progress(workers, 0, &scene.processes);
    assert_eq!(
        (told.records_in, told.restarts),
        (20, 1),
        "counts of those that are gone stay"
    );
    assert_eq!(told.offsets.len(), 1);
}

#[test]
fn no_secret_is_on_the_command_line_and_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::new();
    scene.turn(1, "v1", 9);
    let spec = sample();
    let hand = Hand {
        spec: &spec,
        fingerprint: "v1",
        executable: Path::new("/bin/true"),
        user: None,
        logs: scene.folder.path(),
    };
    let program = scene.room.hand_over(0, &hand, true).unwrap();
    assert_eq!(program.arguments, ["processor"]);
    let input = program.input.unwrap();
    assert_eq!(input.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        std::fs::read_to_string(&input)
            .unwrap()
            .contains(&spec.gateway.secret.0)
    );
    scene.room.stop(&scene.processes, scene.now).unwrap();
    scene.room.bury().unwrap();
    assert!(!input.exists());
}
