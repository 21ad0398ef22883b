//! Decisions in sentences: what happens, to which vertex, by which numbers.

use super::Work;
use super::plan::{Plan, Planned};
use crate::decision::{Decision, JobTerms, Reason};
use crate::graph::Parallelism;
use crate::policy::Policy;

/// A number as a person says it.
fn number(it: f64) -> String {
    match it.abs() {
        size if !size.is_finite() => "any number".to_owned(),
        size if size >= 100.0 => format!("{it:.0}"),
        size if size >= 1.0 => format!("{it:.1}"),
        _ => format!("{it:.3}"),
    }
}

fn percent(it: f64) -> String {
    format!("{:.0} %", it * 100.0)
}

/// A duration as a person says it.
fn duration(ms: u64) -> String {
    match ms / 1_000 {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    }
}

fn need(it: &Planned) -> String {
    format!(
        "{} can do {} records/s and should be able to do {}",
        it.terms.id,
        number(it.terms.true_rate.unwrap_or(f64::INFINITY)),
        number(it.terms.target.unwrap_or(f64::INFINITY)),
    )
}

fn moves(plan: &Plan, proposal: &Parallelism) -> String {
    let one = |it: &Planned| {
        let to = proposal.get(&it.terms.id).copied().filter(|to| *to != it.now())?;
        Some(format!("{} from {} to {}", it.terms.id, it.now(), to))
    };
    let mut moves: Vec<_> = plan.vertices.iter().filter_map(one).collect();
    if moves.len() > 4 {
        let rest = moves.len() - 3;
        moves.truncate(3);
        moves.push(format!("{rest} others"));
    }
    moves.join(", ")
}

pub(super) fn scale(plan: &Plan, proposal: &Parallelism, decision: &Decision) -> String {
    let moves = moves(plan, proposal);
    let limited = if decision.also.contains(&Reason::PoolExhausted) {
        " The compute pool has no room for more."
    } else if decision.also.contains(&Reason::Quota) {
        " The quota allows no more."
    } else {
        ""
    };
    let short = plan
        .vertices
        .iter()
        .filter(|it| it.goes_up())
        .max_by(|a, b| want(a).total_cmp(&want(b)));
    match (decision.reason, short) {
        (Reason::UnderCapacity, Some(it)) => format!("{}: {moves}.{limited}", need(it)),
        (Reason::PolicyBound, _) => format!("The policy's bounds have moved: {moves}.{limited}"),
        _ => format!(
            "Fewer tasks were enough for {}: {moves}.",
            duration(decision.job.scale_down_interval_ms)
        ),
    }
}

fn want(it: &Planned) -> f64 {
    it.terms.target.unwrap_or(0.0) / it.terms.true_rate.unwrap_or(f64::INFINITY)
}

pub(super) fn within(policy: &Policy) -> String {
    format!(
        "Every vertex is as busy as it should be: between {} and {}.",
        percent(policy.utilization_lower()),
        percent(policy.utilization_upper())
    )
}

pub(super) fn draining(it: &Planned) -> String {
    format!(
        "{} needs {} of its {} tasks, and keeps them until the backlog is worked off.",
        it.terms.id,
        it.size.fitted,
        it.now()
    )
}

pub(super) fn delayed(it: &Planned, job: &JobTerms) -> String {
    format!(
        "{} needs {} of its {} tasks; the others go when that has been so for {}.",
        it.terms.id,
        it.size.fitted,
        it.now(),
        duration(job.scale_down_interval_ms)
    )
}

pub(super) fn small_saving(slots: u64, job: &JobTerms) -> String {
    format!(
        "The job needs {slots} of its {} slots: to free the others is not worth a restart.",
        job.slots
    )
}

pub(super) fn bound(reason: Reason, it: &Planned, job: &JobTerms) -> String {
    let need = need(it);
    let now = it.now();
    match reason {
        Reason::PartitionBound => format!(
            "{need}, but it has a task for each partition already ({now}): more partitions would help."
        ),
        Reason::NonParallel => format!("{need}, but its work cannot be split over tasks."),
        Reason::Skew => format!(
            "{need}, but one of its {now} tasks takes {} times its share of the records: more tasks would not relieve it, other keys would.",
            number(it.terms.skew.unwrap_or(0.0))
        ),
        Reason::Ineffective => format!(
            "{need}, but the last step up, to {now} tasks, gained next to nothing: something else holds it back."
        ),
        Reason::PoolExhausted => format!(
            "{need}, but the compute pool has no room beyond the {} slots of the job.",
            job.slots
        ),
        Reason::Quota => format!(
            "{need}, but the quota allows no more than the {} slots of the job.",
            job.slots
        ),
        Reason::PolicyBound => format!("{need}, but no more than {now} tasks are allowed."),
        _ => format!("{need}, and nothing more can be done."),
    }
}

pub(super) fn closed(work: &Work<'_>, reason: Reason, wanted: &Parallelism) -> String {
    let wish: Vec<_> = wanted
        .iter()
        .take(4)
        .map(|(id, to)| format!("{id} to {to}"))
        .collect();
    let wish = if wish.is_empty() {
        "a change".to_owned()
    } else {
        wish.join(", ")
    };
    match reason {
        Reason::ExcludedPeriod => format!("{wish} is wanted, but the policy excludes this time."),
        Reason::Cooldown => format!(
            "{wish} is wanted, but the job was changed a moment ago: another {} are waited for.",
            duration(work.cooling_ms())
        ),
        _ => format!("{wish} is advised; the policy asks for advice only."),
    }
}

fn pressure(heap: Option<f64>, gc: Option<f64>) -> String {
    let heap = heap.map_or("unknown".to_owned(), percent);
    let gc = gc.map_or("unknown".to_owned(), percent);
    format!("memory is tight (heap in use: {heap}, time in garbage collection: {gc})")
}

pub(super) fn memory_raised(heap: Option<f64>, gc: Option<f64>) -> String {
    format!("The job moves to larger TaskManagers: {}.", pressure(heap, gc))
}

pub(super) fn memory_paused(heap: Option<f64>, gc: Option<f64>) -> String {
    format!("Nothing is scaled while {}.", pressure(heap, gc))
}

pub(super) fn memory_waits(work: &Work<'_>, reason: Reason, heap: Option<f64>, gc: Option<f64>) -> String {
    let wait = match reason {
        Reason::ExcludedPeriod => "the policy excludes this time".to_owned(),
        Reason::Cooldown => format!(
            "the job was changed a moment ago ({} are left)",
            duration(work.cooling_ms())
        ),
        _ => "the policy asks for advice only".to_owned(),
    };
    format!(
        "Larger TaskManagers are wanted, since {}, but {wait}.",
        pressure(heap, gc)
    )
}
