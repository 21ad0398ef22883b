//! The autoscaler in a model of a job: how soon it comes to the right size, beside the DS2 formula, the Flink autoscaler's rules and an
//! oracle that knows the true rates; and what days with bursts cost, beside Flink's rules.

use crate::measure::{Bar, Figure, Pairs, absolute};
use crate::run::Run;
use anyhow::{Result, ensure};
use weir_autoscaler::Policy;
use weir_autoscaler::simulator::{
    Controller, Ds2, Figures, FlinkRules, Ours, Score, Settings, figures, made_up_day, run as simulate,
    traces,
};

/// Generated jobs, in so many parts, whose differences are the spread.
const JOBS: u64 = 1_000;
const PARTS: u64 = 10;
/// Made-up days.
const DAYS: u64 = 40;

const NOTHING: Bar = Bar {
    id: "",
    what: "",
    peer: "",
    version: "",
    ship: None,
    goal: None,
    less: false,
};

type Make = fn(&Policy) -> Box<dyn Controller>;

/// How soon generated jobs have the right size.
pub fn convergence(run: &mut Run) -> Result<Vec<Figure>> {
    run.setting("G12.jobs", JOBS.to_string());
    let sides: [(&str, &str, Make); 3] = [
        ("ours", "", |it| Box::new(Ours::new(it.clone()))),
        ("flink", ".flink", |it| Box::new(FlinkRules::new(it.clone()))),
        ("ds2", ".ds2", |_| Box::new(Ds2::new())),
    ];
    let mut found = Vec::new();
    for (name, suffix, make) in sides {
        let each = JOBS / PARTS;
        let parts = (0..PARTS).map(|part| figures(part * each..(part + 1) * each, make));
        let parts: Vec<Figures> = parts.collect::<Result<_, _>>()?;
        run.say(&format!("{name}: {JOBS} jobs"));
        found.extend(told(suffix, &parts));
    }
    Ok(found)
}

fn told(suffix: &str, parts: &[Figures]) -> Vec<Figure> {
    let ours = suffix.is_empty();
    let figure = |id: &str,
                  what: &'static str,
                  unit: &str,
                  bars: Option<(f64, f64)>,
                  less,
                  of: &dyn Fn(&Figures) -> f64| {
        let (ship, goal) = bars.filter(|_| ours).unzip();
        let bar = Bar {
            what,
            peer: "an oracle",
            ship,
            goal,
            less,
            ..NOTHING
        };
        let values: Vec<f64> = parts.iter().map(of).collect();
        let mut it = absolute(bar, unit, &values);
        // Of all jobs, not the middle part.
        it.value = values.iter().sum::<f64>() / values.len() as f64;
        it.id = format!("{id}{suffix}");
        it
    };
    let share = |count: u32, of: &Figures| f64::from(count) / f64::from(of.jobs.max(1));
    let mut all = vec![
        figure(
            "G12",
            "jobs that fit after one change",
            "share",
            Some((0.85, 0.95)),
            false,
            &|it| share(it.fitted_in_one, it),
        ),
        figure("G12.two", "after two", "share", None, false, &|it| {
            share(it.fitted_in_two, it)
        }),
        figure(
            "G12.tasks",
            "tasks, by the oracle's",
            "ratio",
            Some((1.15, 1.05)),
            true,
            &|it| it.tasks_over_oracle,
        ),
        figure("G12.first", "until the first change", "s", None, true, &|it| {
            it.first_ms as f64 / 1_000.0
        }),
    ];
    let mut most = figure(
        "G12.most",
        "most changes of a job",
        "changes",
        Some((3.0, 2.0)),
        true,
        &|it| f64::from(it.steps_most),
    );
    most.value = most.max;
    all.push(most);
    all
}

/// What a day with bursts costs.
pub fn days(run: &mut Run) -> Result<Vec<Figure>> {
    let settings = Settings::default();
    let both = |trace: &weir_autoscaler::simulator::Trace| {
        let ours = simulate(trace, &mut Ours::new(Policy::default()), &settings, false).score;
        let peer = simulate(trace, &mut FlinkRules::new(Policy::default()), &settings, false).score;
        (ours, peer)
    };
    let made_up = (0..DAYS).map(|seed| Ok(both(&made_up_day(seed)?)));
    let scores: Vec<(Score, Score)> = made_up.collect::<Result<_>>()?;
    let suite = traces()?;
    let diurnal = suite.iter().find(|it| it.name == "diurnal").map(both);
    let late = |it: &Score| it.late_ms as f64 / 1_000.0;
    let (mut lag, mut rescales, mut slots) = (Pairs::default(), Pairs::default(), Pairs::default());
    for (ours, peer) in &scores {
        ensure!(
            peer.late_ms > 0 && peer.rescales > 0,
            "a day on which Flink's rules do nothing"
        );
        lag.add(late(ours), late(peer));
        rescales.add(f64::from(ours.rescales), f64::from(peer.rescales));
        slots.add(ours.slot_hours(), peer.slot_hours());
    }
    let flaps = |of: fn(&(Score, Score)) -> u32| scores.iter().map(of).sum::<u32>();
    run.setting("G13.days", DAYS.to_string());
    run.setting("G13.flaps.ours", flaps(|it| it.0.flaps).to_string());
    run.setting("G13.flaps.flink", flaps(|it| it.1.flaps).to_string());
    let sum = |of: fn(&Score) -> f64| {
        let (mut ours, mut peer) = (0.0, 0.0);
        for it in &scores {
            ours += of(&it.0);
            peer += of(&it.1);
        }
        format!("{ours:.0} / {peer:.0}")
    };
    run.setting("G13.all_days.late_minutes", sum(Score::late_minutes));
    run.setting("G13.all_days.rescales", sum(|it| f64::from(it.rescales)));
    run.setting("G13.all_days.slot_hours", sum(Score::slot_hours));
    if let Some(scores) = diurnal {
        run.setting("G13.diurnal", in_words(&scores));
    }
    Ok(beside_flink(&lag, &rescales, &slots))
}

fn in_words((ours, peer): &(Score, Score)) -> String {
    format!(
        "late {:.1} / {:.1} min, rescales {} / {}, slot-hours {:.0} / {:.0}",
        ours.late_minutes(),
        peer.late_minutes(),
        ours.rescales,
        peer.rescales,
        ours.slot_hours(),
        peer.slot_hours()
    )
}

fn beside_flink(lag: &Pairs, rescales: &Pairs, slots: &Pairs) -> Vec<Figure> {
    let bar = Bar {
        peer: "the Flink autoscaler's rules, in the same model",
        version: "1.10",
        less: true,
        ..NOTHING
    };
    vec![
        lag.figure(Bar {
            id: "G13.lag",
            what: "seconds of a day in which a record waits for more than a minute",
            ship: Some(2.0 / 3.0),
            goal: Some(1.0 / 3.0),
            ..bar
        }),
        rescales.figure(Bar {
            id: "G13.rescales",
            what: "changes of parallelism in a day",
            ship: Some(0.5),
            goal: Some(0.25),
            ..bar
        }),
        slots.figure(Bar {
            id: "G13.slots",
            what: "slot-hours of a day",
            ..bar
        }),
    ]
}
