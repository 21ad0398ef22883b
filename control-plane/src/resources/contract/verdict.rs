//! Where this room asks the pure crate: is this a schema, may it follow those before, are these rules. Off the async threads,
//! and only so many at once: a schema may take its time.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use weir_contract::diff::Change;
use weir_contract::document::Document;
use weir_contract::lint::LintSubject;
use weir_contract::rules::{self, RuleSet};
use weir_contract::{Format, Incompatibility, Level, NamedSource, SchemaErrorKind};

use crate::kernel::{Error, code};
use crate::resources::contract::config::Config;
use crate::resources::contract::model::Subject;
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::wish::{Content, Metadata};
use crate::resources::contract_lint_rule::{Finding, Rule};

/// The formats, as `GET /schemas/types` lists them.
pub const TYPES: [&str; 3] = ["JSON", "PROTOBUF", "AVRO"];

/// Schemas that are read or compared at one moment.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    Semaphore::new(processors * 2)
});

/// Registrations and comparisons at one moment: each holds a connection of the database while schemas are read, and the rest of
/// the API needs most of those.
static TURNS: Semaphore = Semaphore::const_new(6);
/// Then the caller is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A turn, to be taken before the transaction in which schemas are compared.
pub async fn turn() -> Outcome<SemaphorePermit<'static>> {
    if let Ok(permit) = timeout(PATIENCE, TURNS.acquire()).await {
        return Ok(permit.map_err(Error::internal)?);
    }
    let detail = "As many schemas are being compared as can be; try again.";
    Err(Error::unavailable(code::BUSY, detail, 1).into())
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
    let _permit = AT_ONCE.acquire().await.map_err(Error::internal)?;
    Ok(tokio::task::spawn_blocking(work).await.map_err(Error::internal)?)
}

/// A schema that was read.
#[derive(Debug, Clone)]
pub struct Parsed {
    schema: weir_contract::Schema,
    /// The text to store.
    pub text: String,
}

/// Names of one schema that record-name strategies find it by.
const RECORD_NAMES_MAX: usize = 1_000;

impl Parsed {
    /// Names by which record-name strategies find it.
    #[must_use]
    pub fn record_names(&self) -> Vec<String> {
        self.schema.record_names(RECORD_NAMES_MAX)
    }

    /// The schema.
    #[must_use]
    pub fn into_schema(self) -> weir_contract::Schema {
        self.schema
    }
}

/// Reads a schema; `normalize` chooses which text is stored.
pub async fn parse(
    format: Format,
    text: String,
    references: Vec<NamedSource>,
    normalize: bool,
) -> Outcome<Parsed> {
    let read = move || {
        weir_contract::Schema::parse(format, &text, &references).map(|schema| {
            let text = if normalize {
                schema.normalized()
            } else {
                schema.stored()
            };
            Parsed { schema, text }
        })
    };
    let parsed = aside(read).await?.map_err(|error| match error.kind {
        SchemaErrorKind::TooLarge => Refusal::SchemaTooLarge(Box::new(error)),
        _ => Refusal::Unreadable {
            format,
            error: Box::new(error),
        },
    })?;
    Ok(parsed)
}

/// What breaks when one schema follows another.
pub async fn broken(level: Level, new: &Parsed, earlier: Parsed) -> Outcome<Vec<Incompatibility>> {
    let new = new.schema.clone();
    aside(move || weir_contract::compatibility::check(level, &new, &[earlier.schema])).await
}

/// What is different between two contracts; nothing where one of them cannot be read.
pub async fn changes(old: Document, new: Document, level: Level) -> Outcome<Vec<Change>> {
    aside(move || weir_contract::diff::diff(&old, &new, level).unwrap_or_default()).await
}

/// What lint rules find in a version.
pub async fn linted(
    rules: Vec<Rule>,
    subject: &Subject,
    number: i32,
    config: &Config,
    content: &Content,
    parsed: &Parsed,
) -> Outcome<Vec<Finding>> {
    let metadata = metadata_of(content.metadata.as_ref())?;
    let rule_set = content
        .rule_set
        .as_ref()
        .map(rules_of)
        .transpose()?
        .unwrap_or_default();
    let (name, level) = (subject.name.clone(), config.level().to_owned());
    let schema = parsed.schema.clone();
    let judge = move || {
        let subject = LintSubject {
            subject: &name,
            version: number,
            compatibility: &level,
            schema: &schema,
            metadata: &metadata,
            rule_set: &rule_set,
        };
        Rule::judge(rules, &subject)
    };
    aside(judge).await
}

/// The level of this name; upper and lower case both do.
pub fn level(name: &str) -> Outcome<Level> {
    Ok(Level::from_name(&name.to_ascii_uppercase()).ok_or(Refusal::InvalidLevel)?)
}

/// The text in the format that the caller asked for: `serialized` of Protobuf is a descriptor in base64; everything else is the
/// text as it is stored.
pub async fn shown_as(
    wanted: Option<&str>,
    format: Format,
    text: String,
    references: Vec<NamedSource>,
) -> Outcome<String> {
    if wanted != Some("serialized") || format != Format::Protobuf {
        return Ok(text);
    }
    let write = move || match weir_contract::Schema::parse(format, &text, &references) {
        Ok(weir_contract::Schema::Protobuf(schema)) => schema.serialized(),
        _ => text,
    };
    aside(write).await
}

/// The rules as they are stored: upstream's fields, and what else came with them left aside. An empty set is none.
pub fn read_rules(given: Option<&Value>) -> Outcome<Option<Value>> {
    let Some(given) = given.filter(|it| !it.is_null()) else {
        return Ok(None);
    };
    if !given.is_object() {
        return Err(Refusal::InvalidRuleSet("a rule set is a JSON object".into()).into());
    }
    let read = serde_json::from_value(given.clone());
    let set: RuleSet = read.map_err(|error| Refusal::InvalidRuleSet(error.to_string()))?;
    refuse(&rules::check(&set))?;
    if set == RuleSet::default() {
        return Ok(None);
    }
    Ok(Some(serde_json::to_value(&set).map_err(Error::internal)?))
}

/// Stored rules as the pure crate has them.
pub fn rules_of(stored: &Value) -> Outcome<RuleSet> {
    Ok(serde_json::from_value(stored.clone()).map_err(Error::internal)?)
}

/// Metadata as the pure crate has it.
pub fn metadata_of(metadata: Option<&Metadata>) -> Outcome<rules::Metadata> {
    let value = serde_json::to_value(metadata.cloned().unwrap_or_default()).map_err(Error::internal)?;
    Ok(serde_json::from_value(value).map_err(Error::internal)?)
}

/// Refuses rules whose expressions do not fit the schema: position and reason are in the message.
pub async fn check_rules(parsed: &Parsed, given: Option<&Value>, metadata: Option<&Metadata>) -> Outcome<()> {
    let Some(given) = given else { return Ok(()) };
    let set = rules_of(given)?;
    let metadata = metadata_of(metadata)?;
    refuse(&rules::check(&set))?;
    let schema = parsed.schema.clone();
    let problems = aside(move || rules::compile(&set, &schema, &metadata)).await?;
    problems.map_or_else(|problems| refuse(&problems), |_compiled| Ok(()))
}

fn refuse(problems: &[rules::RuleProblem]) -> Outcome<()> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(Refusal::UnsoundRules(problems.to_vec()).into())
}
