//! A job in SQL over time: what Flink would say of a load, and what becomes of its subtasks.

use super::*;
use crate::flink::shape::{Flow, Vertex as Shape};
use weir_autoscaler::Reason;

/// Records that one subtask of the working vertex can do in a second.
const ONE: u64 = 1000;
const WORK: &str = "work";

fn bounds() -> SqlBounds {
    SqlBounds {
        version: 1,
        least: 1,
        most: 6,
        partitions: vec![("payments".to_owned(), 12)],
        own: OwnPolicy::default(),
        scale_down_after_ms: None,
    }
}

/// A source that costs next to nothing, and a keyed vertex that does what it can.
struct Scene {
    scaler: Scaler,
    now_ms: u64,
    given: SqlGiven,
    room: SqlPool,
    work: u32,
    start: u64,
    done: u64,
    busy_ms: u64,
    lag: u64,
    heap: (u64, u64),
    knows_lag: bool,
    told: Vec<Decision>,
}

impl Scene {
    fn new() -> Self {
        Self {
            scaler: Scaler::default(),
            now_ms: 1_000_000_000,
            given: SqlGiven { units: 1, size: 0 },
            room: SqlPool {
                room: 9,
                can_be_larger: true,
            },
            work: 1,
            start: 1,
            done: 0,
            busy_ms: 0,
            lag: 0,
            heap: (10, 100),
            knows_lag: true,
            told: Vec::new(),
        }
    }

    fn reading(&self) -> Reading {
        let shape = |id: &str, parallelism, inputs| Shape {
            id: id.to_owned(),
            parallelism,
            max_parallelism: 128,
            running: parallelism,
            table: Some("payments".to_owned()),
            inputs,
            ..Shape::default()
        };
        let flow = Flow {
            from: "source".to_owned(),
            keyed: true,
            forward: false,
        };
        let subtask = |records: u64, busy_ms: u64| SubtaskReading {
            records_in: Some(records),
            records_out: Some(records),
            busy_ms: Some(busy_ms),
            backpressured_ms: Some(0),
            idle_ms: Some(0),
        };
        let source = VertexReading {
            shape: shape("source", self.work, Vec::new()),
            records_in: Some(self.done),
            pending: Some(self.lag).filter(|_lag| self.knows_lag),
            subtasks: vec![subtask(self.done, self.done / 100)],
        };
        let each = u64::from(self.work);
        let work = VertexReading {
            shape: shape(WORK, self.work, vec![flow]),
            records_in: Some(self.done),
            pending: None,
            subtasks: (0..each)
                .map(|_at| subtask(self.done / each, self.busy_ms))
                .collect(),
        };
        Reading {
            at_ms: self.now_ms,
            start: self.start,
            vertices: vec![source, work],
            memory: MemoryReading {
                heap_used: Some(self.heap.0),
                heap_max: Some(self.heap.1),
                ..MemoryReading::default()
            },
        }
    }

    /// So many seconds at so many records a second. What is decided is there five seconds later.
    fn pass(&mut self, seconds: u64, arriving: u64) {
        let mut comes = None;
        for _second in 0..seconds {
            self.now_ms += 1000;
            let (waiting, can) = (self.lag + arriving, ONE * u64::from(self.work));
            let done = waiting.min(can);
            self.lag = waiting - done;
            self.done += done;
            self.busy_ms += done * 1000 / can;
            let (reading, room) = (self.reading(), self.room);
            let told = self.scaler.turn_sql(
                self.given,
                (Some(&reading), &BTreeMap::new()),
                &bounds(),
                || room,
                self.now_ms,
            );
            self.told.extend(told);
            let target = self.scaler.sql_target(&bounds());
            self.given.units = units(target, self.given.size).min(self.given.units + self.room.room);
            let size = self.scaler.sql_size(&bounds());
            let reached = target.min(self.given.slots());
            if (reached, size) != (self.work, self.given.size) && comes.is_none() {
                comes = Some(self.now_ms + 5000);
            }
            if comes.is_some_and(|it| it <= self.now_ms) {
                (self.work, self.given.size, comes) = (reached, size, None);
                (self.start, self.done, self.busy_ms) = (self.start + 1, 0, 0);
            }
        }
    }
}

#[test]
fn a_load_brings_subtasks_and_its_end_takes_them_away_late() {
    let mut scene = Scene::new();
    scene.pass(120, 500);
    assert_eq!(
        (scene.work, scene.told.len()),
        (1, 0),
        "half busy is as it should be"
    );
    scene.pass(90, 3000);
    assert!((4..=6).contains(&scene.work), "{} subtasks", scene.work);
    assert_eq!(scene.told[0].reason, Reason::UnderCapacity);
    let high = scene.work;
    assert!(scene.given.units >= high.div_ceil(2), "a unit for two of them");
    scene.pass(300, 3000);
    assert_eq!(scene.lag, 0, "what had waited is done");
    scene.pass(120, 100);
    assert_eq!(scene.work, high, "nothing is taken away at once");
    scene.pass(600, 100);
    assert!(scene.work < high, "{} of {high}", scene.work);
    // How long changes took was learned, and is kept with all else.
    let kept = serde_json::to_string(&scene.scaler.kept).unwrap();
    let again = Scaler::of(serde_json::from_str(&kept).unwrap());
    assert_eq!(again.sql_target(&bounds()), scene.work);
    let restart = scene.told.last().unwrap().job.restart_time_ms;
    assert!(restart < 15_000.0, "{restart}");
}

#[test]
fn what_is_unknown_changes_nothing() {
    let mut scene = Scene::new();
    scene.knows_lag = false;
    scene.pass(300, 3000);
    assert_eq!((scene.work, scene.told.len()), (1, 0));
    scene.knows_lag = true;
    scene.pass(120, 3000);
    assert!(scene.work > 1);
}

#[test]
fn what_came_since_the_last_fetch_waits_as_well() {
    let mut scene = Scene::new();
    let at = |second: u64, read: u64, told: u64, end: u64, scene: &mut Scene| {
        (scene.now_ms, scene.done, scene.lag) = (second * 1000, read, told);
        let ends = BTreeMap::from([("payments".to_owned(), end)]);
        let reading = scene.scaler.caught_up(&scene.reading(), &ends);
        reading.vertices[0].pending
    };
    // The log had 1000 records before the first that it reads. A fetch brought 500: it knows of 500 - 100, and then no more.
    assert_eq!(at(10, 100, 400, 1500, &mut scene), Some(400));
    assert_eq!(
        at(20, 200, 300, 2500, &mut scene),
        Some(1300),
        "a thousand came since"
    );
    // The next fetch tells of all.
    assert_eq!(at(30, 600, 1400, 3000, &mut scene), Some(1400));
    // Nothing is nothing, though markers of transactions stand at the end.
    assert_eq!(at(40, 2000, 0, 3009, &mut scene), Some(0));
    // Where the end is not known, what it tells is what is known.
    scene.lag = 7;
    let reading = scene.scaler.caught_up(&scene.reading(), &BTreeMap::new());
    assert_eq!(reading.vertices[0].pending, Some(7));
}

#[test]
fn a_pool_without_room_is_told_of_and_what_there_is_is_given() {
    let mut scene = Scene::new();
    scene.room.room = 0;
    scene.pass(120, 3000);
    assert_eq!(scene.work, 2, "the second slot of what it has");
    let last = scene.told.last().unwrap();
    assert!(
        last.reason == Reason::PoolExhausted || last.also.contains(&Reason::PoolExhausted),
        "{last:?}"
    );
}

#[test]
fn a_full_heap_brings_larger_task_managers_where_the_pool_has_room() {
    let mut scene = Scene::new();
    scene.heap = (99, 100);
    scene.room.can_be_larger = false;
    scene.pass(120, 500);
    assert_eq!(scene.scaler.sql_size(&bounds()), 0);
    let said = |it: &Decision| it.also.contains(&Reason::PoolExhausted);
    assert!(scene.told.iter().any(said), "{:?}", scene.told);
    scene.room.can_be_larger = true;
    scene.pass(20, 500);
    assert_eq!(scene.scaler.sql_size(&bounds()), 1, "{:?}", scene.told);
    assert_eq!(
        scene.told.last().unwrap().outcome,
        Outcome::RaiseMemory { size_class: 1 }
    );
    scene.heap = (50, 100);
    scene.pass(300, 500);
    assert_eq!(scene.scaler.sql_size(&bounds()), 1, "enough is enough");
    // It sleeps and wakes with the size that it needs; another program begins with the smallest.
    scene.scaler.rest();
    assert_eq!(scene.scaler.sql_size(&bounds()), 1);
    let other = SqlBounds {
        version: 2,
        ..bounds()
    };
    assert_eq!(
        (scene.scaler.sql_size(&other), scene.scaler.sql_target(&other)),
        (0, 1)
    );
}

#[test]
fn units_are_slots_of_a_size() {
    assert_eq!((units(1, 0), units(3, 0), units(3, 1), units(4, 2)), (1, 2, 4, 8));
    let slots = |units, size| SqlGiven { units, size }.slots();
    assert_eq!((slots(1, 0), slots(2, 0), slots(4, 1), slots(5, 2)), (2, 4, 4, 2));
    assert_eq!(slots(1, 2), 2, "what runs keeps one");
}

#[test]
fn a_job_in_sql_has_a_policy_of_its_own_too() {
    let usual = bounds().policy();
    let own = OwnPolicy {
        mode: Some(Mode::Monitoring),
        stabilization_interval_ms: Some(20_000),
        scale_down_interval_ms: Some(900_000),
        ..OwnPolicy::default()
    };
    let told = SqlBounds { own, ..bounds() };
    let policy = told.policy();
    assert_eq!(
        (
            policy.mode,
            policy.stabilization_interval_ms,
            policy.scale_down_interval_ms
        ),
        (Mode::Monitoring, 20_000, 900_000)
    );
    let back = Policy {
        mode: usual.mode,
        stabilization_interval_ms: usual.stabilization_interval_ms,
        scale_down_interval_ms: usual.scale_down_interval_ms,
        ..policy
    };
    assert_eq!(back, usual, "all else is as for all jobs in SQL");
    let customer = SqlBounds {
        scale_down_after_ms: Some(60_000),
        ..told
    };
    assert_eq!(customer.policy().scale_down_interval_ms, 60_000);
}
