//! The one place that knows the step engine (`weir-actions`): a job's program, compiled, with what it asks of its host.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ring::hmac;
use weir_actions::{ActionSpec, Host, Input, KeyForm, Plan, Registered, ValueForm};
pub use weir_actions::{
    Answer, DeadLetterCode, Failure, Header, Next, Outcome, OwnedHeader, Part, Record, Request, Seen,
    Suspended,
};
use weir_contract::Schema;
use weir_contract::wire::SchemaId;
use weir_proto::agent::v1::{JobFailureCode, PartContract, Schema as Told, TopicContract};

use super::hosts;
use super::spec::{Hidden, Program};
use crate::gateway::contract::schema_of;

/// Bytes of an endpoint's answer.
pub const RESPONSE_BYTES_MAX: usize = weir_actions::limits::RESPONSE_BYTES_MAX;

/// What a program needs beside its topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The endpoints that it calls.
    pub urls: Vec<String>,
    /// The references of secrets that it uses.
    pub secrets: Vec<String>,
}

/// Compiles a program as a worker would; says what it needs.
///
/// # Errors
/// Sentences: what is wrong with it.
pub fn check(program: &Program) -> Result<Needs, String> {
    let engine = Engine::build(program, &BTreeMap::new())?;
    let owned = |set: std::collections::BTreeSet<&str>| set.into_iter().map(str::to_owned).collect();
    Ok(Needs {
        urls: owned(engine.plan.urls()),
        secrets: owned(engine.plan.secrets()),
    })
}

/// A program, ready to run.
pub struct Engine {
    plan: Plan,
    host: Surroundings,
    targets: BTreeMap<String, Arc<str>>,
    /// Whom calls may reach.
    pub hosts: Vec<String>,
}

impl Engine {
    /// Compiles a program.
    ///
    /// # Errors
    /// Sentences: what is wrong with it.
    pub fn build(program: &Program, secrets: &BTreeMap<String, Hidden>) -> Result<Self, String> {
        let unreadable = |error: std::io::Error| error.to_string();
        let (contracts, schemas) = (
            program.contracts().map_err(unreadable)?,
            program.schemas().map_err(unreadable)?,
        );
        let host = Surroundings::build(&program.source, &contracts, &schemas, secrets);
        let spec = ActionSpec::read(&program.actions).map_err(|problem| problem.to_string())?;
        let input = input(contracts.get(&program.source), &host, &program.source)?;
        let plan = Plan::compile(&spec, input, &host).map_err(|problems| {
            let sentences: Vec<String> = problems.iter().map(ToString::to_string).collect();
            sentences.join("; ")
        })?;
        let targets = spec
            .sinks
            .iter()
            .map(|(name, sink)| (name.clone(), sink.topic.as_str().into()));
        Ok(Self {
            targets: targets.collect(),
            plan,
            host,
            hosts: program.hosts.clone(),
        })
    }

    /// What comes of a record.
    pub fn begin(&self, record: &Record<'_>, seen: &mut Seen) -> Next {
        self.plan.begin(record, seen, &self.host)
    }

    /// Goes on with a record whose call was answered.
    pub fn resume(&self, suspended: Box<Suspended>, answer: &Answer) -> Next {
        suspended.resume(answer, &self.host)
    }

    /// Remembers a record whose outcome is of the past.
    pub fn learn(&self, record: &Record<'_>, seen: &mut Seen) {
        self.plan.learn(record, seen, &self.host);
    }

    /// What a partition's deduplication remembers at first.
    pub fn seen(&self) -> Seen {
        self.plan.seen()
    }

    /// How far back a deduplicating step remembers, in milliseconds.
    pub fn window_ms(&self) -> Option<i64> {
        self.plan.window_ms()
    }

    /// How many calls are made at the same time; `None`: it calls nobody.
    pub fn concurrency(&self) -> Option<usize> {
        self.plan
            .concurrency()
            .map(|it| usize::try_from(it).unwrap_or(1).max(1))
    }

    /// The topic of a sink.
    pub fn topic(&self, sink: &str) -> Option<Arc<str>> {
        self.targets.get(sink).cloned()
    }

    /// The topic of dead letters.
    pub fn dead_letter_topic(&self) -> Option<&str> {
        self.plan.dead_letter_topic()
    }

    /// May an address be called?
    pub fn may_call(&self, url: &str) -> bool {
        hosts::is_reachable(url, &self.hosts)
    }
}

/// As the report counts it.
#[must_use]
pub const fn failure(code: DeadLetterCode) -> JobFailureCode {
    use DeadLetterCode as Dead;
    match code {
        Dead::NoFrame | Dead::NotDecodable => JobFailureCode::Decode,
        Dead::UnknownSchema | Dead::NoSchema => JobFailureCode::SchemaUnknown,
        Dead::Expression | Dead::UnknownSink | Dead::BadRequest => JobFailureCode::Expression,
        Dead::BadField | Dead::FieldExists | Dead::UnfitOutput | Dead::NoSecret => JobFailureCode::Type,
        Dead::Contract => JobFailureCode::Contract,
        Dead::TooLarge | Dead::Cost | Dead::TooDeep | Dead::OutputTooLarge => JobFailureCode::TooLarge,
        Dead::CallTimeout => JobFailureCode::CallTimeout,
        Dead::CallRefused4xx | Dead::CallForbidden => JobFailureCode::CallRefused,
        Dead::CallUnreachable | Dead::CallFailed5xx => JobFailureCode::CallFailed,
        Dead::CallUnexpected | Dead::CallNotJson | Dead::CallTooLarge => JobFailureCode::CallUnreadable,
    }
}

/// What is known of the source's records.
fn input(contract: Option<&TopicContract>, host: &Surroundings, source: &str) -> Result<Input, String> {
    let value = contract.and_then(|it| it.value.as_ref());
    let value = match (value, host.newest(source)) {
        (Some(part), Some(newest)) => ValueForm::Registered {
            newest,
            unframed: !part.unframed_schema_id.is_empty(),
        },
        (Some(part), None) if !part.schema_ids.is_empty() => {
            return Err("no schema of the source can be compiled".to_owned());
        }
        _none => ValueForm::Json,
    };
    let keys = contract.and_then(|it| it.key.as_ref());
    let registered = keys.is_some_and(|it| !it.schema_ids.is_empty());
    let key = if registered {
        KeyForm::Registered
    } else {
        KeyForm::Text
    };
    Ok(Input { value, key })
}

/// Schemas and keys of hashes.
struct Surroundings {
    by_id: HashMap<u32, Arc<Registered>>,
    by_guid: HashMap<[u8; 16], Arc<Registered>>,
    newest: HashMap<String, Arc<Registered>>,
    keys: HashMap<String, hmac::Key>,
}

impl Surroundings {
    fn build(
        source: &str,
        contracts: &BTreeMap<String, TopicContract>,
        schemas: &[Told],
        secrets: &BTreeMap<String, Hidden>,
    ) -> Self {
        let texts: HashMap<&str, &Told> = schemas.iter().map(|it| (it.id.as_str(), it)).collect();
        let mut compiled: HashMap<&str, Arc<Registered>> = HashMap::new();
        for told in schemas {
            match registered(told, &texts) {
                Ok(schema) => drop(compiled.insert(&told.id, Arc::new(schema))),
                Err(reason) => tracing::error!(
                    schema = told.id,
                    reason,
                    "a schema cannot be compiled: no record is of it"
                ),
            }
        }
        let parts = |part: Option<&PartContract>| -> Vec<Arc<Registered>> {
            let ids = part.map_or(&[][..], |it| it.schema_ids.as_slice());
            ids.iter()
                .filter_map(|id| compiled.get(id.as_str()))
                .cloned()
                .collect()
        };
        let of_source = contracts.get(source);
        let mut allowed = parts(of_source.and_then(|it| it.value.as_ref()));
        allowed.extend(parts(of_source.and_then(|it| it.key.as_ref())));
        let newest = contracts.iter().filter_map(|(topic, contract)| {
            // Numbers rise with each schema of a registry.
            let newest = parts(contract.value.as_ref())
                .into_iter()
                .max_by_key(|it| it.id())?;
            Some((topic.clone(), newest))
        });
        let key = |secret: &Hidden| hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_bytes());
        Self {
            newest: newest.collect(),
            by_id: allowed.iter().map(|it| (it.id(), Arc::clone(it))).collect(),
            by_guid: allowed
                .iter()
                .filter_map(|it| Some((it.guid()?, Arc::clone(it))))
                .collect(),
            keys: secrets
                .iter()
                .map(|(name, secret)| (name.clone(), key(secret)))
                .collect(),
        }
    }
}

fn registered(told: &Told, texts: &HashMap<&str, &Told>) -> Result<Registered, String> {
    let (schema, rules, metadata): (Schema, _, _) = schema_of(told, texts)?;
    let guid = told.guid.as_slice().try_into().ok();
    Registered::new(told.schema_id, guid, &schema, &rules, &metadata)
}

impl Host for Surroundings {
    fn schema(&self, named: SchemaId) -> Option<Arc<Registered>> {
        match named {
            SchemaId::Id(id) => self.by_id.get(&id).cloned(),
            SchemaId::Guid(guid) => self.by_guid.get(&guid).cloned(),
        }
    }

    fn newest(&self, topic: &str) -> Option<Arc<Registered>> {
        self.newest.get(topic).cloned()
    }

    fn keyed_hash(&self, secret: &str, bytes: &[u8]) -> Option<[u8; 32]> {
        let key = self.keys.get(secret)?;
        hmac::sign(key, bytes).as_ref().try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(actions: &str) -> Program {
        Program {
            source: "orders".to_owned(),
            actions: actions.to_owned(),
            ..Program::default()
        }
    }

    fn record(value: &[u8]) -> Record<'_> {
        Record {
            topic: "orders",
            partition: 0,
            offset: 7,
            timestamp_ms: 1000,
            key: None,
            value: Some(value),
            headers: &[],
        }
    }

    #[test]
    fn a_program_runs_with_its_secrets_and_names_its_topics() {
        let actions = r#"{"steps":[{"filter":{"where":"message.amount > 100"}},
            {"mask":{"fields":["card"],"how":{"HASH":{"key":"pepper"}}}}],
            "sinks":{"out":{"topic":"large"}},"dead_letter_topic":"dead"}"#;
        let secrets = BTreeMap::from([("pepper".to_owned(), Hidden("salt".to_owned()))]);
        let engine = Engine::build(&program(actions), &secrets).unwrap();
        assert_eq!(
            (engine.topic("out").as_deref(), engine.dead_letter_topic()),
            (Some("large"), Some("dead"))
        );
        let mut seen = engine.seen();
        let Next::Done(Outcome::Emit {
            sink,
            value: Part::New(value),
            ..
        }) = engine.begin(&record(br#"{"amount":500,"card":"4111"}"#), &mut seen)
        else {
            panic!("it is passed on");
        };
        assert_eq!(&*sink, "out");
        let value: serde_json::Value = serde_json::from_slice(&value).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"salt");
        assert_eq!(
            value["card"],
            weir_credentials::hex(hmac::sign(&key, b"4111").as_ref())
        );
        let small = engine.begin(&record(br#"{"amount":5,"card":"4111"}"#), &mut seen);
        assert!(matches!(small, Next::Done(Outcome::Dropped { .. })));
        let needs = check(&program(actions)).unwrap();
        assert_eq!((needs.urls.len(), needs.secrets), (0, vec!["pepper".to_owned()]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = check(&program(
            r#"{"steps":[{"filter":{"where":"1 +"}}],"sinks":{"out":{"topic":"x"}}}"#,
        ));
        assert!(said.unwrap_err().contains("step 1"));
        assert!(check(&program("{")).is_err());
    }

    #[test]
    fn every_fault_has_a_word_in_the_report() {
        for code in DeadLetterCode::ALL {
            assert_ne!(failure(code), JobFailureCode::Unspecified, "{code:?}");
        }
    }
}
