//! Where this room asks the pure crate: is this a schema, may it follow those before, are these rules. Off the async threads,
//! and only so many at once: a schema may take its time.

use std::sync::LazyLock;

use serde_json::Value;
use tokio::sync::Semaphore;
use weir_contract::{Format, Level, NamedSource, SchemaErrorKind};

use crate::kernel::Error;
use crate::resources::contract::refusal::{Outcome, Refusal};

/// The formats, as `GET /schemas/types` lists them.
pub const TYPES: [&str; 3] = ["JSON", "PROTOBUF", "AVRO"];

/// Schemas that are read or compared at one moment.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    Semaphore::new(processors * 2)
});

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
        SchemaErrorKind::TooLarge => Refusal::TooLarge(format!("Schema is too large: {error}")),
        _ => Refusal::InvalidSchema(format!("{{type={}}}, details: {error}", format.as_str())),
    })?;
    Ok(parsed)
}

/// One thing that breaks, as the API's messages write it.
pub async fn broken(level: Level, new: &Parsed, earlier: Parsed) -> Outcome<Vec<String>> {
    let new = new.schema.clone();
    let check = move || {
        let found = weir_contract::compatibility::check(level, &new, &[earlier.schema]);
        let line = |it: &weir_contract::Incompatibility| {
            format!(
                "{{errorType:'{}', description:'{}', additionalInfo:'{}'}}",
                it.rule.as_str(),
                it.message,
                it.path
            )
        };
        found.iter().map(line).collect()
    };
    aside(check).await
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

/// Refuses rules that cannot be read.
pub fn check_rules(rules: Option<&Value>) -> Outcome<()> {
    let Some(rules) = rules else { return Ok(()) };
    if !rules.is_object() {
        return Err(Refusal::InvalidRuleSet("a rule set is a JSON object".into()).into());
    }
    Ok(())
}
