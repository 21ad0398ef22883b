//! A program, compiled as the processor will compile it: what is wrong with it, by step and field.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use weir_actions::{
    ActionSpec, Encoding, Host, Input, KeyForm, NullValues, Plan, Problem, ProblemCode, Registered, Sink,
    Step, ValueForm,
};
use weir_contract::wire::SchemaId;

use crate::auth::TenantScope;
use crate::kernel::{Error, FieldError, Result, code};
use crate::resources::contract::{self, Newest};
use crate::resources::job::model::{JobEncoding, JobNullValues, JobProgram, JobSink, JobSpec};
use crate::resources::job::sql;
use crate::resources::job::version::UsedTopic;
use crate::resources::topic::{SubjectStrategy, TopicId, Unframed};
use crate::rest::bad_field;
use crate::runtime::Tx;

/// Reads steps; what cannot be read is told at its step.
pub fn steps(written: &[Value], errors: &mut Vec<FieldError>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(written.len());
    for (number, step) in written.iter().enumerate() {
        match serde_path_to_error::deserialize(step.clone()) {
            Ok(step) => steps.push(step),
            Err(error) => {
                let told = bad_field(&format!("/spec/program/steps/{number}"), &error);
                errors.extend(told.fields);
            }
        }
    }
    steps
}

/// Compiles the program over what its topics promise.
///
/// # Errors
/// 422 with everything that is wrong.
pub async fn check(tx: &mut Tx, scope: TenantScope, spec: &JobSpec, topics: &[UsedTopic]) -> Result<()> {
    let (source, steps, sinks, dead_letter, null_values) = match &spec.program {
        JobProgram::Action {
            source,
            steps,
            sinks,
            dead_letter,
            null_values,
        } => (source, steps, sinks, dead_letter, null_values),
        JobProgram::Sql {
            statement: _,
            sources,
            sinks,
            state: _,
        } => return sql::check(tx, scope, spec.cluster, (sources, sinks), topics).await,
    };
    let name = |id: TopicId| topics.iter().find(|it| it.id == id).map(|it| it.name.clone());
    let mut errors = Vec::new();
    let action = ActionSpec {
        steps: self::steps(steps, &mut errors),
        sinks: sinks
            .iter()
            .filter_map(|it| Some((it.name.clone(), sink(it, name(it.topic)?))))
            .collect(),
        dead_letter_topic: dead_letter.and_then(name),
        null_values: match null_values {
            JobNullValues::Pass => NullValues::Pass,
            JobNullValues::Drop => NullValues::Drop,
        },
    };
    Error::check(errors)?;
    let mut newest = BTreeMap::new();
    for topic in topics.iter().filter(|it| it.reads_values()) {
        if let Some(found) = contract::newest_value(tx, scope, spec.cluster, &topic.name).await? {
            newest.insert(topic.name.clone(), found);
        }
    }
    let source = topics.iter().find(|it| it.id == source.topic).cloned();
    let problems = tokio::task::spawn_blocking(move || compile(&action, source.as_ref(), newest))
        .await
        .map_err(Error::internal)?;
    Error::check(problems.into_iter().map(|it| told(it, sinks)).collect())
}

fn sink(sink: &JobSink, topic: String) -> Sink {
    Sink {
        topic,
        encoding: match sink.encoding {
            JobEncoding::Keep => Encoding::Keep,
            JobEncoding::Json => Encoding::Json,
            JobEncoding::Contract => Encoding::Contract,
        },
        value_bytes_max: None,
    }
}

/// What topics promise, as the compiler asks for it.
struct Promised(BTreeMap<String, Arc<Registered>>);

impl Host for Promised {
    fn schema(&self, _named: SchemaId) -> Option<Arc<Registered>> {
        None
    }

    fn newest(&self, topic: &str) -> Option<Arc<Registered>> {
        self.0.get(topic).cloned()
    }

    fn keyed_hash(&self, _secret: &str, _bytes: &[u8]) -> Option<[u8; 32]> {
        None
    }
}

/// Takes its time: off the async threads.
fn compile(
    action: &ActionSpec,
    source: Option<&UsedTopic>,
    newest: BTreeMap<String, Newest>,
) -> Vec<Problem> {
    let compiled = newest.into_iter().filter_map(|(topic, it)| {
        let id = u32::try_from(it.id).ok()?;
        let registered = Registered::new(id, Some(it.guid), &it.schema, &it.rules, &it.metadata).ok()?;
        Some((topic, Arc::new(registered)))
    });
    let promised = Promised(compiled.collect());
    let value = match source.and_then(|it| promised.newest(&it.name).map(|newest| (it, newest))) {
        None => ValueForm::Json,
        Some((topic, newest)) => ValueForm::Registered {
            newest,
            unframed: topic.part().is_some_and(|it| it.unframed == Unframed::Json),
        },
    };
    let registered_key = source.is_some_and(|it| it.contract.as_ref().is_some_and(|it| it.key.is_some()));
    let key = if registered_key {
        KeyForm::Registered
    } else {
        KeyForm::Text
    };
    Plan::compile(action, Input { value, key }, &promised)
        .err()
        .unwrap_or_default()
}

fn told(problem: Problem, sinks: &[JobSink]) -> FieldError {
    let Problem {
        step: _,
        pointer,
        position,
        code,
        message,
    } = problem;
    let place = position.map(|it| format!(" ({it})")).unwrap_or_default();
    FieldError {
        pointer: field(&pointer, sinks),
        code: code_of(code).to_owned(),
        detail: format!("{message}{place}"),
    }
}

/// Where the program has what the compiler points to: sinks are a list here, with their names inside.
fn field(pointer: &str, sinks: &[JobSink]) -> String {
    if pointer == "/dead_letter_topic" {
        return "/spec/program/dead_letter".to_owned();
    }
    let sink = pointer.strip_prefix("/sinks/").and_then(|rest| {
        let name = rest.split('/').next()?;
        let number = sinks.iter().position(|it| it.name == name)?;
        Some(format!("/spec/program/sinks/{number}{}", &rest[name.len()..]))
    });
    sink.unwrap_or_else(|| format!("/spec/program{pointer}"))
}

const fn code_of(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::Missing => code::REQUIRED,
        ProblemCode::TooLong | ProblemCode::OutOfRange => code::OUT_OF_RANGE,
        ProblemCode::BadName => code::BAD_NAME,
        ProblemCode::UnknownSink => code::BAD_REFERENCE,
        ProblemCode::BadExpression => code::BAD_EXPRESSION,
        _ => code::BAD_PROGRAM,
    }
}

impl UsedTopic {
    /// What is promised of its values, if that is one subject of its own.
    fn part(&self) -> Option<crate::resources::topic::PartContract> {
        let value = self.contract.as_ref()?.value?;
        (value.strategy == SubjectStrategy::TopicName).then_some(value)
    }

    /// Is its subject called as the topic is?
    pub fn reads_values(&self) -> bool {
        self.part().is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::Id;

    #[test]
    fn a_step_that_cannot_be_read_is_told_at_its_field() {
        let mut errors = Vec::new();
        let read = steps(
            &[
                json!({"filter": {"where": "message.amount > 1"}}),
                json!({"filter": {"when": "true"}}),
                json!({"cast": {"fields": {"amount": "MONEY"}}}),
                json!({"fly": {}}),
            ],
            &mut errors,
        );
        assert_eq!(read.len(), 1);
        let pointers: Vec<_> = errors.iter().map(|it| it.pointer.as_str()).collect();
        assert!(
            pointers[0].starts_with("/spec/program/steps/1/filter"),
            "{pointers:?}"
        );
        assert!(
            pointers[1].starts_with("/spec/program/steps/2/cast"),
            "{pointers:?}"
        );
        assert!(pointers[2].starts_with("/spec/program/steps/3"), "{pointers:?}");
    }

    #[test]
    fn what_the_compiler_points_to_is_found_in_the_program() {
        let sinks: Vec<JobSink> = ["out", "late"]
            .into_iter()
            .map(|name| JobSink {
                name: name.to_owned(),
                topic: Id::generate(),
                encoding: JobEncoding::Keep,
            })
            .collect();
        for (pointer, expected) in [
            ("/steps/0/filter/where", "/spec/program/steps/0/filter/where"),
            ("/sinks", "/spec/program/sinks"),
            ("/sinks/late", "/spec/program/sinks/1"),
            ("/sinks/out/topic", "/spec/program/sinks/0/topic"),
            ("/dead_letter_topic", "/spec/program/dead_letter"),
        ] {
            assert_eq!(field(pointer, &sinks), expected);
        }
    }
}
