//! A job's number of workers over time: what workers would say of a load, and what becomes of it.

use super::*;
use weir_autoscaler::Reason;

fn bounds() -> Bounds {
    Bounds {
        least: 1,
        most: 6,
        partitions: 12,
        own: OwnPolicy::default(),
        scale_down_after_ms: None,
    }
}
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
    bounds: Bounds,
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
            bounds: bounds(),
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
                .turn(self.granted, Some(&reading), &self.bounds, || room, self.now_ms);
            self.told.extend(told);
            self.granted = self.scaler.target(&self.bounds);
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
        scene.scaler.target(&bounds()),
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
    assert_eq!(again.target(&bounds()), high);
    assert!(
        kept.memory.restart_time_ms.is_some(),
        "how long a change took is known"
    );
    let fewer = Bounds { most: 2, ..bounds() };
    assert_eq!(again.target(&fewer), 2, "the job's own bounds hold at once");
    again.rest();
    assert_eq!(again.target(&bounds()), 1);
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
        assert_eq!(scaler.turn(2, Some(&one), &bounds(), || 9, now_ms), None);
        assert_eq!(scaler.turn(2, None, &bounds(), || 9, now_ms), None);
    }
    for seconds in 120..240 {
        let told = scaler.turn(2, Some(&reading(seconds, None)), &bounds(), || 9, seconds * 1000);
        assert_eq!(told, None, "no data is no decision");
    }
    let mut told = None;
    for seconds in 240..300 {
        let behind = reading(seconds, Some(seconds * 3000));
        told = told.or(scaler.turn(2, Some(&behind), &bounds(), || 9, seconds * 1000));
    }
    assert_eq!(told.map(|it| it.reason), Some(Reason::UnderCapacity));
}

#[test]
fn advice_is_told_and_changes_nothing() {
    let mut scene = Scene::new();
    scene.bounds.own.mode = Some(Mode::Monitoring);
    scene.pass(300, 3000);
    assert_eq!(scene.granted, 1);
    assert!(scene.told.iter().all(|it| it.outcome == Outcome::Hold));
    let advice = scene.told.iter().find(|it| it.reason == Reason::Monitoring);
    let advice = advice.expect("an overload is told of");
    assert!(advice.wanted[VERTEX] > 1 && advice.also.contains(&Reason::UnderCapacity));
    scene.bounds.own.mode = None;
    scene.pass(120, 3000);
    assert!(scene.granted > 1, "it is carried out from then on");
    // The pool took some away for a while: advice does not keep it so.
    let high = scene.granted;
    scene.bounds.own.mode = Some(Mode::Monitoring);
    scene.granted = 1;
    scene.pass(1, 1500);
    scene.granted = 1;
    scene.pass(60, 1500);
    assert_eq!(scene.granted, high);
}

#[test]
fn a_job_says_for_itself_how_busy_and_for_how_long_and_the_customer_has_the_last_word() {
    let after = |own: OwnPolicy, customer: Option<u64>| {
        let mut scene = Scene::new();
        (scene.bounds.own, scene.bounds.scale_down_after_ms) = (own, customer);
        scene.pass(180, 1200);
        let high = scene.granted;
        // The window has to see the end of the load first.
        scene.pass(500, 100);
        (high, scene.granted)
    };
    let usual = after(OwnPolicy::default(), None);
    let roomy = OwnPolicy {
        utilization_target: Some(0.3),
        ..OwnPolicy::default()
    };
    assert!(
        after(roomy, None).0 > usual.0,
        "less busy workers are more of them"
    );
    let patient = OwnPolicy {
        scale_down_interval_ms: Some(3_600_000),
        ..OwnPolicy::default()
    };
    let (high, kept) = after(patient.clone(), None);
    assert_eq!(high, kept, "an hour without need has not passed");
    let (high, kept) = after(patient, Some(60_000));
    assert!(kept < high, "the customer does not wait so long");
}
