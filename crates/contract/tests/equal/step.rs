//! The same pairs through the step `validate` of a job: what a processor does with a record, compiled as a worker compiles it.

use std::sync::Arc;

use weir_actions::{
    ActionSpec, DeadLetterCode, Host, Input, KeyForm, Next, Outcome, Plan, Record, Registered, ValueForm,
};
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::verdict::Verdict;
use weir_contract::wire::{self, SchemaId};
use weir_contract::{Format, Schema};

const STEPS: &str =
    r#"{"steps": [{"validate": {}}], "sinks": {"out": {"topic": "out"}}, "dead_letter_topic": "dead"}"#;
const ID: u32 = 7;

/// A job whose only step is `validate`, over a topic with one schema.
pub struct Step {
    plan: Plan,
    host: One,
    format: Format,
}

/// A registry of one schema.
struct One(Arc<Registered>);

impl Host for One {
    fn schema(&self, named: SchemaId) -> Option<Arc<Registered>> {
        (named == SchemaId::Id(ID)).then(|| Arc::clone(&self.0))
    }

    fn newest(&self, topic: &str) -> Option<Arc<Registered>> {
        (topic == "in").then(|| Arc::clone(&self.0))
    }

    fn keyed_hash(&self, _secret: &str, _bytes: &[u8]) -> Option<[u8; 32]> {
        None
    }
}

impl Step {
    /// Compiles the job.
    pub fn compile(format: Format, schema: &str, rules: &RuleSet) -> Result<Self, String> {
        let schema = Schema::parse(format, schema, &[]).map_err(|error| error.to_string())?;
        let registered = Registered::new(ID, None, &schema, rules, &Metadata::default())?;
        let host = One(Arc::new(registered));
        let spec = ActionSpec::read(STEPS).map_err(|problem| problem.to_string())?;
        let input = Input {
            value: ValueForm::Registered {
                newest: Arc::clone(&host.0),
                unframed: false,
            },
            key: KeyForm::Text,
        };
        let plan = Plan::compile(&spec, input, &host).map_err(|problems| format!("{problems:?}"))?;
        Ok(Self { plan, host, format })
    }

    /// What differs between the step's verdict on a record and the contract's, if anything does.
    pub fn differs(&self, body: &[u8], verdict: &Verdict) -> Option<String> {
        let said = self.judge(body);
        let wanted = verdict.violation().map_or("valid", |it| it.kind.as_str());
        (said != wanted).then(|| format!("the step validate says {said}, the contract {wanted}"))
    }

    /// `valid`, or the kind of the violation.
    fn judge(&self, body: &[u8]) -> String {
        let indexes = (self.format == Format::Protobuf).then_some(&[0][..]);
        let value = [wire::frame(SchemaId::Id(ID), indexes), body.to_vec()].concat();
        let record = Record {
            topic: "in",
            partition: 0,
            offset: 1,
            timestamp_ms: 1_700_000_000_000,
            key: None,
            value: Some(&value),
            headers: &[],
        };
        match self.plan.begin(&record, &mut self.plan.seen(), &self.host) {
            Next::Done(Outcome::Emit { .. }) => "valid".to_owned(),
            Next::Done(Outcome::DeadLetter {
                code: DeadLetterCode::Contract,
                sentence,
                ..
            }) => sentence.split(':').next().unwrap_or_default().to_owned(),
            // What cannot be read never comes to the step; the contract calls it the same.
            Next::Done(Outcome::DeadLetter { code, .. }) => code.as_str().to_owned(),
            Next::Done(Outcome::Dropped { .. }) => "dropped".to_owned(),
            Next::Call(..) => "called".to_owned(),
        }
    }
}
