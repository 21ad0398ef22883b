//! What gateways may use together never exceeds the budget, floors hold, nobody starves.

use proptest::prelude::*;
use weir_proto::lane::v1::BudgetDimension;

use super::*;

const STEP: Duration = Duration::from_millis(250);

/// A gateway as its own lessee counts: what it may use.
#[derive(Debug, Clone, Default)]
struct Model {
    sequence: u64,
    seen: u64,
    gateways: u32,
    lease: Option<(u32, Instant)>,
    sent: Vec<(u64, Instant)>,
}

impl Model {
    fn request(&mut self, now: Instant, wanted: u32, floor: u32) -> LeaseRequest {
        self.sequence += 1;
        self.sent.push((self.sequence, now));
        LeaseRequest {
            sequence: self.sequence,
            seen: self.seen,
            gateways: self.gateways,
            needs: vec![BudgetNeed {
                quota_id: "q".to_owned(),
                principal_id: String::new(),
                dimensions: vec![DimensionNeed {
                    dimension: BudgetDimension::Ingress.into(),
                    wanted_ppm: wanted,
                    floor_ppm: floor,
                }],
            }],
        }
    }

    fn answer(&mut self, answer: &Leases) {
        let sent = self.sent.iter().find(|(it, _at)| *it == answer.sequence);
        let (_sequence, at) = *sent.unwrap();
        self.seen = answer.sequence;
        self.gateways = answer.gateways;
        self.lease = Some((answer.leases[0].share_ppm, at + TERM));
    }

    fn leased(&self, now: Instant) -> u32 {
        self.lease
            .filter(|(_part, end)| *end > now)
            .map_or(0, |(part, _end)| part)
    }
}

fn settle(
    lessor: &mut Lessor,
    models: &mut [Model],
    needs: &[(u32, u32)],
    from: Instant,
    rounds: u32,
) -> Instant {
    let mut now = from;
    for _round in 0..rounds {
        now += STEP;
        for (at, model) in models.iter_mut().enumerate() {
            let request = model.request(now, needs[at].0, needs[at].1);
            if let Some(answer) = lessor.answer(now, &at.to_string(), &request) {
                model.answer(&answer);
            }
        }
        let sum: u32 = models.iter().map(|it| it.leased(now)).sum();
        assert!(sum <= WHOLE, "{sum}");
    }
    now
}

fn parts(models: &[Model], now: Instant) -> Vec<u32> {
    models.iter().map(|it| it.leased(now)).collect()
}

#[test]
fn parts_follow_use_and_nobody_starves() {
    let start = Instant::now();
    let mut lessor = Lessor::new(start, []);
    let mut models = vec![Model::default(); 3];
    let hungry = (WHOLE, 0);
    let now = settle(
        &mut lessor,
        &mut models,
        &[hungry, (100_000, 0), (0, 0)],
        start,
        40,
    );
    let held = parts(&models, now);
    assert!(held[0] >= 850_000, "{held:?}");
    assert!((100_000..110_000).contains(&held[1]), "{held:?}");
    assert!(held[2] >= STARTER / 3, "a little for who comes next: {held:?}");
    let now = settle(&mut lessor, &mut models, &[hungry, hungry, hungry], now, 40);
    let held = parts(&models, now);
    assert!(held.iter().all(|it| it.abs_diff(WHOLE / 3) <= 1), "{held:?}");
    let now = settle(
        &mut lessor,
        &mut models,
        &[(10_000, 0), (10_000, 0), (10_000, 0)],
        now,
        40,
    );
    let held = parts(&models, now);
    assert!(
        held.iter().all(|it| *it > 300_000),
        "what nobody wants is spread: {held:?}"
    );
}

#[test]
fn floors_come_first() {
    let start = Instant::now();
    let mut lessor = Lessor::new(start, []);
    let mut models = vec![Model::default(); 4];
    let needs = [(WHOLE, 0), (WHOLE, 0), (WHOLE, 0), (WHOLE, 600_000)];
    let now = settle(&mut lessor, &mut models, &needs, start, 40);
    let held = parts(&models, now);
    assert!(held[3] >= 600_000, "{held:?}");
    assert!(held.iter().all(|it| *it >= 100_000), "{held:?}");
}

#[test]
fn nothing_is_lent_in_the_first_term_and_silent_gateways_keep_their_equal_part() {
    let start = Instant::now();
    let mut lessor = Lessor::new(start, ["0", "1"].map(str::to_owned));
    let mut model = Model {
        gateways: 2,
        ..Model::default()
    };
    let request = model.request(start, WHOLE, 0);
    assert!(lessor.answer(start + TERM - STEP, "0", &request).is_none());
    let mut models = vec![model];
    let now = settle(&mut lessor, &mut models, &[(WHOLE, 0)], start, 40);
    assert_eq!(
        models[0].leased(now),
        WHOLE / 2,
        "the other has not come back yet"
    );
    let now = settle(&mut lessor, &mut models, &[(WHOLE, 0)], now, 240);
    assert_eq!(models[0].leased(now), WHOLE, "and is taken for gone at last");
    assert_eq!(lessor.known(), ["0"]);
}

#[test]
fn who_leaves_in_order_leaves_everything() {
    let start = Instant::now();
    let mut lessor = Lessor::new(start, []);
    let mut models = vec![Model::default(); 2];
    let now = settle(&mut lessor, &mut models, &[(WHOLE, 0), (WHOLE, 0)], start, 40);
    assert_eq!(parts(&models, now), [WHOLE / 2, WHOLE / 2]);
    lessor.leave("1");
    models.truncate(1);
    let now = settle(&mut lessor, &mut models, &[(WHOLE, 0)], now, 2);
    assert_eq!(parts(&models, now), [WHOLE]);
}

proptest! {
    /// Gateways come, ask, fall silent, come back; answers get lost with their stream; the agent is killed.
    #[test]
    fn leases_never_exceed_the_budget(
        steps in prop::collection::vec((0_usize..5, 0_u32..2_000_000, 0_u32..400_000, 0_u8..12, 0_u64..900), 1..200),
    ) {
        let mut now = Instant::now();
        let mut lessor = Lessor::new(now, []);
        let mut models = vec![Model::default(); 5];
        for (at, wanted, floor, chance, pause_ms) in steps {
            now += Duration::from_millis(pause_ms);
            if chance == 0 {
                // Killed and started again; who was known is on disk.
                lessor = Lessor::new(now, lessor.known());
                for model in &mut models {
                    model.seen = 0;
                    model.sent.clear();
                }
            }
            let request = models[at].request(now, wanted, floor);
            let answer = lessor.answer(now, &at.to_string(), &request);
            if chance == 1 {
                // The answer is lost, and the stream with it.
                models[at].seen = 0;
                models[at].sent.clear();
            } else if let Some(answer) = answer {
                models[at].answer(&answer);
            }
            let sum: u32 = models.iter().map(|it| it.leased(now)).sum();
            prop_assert!(sum <= WHOLE, "{}", sum);
        }
    }

    /// Whoever asks steadily gets a part within two terms, and floors that fit are given.
    #[test]
    fn who_asks_steadily_is_served(
        needs in prop::collection::vec((0_u32..2_000_000, 0_u32..150_000), 1..6),
    ) {
        let start = Instant::now();
        let mut lessor = Lessor::new(start, []);
        let mut models = vec![Model::default(); needs.len()];
        let now = settle(&mut lessor, &mut models, &needs, start, 32);
        let held = parts(&models, now);
        for (part, (_wanted, floor)) in held.iter().zip(&needs) {
            prop_assert!(part >= floor, "{:?} {:?}", held, needs);
            prop_assert!(*part >= 2_000, "{:?}", held);
        }
        let sum: u32 = held.iter().sum();
        prop_assert!(sum >= WHOLE - 10, "nothing is left lying: {:?}", held);
    }
}
