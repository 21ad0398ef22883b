//! May a schema follow those that stand? What breaks, of which version, under which level.

use std::collections::BTreeMap;

use weir_contract::{Incompatibility, Level};

use crate::resources::contract::config::Config;
use crate::resources::contract::model::{Asker, ContractId, Lookup, Registered, Subject};
use crate::resources::contract::refusal::Outcome;
use crate::resources::contract::standing::ContractLifecycle;
use crate::resources::contract::verdict::{self, Parsed};
use crate::resources::contract::version::{self, Numbered};
use crate::resources::contract::wish::Metadata;
use crate::resources::topic;
use crate::resources::topic::mount::Pin;
use crate::runtime::Tx;

/// Of an earlier schema, in messages.
const SHOWN_CHARACTERS: usize = 1_000;

/// Why a schema may not follow an earlier version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Broken {
    /// The version.
    pub version: i32,
    /// The level that asks for it.
    pub level: String,
    /// The beginning of its schema.
    pub earlier: String,
    /// What breaks.
    pub found: Vec<Incompatibility>,
}

impl Broken {
    /// As the registry's API lists it.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        let Self {
            version,
            level,
            earlier,
            found,
        } = self;
        let mut messages = lines(found);
        messages.push(format!("{{oldSchemaVersion: {version}}}"));
        messages.push(format!("{{oldSchema: '{earlier}'}}"));
        messages.push(format!("{{compatibility: '{level}'}}"));
        messages
    }
}

/// Each thing that breaks, as the registry's API writes it.
#[must_use]
pub fn lines(found: &[Incompatibility]) -> Vec<String> {
    let line = |it: &Incompatibility| {
        format!(
            "{{errorType:'{}', description:'{}', additionalInfo:'{}'}}",
            it.rule.as_str(),
            it.message,
            it.path
        )
    };
    found.iter().map(line).collect()
}

/// What breaks when the schema follows those before it that are no drafts: of the newest version that breaks, everything. The
/// newest that stands may have been read before.
#[expect(
    clippy::too_many_arguments,
    reason = "what a comparison is made of, all of it needed"
)]
pub async fn compare(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    id: ContractId,
    numbers: &[Numbered],
    newest: Option<&Registered>,
    config: &Config,
    metadata: Option<&Metadata>,
    new: &Parsed,
) -> Outcome<Option<Broken>> {
    let level = verdict::level(config.level())?;
    if level == Level::None {
        return pinned(tx, asker, subject, id, new).await;
    }
    let group = |metadata: Option<&Metadata>| {
        let key = config.compatibility_group.as_ref()?;
        metadata?.properties.as_ref()?.get(key).cloned()
    };
    let own = group(metadata);
    for numbered in numbers.iter().rev().filter(|it| !it.deleted) {
        let number = numbered.version;
        let found = match newest.filter(|it| it.version == number) {
            Some(newest) => Some(newest.clone()),
            None => version::last(tx, asker.scope, subject, id, Some(number), Lookup::Live).await?,
        };
        let counts = |it: &Registered| {
            let metadata = it.schema.metadata.as_ref();
            // Nobody relies on a draft.
            group(metadata) == own && ContractLifecycle::of(metadata) != Some(ContractLifecycle::Draft)
        };
        let Some(earlier) = found.filter(counts) else {
            continue;
        };
        let found = one(tx, asker, level, new, &earlier).await?;
        if !found.is_empty() {
            return Ok(Some(Broken {
                version: earlier.version,
                level: config.level().to_owned(),
                earlier: earlier.schema.text.chars().take(SHOWN_CHARACTERS).collect(),
                found,
            }));
        }
        if !level.is_transitive() {
            break;
        }
    }
    pinned(tx, asker, subject, id, new).await
}

/// What breaks for recipients of shares that rely on a version: with its schema they have to be able to read what is written by the new one,
/// whatever level the subject has.
async fn pinned(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    id: ContractId,
    new: &Parsed,
) -> Outcome<Option<Broken>> {
    // No topic is in the default context.
    let Some(environment) = subject.context.environment else {
        return Ok(None);
    };
    let mut pins: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for Pin { share, version } in topic::mount::pins(tx, asker.scope, environment, &subject.name).await? {
        pins.entry(version).or_default().push(share);
    }
    for (number, shares) in pins {
        let Some(earlier) = version::last(tx, asker.scope, subject, id, Some(number), Lookup::Live).await?
        else {
            continue;
        };
        let found = one(tx, asker, Level::Forward, new, &earlier).await?;
        if !found.is_empty() {
            return Ok(Some(Broken {
                version: number,
                level: format!("FORWARD, on which these shares rely: {}", shares.join(", ")),
                earlier: earlier.schema.text.chars().take(SHOWN_CHARACTERS).collect(),
                found,
            }));
        }
    }
    Ok(None)
}

/// What breaks when the schema follows this version.
pub async fn one(
    tx: &mut Tx,
    asker: &Asker,
    level: Level,
    new: &Parsed,
    earlier: &Registered,
) -> Outcome<Vec<Incompatibility>> {
    let schema = &earlier.schema;
    let sources = version::sources_of(tx, asker.scope, schema).await?;
    let earlier = verdict::parse(schema.format, schema.text.clone(), sources, false).await?;
    verdict::broken(level, new, earlier).await
}
