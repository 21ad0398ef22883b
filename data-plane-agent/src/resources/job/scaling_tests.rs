//! A job's number of workers over time: what workers would say of a load, and what becomes of it.

use super::*;
use weir_autoscaler::Reason;

const BOUNDS: Bounds = Bounds {
    least: 1,
    most: 6,
    partitions: 12,
    scale_down_after_ms: 300_000,
};
/// Records that one worker can do in a second.
const ONE: u64 = 1000;

/// A job whose workers do what they can of what arrives.
struct Scene {
    scaler: Scaler,
    now_ms: u64,
    granted: u32,
    room: u32,
    counters: Vec<(u64, u64)>,
    lag: u64,
    told: Vec<Decision>,
}

impl Scene {
    fn new() -> Self {
        Self {
            scaler: Scaler::default(),
            now_ms: 1_000_000_000,
            granted: 1,
            room: 9,
            counters: vec![(0, 0); 6],
            lag: 0,
            told: Vec::new(),
        }
    }

    /// So many seconds at so many records a second.
    fn pass(&mut self, seconds: u64, arriving: u64) {
        for _second in 0..seconds {
            self.now_ms += 1000;
            let (waiting, can) = (self.lag + arriving, ONE * u64::from(self.granted));
            let done = waiting.min(can);
            self.lag = waiting - done;
            for (records, busy_us) in self.counters.iter_mut().take(self.granted as usize) {
                *records += done / u64::from(self.granted);
                *busy_us += done * 1_000_000 / can;
            }
            let reading = Reading {
                workers: self.counters[..self.granted as usize].to_vec(),
                lag: Some(self.lag),
                start: 1,
            };
            let room = self.room;
            let told = self
                .scaler
                .turn(self.granted, Some(&reading), &BOUNDS, || room, self.now_ms);
            self.told.extend(told);
            self.granted = self.scaler.target(&BOUNDS);
        }
    }
}

#[test]
fn a_load_brings_workers_and_its_end_takes_them_away_late() {
    let mut scene = Scene::new();
    scene.pass(120, 500);
    assert_eq!(
        (scene.granted, scene.told.len()),
        (1, 0),
        "half busy is as it should be"
    );
    scene.pass(60, 3000);
    assert!((4..=6).contains(&scene.granted), "{} workers", scene.granted);
    assert_eq!(scene.told[0].reason, Reason::UnderCapacity);
    scene.pass(300, 3000);
    assert_eq!(scene.lag, 0, "what had waited is done");
    let high = scene.granted;
    scene.pass(120, 100);
    assert_eq!(scene.granted, high, "nothing is taken away at once");
    scene.pass(1200, 100);
    assert_eq!(scene.granted, 1);
    assert!(scene.told.iter().any(|it| it.reason == Reason::OverCapacity));
}

#[test]
fn a_full_pool_is_said_once_and_not_again_and_again() {
    let mut scene = Scene::new();
    scene.room = 0;
    scene.pass(300, 5000);
    assert_eq!(scene.granted, 1);
    let full = scene.told.iter().filter(|it| it.reason == Reason::PoolExhausted);
    assert!(full.count() >= 1, "{:?}", scene.told);
    assert!(
        scene.told.len() <= 4,
        "{} decisions in five minutes",
        scene.told.len()
    );
    assert_eq!(
        scene.scaler.target(&BOUNDS),
        1,
        "a wish that was not granted is decided anew"
    );
}

#[test]
fn what_was_learned_and_decided_survives_the_agent() {
    let mut scene = Scene::new();
    scene.pass(90, 3000);
    let high = scene.granted;
    assert!(high > 1);
    let kept = scene
        .scaler
        .unwritten(scene.now_ms)
        .expect("a change is written")
        .clone();
    assert!(scene.scaler.unwritten(scene.now_ms).is_none());
    let recorded: String = (scene.scaler.recorded().iter())
        .map(|it| serde_json::to_string(it).unwrap() + "\n")
        .collect();
    let recorded = weir_autoscaler::recording::Recording::from_lines(&recorded).unwrap();
    assert!(recorded[0].samples.len() > 10, "what a replay needs");
    assert!(scene.scaler.recorded().is_empty());
    let written = serde_json::to_vec(&kept).unwrap();
    let read: Kept = serde_json::from_slice(&written).unwrap();
    assert_eq!(read, kept);
    let mut again = Scaler::of(read);
    assert_eq!(again.target(&BOUNDS), high);
    assert!(
        kept.memory.restart_time_ms.is_some(),
        "how long a change took is known"
    );
    let fewer = Bounds { most: 2, ..BOUNDS };
    assert_eq!(again.target(&fewer), 2, "the job's own bounds hold at once");
    again.rest();
    assert_eq!(again.target(&BOUNDS), 1);
}

#[test]
fn nothing_is_decided_while_workers_are_missing_or_the_lag_is_unknown() {
    let mut scaler = Scaler::default();
    let reading = |seconds: u64, lag| Reading {
        workers: vec![(seconds * ONE, seconds * 1_000_000); 2],
        lag,
        start: 1,
    };
    for seconds in 0..120 {
        let now_ms = seconds * 1000;
        let one = Reading {
            workers: vec![(seconds * ONE, seconds * 1_000_000)],
            lag: Some(seconds * 9000),
            start: 1,
        };
        assert_eq!(scaler.turn(2, Some(&one), &BOUNDS, || 9, now_ms), None);
        assert_eq!(scaler.turn(2, None, &BOUNDS, || 9, now_ms), None);
    }
    for seconds in 120..240 {
        let told = scaler.turn(2, Some(&reading(seconds, None)), &BOUNDS, || 9, seconds * 1000);
        assert_eq!(told, None, "no data is no decision");
    }
    let mut told = None;
    for seconds in 240..300 {
        let behind = reading(seconds, Some(seconds * 3000));
        told = told.or(scaler.turn(2, Some(&behind), &BOUNDS, || 9, seconds * 1000));
    }
    assert_eq!(told.map(|it| it.reason), Some(Reason::UnderCapacity));
}
