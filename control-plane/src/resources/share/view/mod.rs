//! What a share shows of a topic's records: its steps, compiled over what the topic promises, as the gateway compiles them.

mod reads;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use weir_actions::{
    ActionSpec, Encoding, Host, Input, KeyForm, MaskHow, NullValues, Plan, Problem, ProblemCode, Registered,
    Sink, Step, ValueForm,
};
use weir_contract::wire::SchemaId;

use crate::auth::TenantScope;
use crate::kernel::{Error, FieldError, Result, code};
use crate::resources::contract::{self, Newest};
use crate::resources::share::keys::SharedKeys;
use crate::resources::share::model::SharedTopic;
use crate::resources::topic::{SubjectStrategy, Topic, Unframed};
use crate::rest::bad_field;
use crate::runtime::Tx;

const STEPS_MAX: usize = 20;
/// Bytes of all steps together, as JSON.
const STEPS_BYTES_MAX: usize = 64 * 1024;

/// A field as its reader will see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownField {
    /// Its path.
    pub path: String,
    /// Its type in a word: `int`, `string`, `list`, ...; `any` where it is not known. New words may appear.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    pub kind: String,
    /// How it is made unreadable: REDACT, HASH, KEEP_LAST or NULL; absent: it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub masked: Option<&'static str>,
}

/// What a reader will see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The fields, as far as they are known.
    pub fields: Vec<ShownField>,
    /// Are some records withheld?
    pub filtered: bool,
}

/// Reads steps; what cannot be read, or is nothing for a share, is told at its step.
fn steps(at: &str, written: &[Value], errors: &mut Vec<FieldError>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(written.len());
    let bytes: usize = written.iter().map(|step| step.to_string().len()).sum();
    if written.len() > STEPS_MAX || bytes > STEPS_BYTES_MAX {
        let detail =
            format!("A shared topic has at most {STEPS_MAX} steps, and {STEPS_BYTES_MAX} bytes of them.");
        errors.push(field(at.to_owned(), code::OUT_OF_RANGE, detail));
        return steps;
    }
    for (number, step) in written.iter().enumerate() {
        let pointer = format!("{at}/{number}");
        match serde_path_to_error::deserialize::<_, Step>(step.clone()) {
            Ok(step @ (Step::Filter(_) | Step::Project(_) | Step::Mask(_))) => steps.push(step),
            Ok(_other) => {
                let detail =
                    "A share takes filter, project and mask: whatever else changes records is a job's work.";
                errors.push(field(pointer, code::BAD_PROGRAM, detail.to_owned()));
            }
            Err(error) => errors.extend(bad_field(&pointer, &error).fields),
        }
    }
    steps
}

fn field(pointer: String, code: &str, detail: String) -> FieldError {
    FieldError {
        pointer,
        code: code.to_owned(),
        detail,
    }
}

/// Compiles what is done with a topic's records. `at` is where the steps stand in the body.
///
/// # Errors
/// 422 with everything that is wrong.
pub async fn compile(
    tx: &mut Tx,
    scope: TenantScope,
    topic: &Topic,
    written: &[Value],
    at: &str,
) -> Result<View> {
    let mut errors = Vec::new();
    let steps = steps(at, written, &mut errors);
    reads::check_filters(at, &steps, &mut errors);
    Error::check(errors)?;
    let newest = contract::newest_value(tx, scope, topic.spec.cluster, &topic.spec.name).await?;
    let unframed = takes_unframed(topic);
    let masks = masks(&steps);
    let filtered = steps.iter().any(|it| matches!(it, Step::Filter(_)));
    let plan = tokio::task::spawn_blocking(move || planned(steps, newest, unframed));
    let columns = plan
        .await
        .map_err(Error::internal)?
        .map_err(|problems| refused(at, problems))?;
    let fields = columns.into_iter().map(|column| ShownField {
        masked: masks.get(&column.path).copied(),
        path: column.path,
        kind: column.kind,
    });
    Ok(View {
        fields: fields.collect(),
        filtered,
    })
}

/// Refuses a filter that reads the key of records whose keys the share does not show: which records are shown would tell of them.
///
/// # Errors
/// 422 at each such filter.
pub fn check_keys(at: &str, shared: &SharedTopic) -> Result<()> {
    let (mut errors, mut unread) = (Vec::new(), Vec::new());
    if shared.keys_shown() != SharedKeys::Shown {
        let read = steps(at, &shared.steps, &mut unread);
        // What cannot be read is told when it is compiled.
        if unread.is_empty() {
            reads::check_keys(at, &read, &mut errors);
        }
    }
    Error::check(errors)
}

/// Does the topic take values that name no schema?
pub fn takes_unframed(topic: &Topic) -> bool {
    let value = topic.spec.contract.as_ref().and_then(|it| it.value);
    value.is_some_and(|it| it.strategy == SubjectStrategy::TopicName && it.unframed == Unframed::Json)
}

fn refused(at: &str, problems: Vec<Problem>) -> Error {
    let told = problems.into_iter().map(|problem| {
        let place = problem.position.map(|it| format!(" ({it})")).unwrap_or_default();
        let below = problem.pointer.strip_prefix("/steps").unwrap_or(&problem.pointer);
        field(
            format!("{at}{below}"),
            code_of(problem.code),
            format!("{}{place}", problem.message),
        )
    });
    match Error::check(told.collect()) {
        Err(error) => error,
        Ok(()) => Error::internal("refuse a view for nothing"),
    }
}

const fn code_of(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::Missing => code::REQUIRED,
        ProblemCode::TooLong | ProblemCode::OutOfRange => code::OUT_OF_RANGE,
        ProblemCode::BadName => code::BAD_NAME,
        ProblemCode::BadExpression => code::BAD_EXPRESSION,
        _ => code::BAD_PROGRAM,
    }
}

/// How fields are made unreadable, by their paths.
fn masks(steps: &[Step]) -> BTreeMap<String, &'static str> {
    let mut masks = BTreeMap::new();
    for step in steps {
        if let Step::Mask(mask) = step {
            let how = match mask.how {
                MaskHow::Redact => "REDACT",
                MaskHow::Hash { .. } => "HASH",
                MaskHow::KeepLast { .. } => "KEEP_LAST",
                MaskHow::Null => "NULL",
            };
            masks.extend(mask.fields.iter().map(|it| (it.clone(), how)));
        }
    }
    masks
}

/// What the topic promises, as the compiler asks for it.
struct Promised(Option<Arc<Registered>>);

/// The name under which the compiler finds what is promised; nothing of a share is written anywhere.
const SOURCE: &str = "shared";

impl Host for Promised {
    fn schema(&self, _named: SchemaId) -> Option<Arc<Registered>> {
        None
    }
    fn newest(&self, topic: &str) -> Option<Arc<Registered>> {
        self.0.clone().filter(|_| topic == SOURCE)
    }
    fn keyed_hash(&self, _secret: &str, _bytes: &[u8]) -> Option<[u8; 32]> {
        None
    }
}

/// Takes its time: off the async threads.
fn planned(
    steps: Vec<Step>,
    newest: Option<Newest>,
    unframed: bool,
) -> Result<Vec<weir_actions::Column>, Vec<Problem>> {
    let registered = newest.and_then(|it| {
        let id = u32::try_from(it.id).ok()?;
        Registered::new(id, Some(it.guid), &it.schema, &it.rules, &it.metadata).ok()
    });
    let promised = Promised(registered.map(Arc::new));
    let value = match promised.newest(SOURCE) {
        None => ValueForm::Json,
        Some(newest) => ValueForm::Registered { newest, unframed },
    };
    let sink = Sink {
        topic: "reader".to_owned(),
        encoding: Encoding::Json,
        value_bytes_max: None,
    };
    let action = ActionSpec {
        steps,
        sinks: BTreeMap::from([("reader".to_owned(), sink)]),
        dead_letter_topic: None,
        null_values: NullValues::Pass,
    };
    let input = Input {
        value,
        key: KeyForm::Text,
    };
    match Plan::compile(&action, input, &promised) {
        Ok(plan) => Ok(plan.columns()),
        Err(problems) => Err(problems),
    }
}
