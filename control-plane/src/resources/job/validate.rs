//! What is wrong with a job's spec, as far as the spec itself tells.

use std::collections::BTreeSet;

use weir_actions::limits::{SINKS_MAX, STEPS_MAX};

use crate::kernel::{FieldError, check_name, code};
use crate::resources::job::model::{AutoSuspend, JobDesiredState, JobProgram, JobSink, JobSpec};
use crate::resources::job::{program, sql};

const DESCRIPTION_MAX: usize = 1000;
/// Bytes of all steps together, as JSON.
const STEPS_BYTES_MAX: usize = 64 * 1024;
const SECONDS_MAX: i32 = 86_400;

/// Collects what is wrong with a spec.
pub fn validate(spec: &JobSpec, errors: &mut Vec<FieldError>) {
    let JobSpec {
        cluster: _,
        name,
        description,
        compute_pool: _,
        service_account: _,
        program,
        desired_state,
        auto_suspend,
        scaling,
        priority,
        deletion_protection: _,
    } = spec;
    check_name("/spec/name", name, errors);
    if description.chars().count() > DESCRIPTION_MAX {
        let detail = format!("A description has at most {DESCRIPTION_MAX} characters.");
        errors.push(out_of_range("/spec/description", detail));
    }
    check_program(program, errors);
    suspension(*desired_state, auto_suspend.as_ref(), errors);
    scaling.validate(errors);
    if !(0..=9).contains(priority) {
        errors.push(out_of_range("/spec/priority", "A priority is 0 to 9.".to_owned()));
    }
}

fn out_of_range(pointer: &str, detail: String) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        code: code::OUT_OF_RANGE.into(),
        detail,
    }
}

fn check_program(program: &JobProgram, errors: &mut Vec<FieldError>) {
    let (source, steps, sinks, dead_letter) = match program {
        JobProgram::Action {
            source,
            steps,
            sinks,
            dead_letter,
            null_values: _,
        } => (source, steps, sinks, dead_letter),
        JobProgram::Sql {
            statement,
            sources,
            sinks,
            state: _,
        } => return sql::validate(statement, sources, sinks, errors),
    };
    let at = |field: &str| format!("/spec/program/{field}");
    let bytes: usize = steps.iter().map(|step| step.to_string().len()).sum();
    if steps.len() > STEPS_MAX || bytes > STEPS_BYTES_MAX {
        let detail = format!("An action has at most {STEPS_MAX} steps, and {STEPS_BYTES_MAX} bytes of them.");
        errors.push(out_of_range(&at("steps"), detail));
    }
    program::steps(steps.get(..STEPS_MAX).unwrap_or(steps), errors);
    if sinks.is_empty() || sinks.len() > SINKS_MAX {
        let detail = format!("An action has 1 to {SINKS_MAX} sinks.");
        errors.push(out_of_range(&at("sinks"), detail));
    }
    let mut names = BTreeSet::new();
    for (
        number,
        JobSink {
            name,
            topic,
            encoding: _,
        },
    ) in sinks.iter().enumerate()
    {
        check_name(&at(&format!("sinks/{number}/name")), name, errors);
        let wrong = if !names.insert(name) {
            Some(("name", "Two sinks have this name."))
        } else if *topic == source.topic {
            Some(("topic", "The job would read what it wrote, without end."))
        } else {
            None
        };
        errors.extend(wrong.map(|(field, detail)| FieldError {
            pointer: at(&format!("sinks/{number}/{field}")),
            code: code::BAD_REFERENCE.into(),
            detail: detail.into(),
        }));
    }
    if *dead_letter == Some(source.topic) {
        errors.push(FieldError {
            pointer: at("dead_letter"),
            code: code::BAD_REFERENCE.into(),
            detail: "Dead letters would come back to the job, without end.".into(),
        });
    }
}

fn suspension(state: JobDesiredState, suspend: Option<&AutoSuspend>, errors: &mut Vec<FieldError>) {
    let Some(suspend) = suspend else {
        if state == JobDesiredState::AutoSuspend {
            errors.push(FieldError {
                pointer: "/spec/auto_suspend".into(),
                code: code::REQUIRED.into(),
                detail: "AUTO_SUSPEND needs to know when: {} takes the defaults.".into(),
            });
        }
        return;
    };
    let AutoSuspend {
        idle_after_seconds,
        wake_lag_records,
        wake_within_seconds,
    } = suspend;
    let mut range = |field: &str, fits: bool, detail: String| {
        if !fits {
            errors.push(out_of_range(&format!("/spec/auto_suspend/{field}"), detail));
        }
    };
    range(
        "idle_after_seconds",
        (10..=SECONDS_MAX).contains(idle_after_seconds),
        format!("It is 10 to {SECONDS_MAX} seconds."),
    );
    range(
        "wake_lag_records",
        *wake_lag_records >= 1,
        "It is 1 at least.".to_owned(),
    );
    range(
        "wake_within_seconds",
        (1..=SECONDS_MAX).contains(wake_within_seconds),
        format!("It is 1 to {SECONDS_MAX} seconds."),
    );
}
