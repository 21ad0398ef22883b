//! From a snapshot to contracts that judge: compiled once per schema, bound to topics.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::verdict::{Contract, JudgeLimits};
use weir_contract::wire::SchemaId;
use weir_contract::{Format, Limits, NamedSource, Schema};
use weir_proto::agent::v1::{Enforcement, PartContract, Schema as Told, SchemaFormat, TopicContract as Wish};
use weir_proto::lane::v1::Snapshot;

/// Larger records are not read: a JSON text takes up to 24 times its size in memory.
const LIMITS: JudgeLimits = JudgeLimits {
    payload_bytes: 8 << 20,
    ..JudgeLimits::DEFAULT
};
/// So many requests to a topic are judged beside the clients after one that took long.
const SLOW: u32 = 64;

/// A schema as records are judged by it.
#[derive(Debug)]
pub struct Enforced {
    /// Its id.
    pub id: Arc<str>,
    schema_id: u32,
    guid: Option<[u8; 16]>,
    /// `None`: it cannot be compiled here, and nothing is valid by it.
    pub contract: Option<Contract>,
    /// The place of each domain rule, counted from 1.
    rules: HashMap<String, u32>,
}

impl Enforced {
    /// The place of a rule among the domain rules, counted from 1; 0: it is none of them.
    #[must_use]
    pub fn rule(&self, name: &str) -> u32 {
        self.rules.get(name).copied().unwrap_or(0)
    }
}

/// The schemas that topics' contracts name, compiled.
#[derive(Debug, Default)]
pub struct Schemas(HashMap<String, Arc<Enforced>>);

impl Schemas {
    /// Compiles what `before` has not: a schema never changes under its id. Long work, when much is new.
    #[must_use]
    pub fn build(snapshot: &Snapshot, before: &Self) -> Self {
        let topics = snapshot.clusters.iter().flat_map(|it| &it.topics);
        let contracts = topics
            .filter_map(|it| it.contract.as_ref())
            .filter(|it| enforced(it));
        let parts = contracts.flat_map(|it| it.key.iter().chain(&it.value));
        let named: BTreeSet<&str> = parts
            .flat_map(|it| {
                it.schema_ids
                    .iter()
                    .chain(std::iter::once(&it.unframed_schema_id))
            })
            .map(String::as_str)
            .filter(|it| !it.is_empty())
            .collect();
        if named.is_empty() {
            return Self::default();
        }
        let texts: HashMap<&str, &Told> = snapshot.schemas.iter().map(|it| (it.id.as_str(), it)).collect();
        let compiled = named.into_iter().filter_map(|id| {
            if let Some(held) = before.0.get(id) {
                return Some((id.to_owned(), Arc::clone(held)));
            }
            let Some(told) = texts.get(id) else {
                tracing::error!(
                    schema = id,
                    "a topic's contract names a schema that the snapshot lacks"
                );
                return None;
            };
            Some((id.to_owned(), Arc::new(compile(told, &texts))))
        });
        Self(compiled.collect())
    }

    fn get(&self, id: &str) -> Option<&Arc<Enforced>> {
        self.0.get(id)
    }
}

fn enforced(contract: &Wish) -> bool {
    !matches!(
        contract.enforcement(),
        Enforcement::Unspecified | Enforcement::Off
    )
}

fn compile(told: &Told, texts: &HashMap<&str, &Told>) -> Enforced {
    let Told {
        id,
        schema_id,
        guid,
        format: _,
        text: _,
        references: _,
        metadata: _,
        rule_set: _,
    } = told;
    let (contract, rules) = match contract(told, texts) {
        Ok((contract, rules)) => (Some(contract), rules),
        Err(reason) => {
            tracing::error!(schema = %id, reason, "a schema cannot be enforced: no record is valid by it");
            (None, HashMap::new())
        }
    };
    Enforced {
        id: id.as_str().into(),
        schema_id: *schema_id,
        guid: guid.as_slice().try_into().ok(),
        contract,
        rules,
    }
}

fn contract(told: &Told, texts: &HashMap<&str, &Told>) -> Result<(Contract, HashMap<String, u32>), String> {
    let format = match told.format() {
        SchemaFormat::Unspecified => return Err("it is of no format that is known here".to_owned()),
        SchemaFormat::Avro => Format::Avro,
        SchemaFormat::Json => Format::Json,
        SchemaFormat::Protobuf => Format::Protobuf,
    };
    let rule_set: RuleSet = json(&told.rule_set)?;
    let metadata: Metadata = json(&told.metadata)?;
    let schema = Schema::parse(format, &told.text, &sources(told, texts)?).map_err(|it| it.to_string())?;
    let compiled = Contract::compile(schema, &rule_set, &metadata, LIMITS).map_err(|it| it.to_string())?;
    let rules = rule_set.domain_rules.into_iter().zip(1..);
    Ok((compiled, rules.map(|(rule, place)| (rule.name, place)).collect()))
}

fn json<T: Default + serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    if text.is_empty() {
        return Ok(T::default());
    }
    // The error of `serde_json` may quote the text, which is the schema's and no record's.
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// The texts that a schema refers to, directly and through others: dependencies first, each name once, as the registry
/// resolves them.
fn sources(told: &Told, texts: &HashMap<&str, &Told>) -> Result<Vec<NamedSource>, String> {
    enum Step<'s> {
        Visit(&'s str, &'s str),
        Emit(&'s str, &'s str),
    }
    let mut steps: Vec<Step<'_>> = Vec::new();
    steps.extend(
        told.references
            .iter()
            .rev()
            .map(|it| Step::Visit(&it.name, &it.id)),
    );
    let (mut seen, mut sources, mut bytes) = (BTreeSet::new(), Vec::new(), 0);
    while let Some(step) = steps.pop() {
        let (name, id) = match step {
            Step::Emit(name, text) => {
                sources.push(NamedSource {
                    name: name.to_owned(),
                    text: text.to_owned(),
                });
                continue;
            }
            Step::Visit(name, id) => (name, id),
        };
        if !seen.insert(name) {
            continue;
        }
        let found = texts
            .get(id)
            .ok_or_else(|| format!("what it calls {name} is missing"))?;
        bytes += found.text.len();
        if seen.len() > Limits::DEFAULT.references || bytes > Limits::DEFAULT.references_bytes {
            return Err("it refers to too much".to_owned());
        }
        steps.push(Step::Emit(name, &found.text));
        steps.extend(
            found
                .references
                .iter()
                .rev()
                .map(|it| Step::Visit(&it.name, &it.id)),
        );
    }
    Ok(sources)
}

/// What a topic promises, ready to judge.
#[derive(Debug)]
pub struct TopicContract {
    /// Never OFF.
    pub enforcement: Enforcement,
    /// Of keys.
    pub key: Option<PartRule>,
    /// Of values.
    pub value: Option<PartRule>,
    /// As it was told: schemas never change under their ids.
    told: Wish,
    slow: AtomicU32,
}

impl PartialEq for TopicContract {
    fn eq(&self, other: &Self) -> bool {
        self.told == other.told
    }
}

impl Eq for TopicContract {}

impl TopicContract {
    /// `None` when nothing is enforced.
    #[must_use]
    pub fn bind(told: &Wish, schemas: &Schemas) -> Option<Self> {
        let Wish {
            enforcement: _,
            key,
            value,
            dead_letter_topic_id: _,
        } = told;
        if !enforced(told) || (key.is_none() && value.is_none()) {
            return None;
        }
        Some(Self {
            enforcement: told.enforcement(),
            key: key.as_ref().map(|it| PartRule::bind(it, schemas)),
            value: value.as_ref().map(|it| PartRule::bind(it, schemas)),
            told: told.clone(),
            slow: AtomicU32::new(0),
        })
    }

    /// Whether the next request is judged beside the clients from the start: one before took long.
    pub fn is_slow(&self) -> bool {
        let less = self
            .slow
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1));
        less.is_ok()
    }

    /// A request took long.
    pub fn took_long(&self) {
        self.slow.store(SLOW, Ordering::Relaxed);
    }
}

/// What is promised of keys, or of values.
#[derive(Debug)]
pub struct PartRule {
    // Few each, and asked for every record.
    by_id: BTreeMap<u32, Arc<Enforced>>,
    by_guid: BTreeMap<[u8; 16], Arc<Enforced>>,
    /// What a record without a frame is of.
    pub unframed: Option<Arc<Enforced>>,
}

impl PartRule {
    fn bind(told: &PartContract, schemas: &Schemas) -> Self {
        let PartContract {
            schema_ids,
            unframed_schema_id,
            subject: _,
        } = told;
        let allowed: Vec<&Arc<Enforced>> = schema_ids.iter().filter_map(|it| schemas.get(it)).collect();
        let unframed = schemas.get(unframed_schema_id);
        let json = |it: &&Arc<Enforced>| it.contract.as_ref().is_none_or(|it| it.format() == Format::Json);
        if unframed.is_some_and(|it| !json(&it)) {
            tracing::error!(schema = %unframed_schema_id, "records without a frame are JSON, and this schema is not");
        }
        Self {
            by_id: allowed.iter().map(|it| (it.schema_id, Arc::clone(it))).collect(),
            by_guid: allowed
                .iter()
                .filter_map(|it| Some((it.guid?, Arc::clone(it))))
                .collect(),
            unframed: unframed.filter(json).cloned(),
        }
    }

    /// The schema that a record names, if it is among those of the topic.
    #[must_use]
    pub fn schema(&self, named: SchemaId) -> Option<&Arc<Enforced>> {
        match named {
            SchemaId::Id(id) => self.by_id.get(&id),
            SchemaId::Guid(guid) => self.by_guid.get(&guid),
        }
    }
}
