//! What a run is judged by, and the table of all policies on all traces.

use super::competitors::{Ds2, FlinkRules, LagProportional, Ours};
use super::model::Job;
use super::run::{Change, Controller, Settings, run};
use super::trace::Trace;
use super::traces::traces;
use crate::graph::{Graph, GraphError, Parallelism};
use crate::history::Sample;
use crate::policy::Policy;

/// The figures of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Time in which the oldest record was late, in milliseconds.
    pub late_ms: u64,
    /// Slots times time, in milliseconds.
    pub slot_ms: u64,
    /// Changes of parallelism.
    pub rescales: u32,
    /// Changes that undid one of the last minutes, of any vertex.
    pub flaps: u32,
    /// Changes that took tasks away while records had waited for more than half a minute of input.
    pub thinned_while_behind: u32,
    /// Records that waited at the end.
    pub final_backlog: f64,
    /// The most slots at any time.
    pub slots_most: u64,
}

impl Score {
    /// A step has passed.
    pub(super) fn tick(&mut self, job: &Job, settings: &Settings) {
        let slots = job.graph.slots(&job.graph.parallelism());
        self.slot_ms += slots * settings.step_ms;
        self.slots_most = self.slots_most.max(slots);
        if job.oldest_ms() > settings.slo_ms {
            self.late_ms += settings.step_ms;
        }
    }

    /// The run is over.
    pub(super) fn close(&mut self, job: &Job, changes: &[Change], settings: &Settings) {
        self.final_backlog = job.backlog();
        self.rescales = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        for (at, change) in changes.iter().enumerate() {
            let less = change
                .to
                .iter()
                .any(|(id, tasks)| change.from.get(id).is_some_and(|it| it > tasks));
            self.thinned_while_behind += u32::from(less && change.behind_ms > 30_000.0);
            let mut recent = changes[..at]
                .iter()
                .filter(|it| it.at_ms + settings.flap_ms >= change.at_ms);
            self.flaps += u32::from(recent.any(|it| undoes(it, change)));
        }
    }

    /// Time in which the oldest record was late, in minutes.
    pub fn late_minutes(&self) -> f64 {
        self.late_ms as f64 / 60_000.0
    }

    /// Slots times hours.
    pub fn slot_hours(&self) -> f64 {
        self.slot_ms as f64 / 3_600_000.0
    }
}

/// Whether a vertex goes back the way that it came.
fn undoes(before: &Change, now: &Change) -> bool {
    let way = |it: &Change, id: &String| Some(it.to.get(id)?.cmp(it.from.get(id)?));
    now.to.keys().any(|id| match (way(before, id), way(now, id)) {
        (Some(before), Some(now)) => before.is_ne() && now.is_ne() && before != now,
        _ => false,
    })
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The trace.
    pub trace: &'static str,
    /// The policy.
    pub policy: String,
    /// Its figures.
    pub score: Score,
}

/// Runs every policy on every trace of the suite.
///
/// # Errors
/// None: the graphs are sound.
pub fn suite(policy: &Policy, settings: &Settings) -> Result<Vec<Row>, GraphError> {
    let rows = traces()?;
    Ok(rows.iter().flat_map(|it| compare(it, policy, settings)).collect())
}

/// Runs every policy on one trace, this one first. The last, `fixed at peak`, never changes anything.
pub fn compare(trace: &Trace, policy: &Policy, settings: &Settings) -> Vec<Row> {
    let services = trace.job.services.iter().map(|it| it.rate_per_task);
    let mut all: Vec<Box<dyn Controller>> = vec![
        Box::new(Ours::new(policy.clone())),
        Box::new(FlinkRules::new(Policy::default())),
        Box::new(Ds2::new()),
        Box::new(LagProportional::new(
            10.0 * services.fold(f64::INFINITY, f64::min),
        )),
    ];
    let row = |policy: String, score: Score| Row {
        trace: trace.name,
        policy,
        score,
    };
    let mut rows: Vec<Row> = all
        .iter_mut()
        .map(|it| row(it.name(), run(trace, it.as_mut(), settings, false).score))
        .collect();
    rows.push(row(Nobody.name(), fixed(trace, settings)));
    rows
}

/// Nobody decides.
struct Nobody;

impl Controller for Nobody {
    fn name(&self) -> String {
        "fixed at peak".to_owned()
    }

    fn evaluate(&mut self, _now_ms: u64, _graph: &Graph, _history: &[Sample]) -> Option<Parallelism> {
        None
    }
}

/// The job has the oracle's parallelism for the trace's peak from the beginning.
fn fixed(trace: &Trace, settings: &Settings) -> Score {
    let mut trace = trace.clone();
    let parallelism = trace.job.oracle(trace.peak(), &Policy::default());
    trace.job.graph = trace.job.graph.with(&parallelism);
    run(&trace, &mut Nobody, settings, false).score
}

/// The rows as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| trace | policy | minutes late | slot-hours | rescales | flaps | thinned while behind | backlog at the end |\n|---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for Row { trace, policy, score } in rows {
        text.push_str(&format!(
            "| {trace} | {policy} | {:.1} | {:.1} | {} | {} | {} | {:.0} |\n",
            score.late_minutes(),
            score.slot_hours(),
            score.rescales,
            score.flaps,
            score.thinned_while_behind,
            score.final_backlog,
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_and_its_undoing_are_a_flap() {
        let one = |at_ms, from, to, behind_ms| Change {
            at_ms,
            from: Parallelism::from([("a".to_owned(), from)]),
            to: Parallelism::from([("a".to_owned(), to)]),
            backlog: 0.0,
            behind_ms,
        };
        let trace = traces().expect("sound").remove(0);
        let count = |changes: &[Change]| {
            let mut score = Score::default();
            score.close(&trace.job, changes, &Settings::default());
            (score.rescales, score.flaps, score.thinned_while_behind)
        };
        let minute = 60_000;
        assert_eq!(
            count(&[one(0, 2, 4, 0.0), one(10 * minute, 4, 8, 0.0)]),
            (2, 0, 0)
        );
        assert_eq!(
            count(&[one(0, 2, 4, 0.0), one(10 * minute, 4, 3, 40_000.0)]),
            (2, 1, 1)
        );
        assert_eq!(
            count(&[one(0, 2, 4, 0.0), one(31 * minute, 4, 3, 0.0)]),
            (2, 0, 0)
        );
    }
}
