//! Schemas of a registry as jobs use them, and who hands them in.

use std::sync::Arc;

use weir_contract::record::{Codec, Fit, WriteErrorKind};
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::value::Value;
use weir_contract::verdict::{Contract, JudgeLimits, Place};
use weir_contract::wire::SchemaId;
use weir_contract::{Format, Schema};

use crate::known::Known;
use crate::limits::PAYLOAD_BYTES_MAX;

const LIMITS: JudgeLimits = JudgeLimits {
    payload_bytes: PAYLOAD_BYTES_MAX,
    ..JudgeLimits::DEFAULT
};

/// A schema of a registry with its rules, compiled.
#[derive(Debug)]
pub struct Registered {
    id: u32,
    guid: Option<[u8; 16]>,
    pub(crate) codec: Codec,
    /// Schema and rules.
    contract: Contract,
    /// The schema alone.
    bare: Contract,
    /// Names of properties that a JSON Schema requires at its root.
    pub(crate) required: Vec<String>,
}

impl Registered {
    /// Compiles a schema.
    ///
    /// # Errors
    /// A sentence: what is wrong with schema or rules.
    pub fn new(
        id: u32,
        guid: Option<[u8; 16]>,
        schema: &Schema,
        rules: &RuleSet,
        metadata: &Metadata,
    ) -> Result<Self, String> {
        let codec = Codec::new(schema, metadata)?;
        let compiled = |rules: &RuleSet| {
            Contract::compile(schema.clone(), rules, metadata, LIMITS).map_err(|error| error.to_string())
        };
        let required = match schema.format() {
            Format::Json => weir_contract::columns::columns(schema)
                .into_iter()
                .filter(|column| column.required)
                .map(|column| column.name)
                .collect(),
            Format::Avro | Format::Protobuf => Vec::new(),
        };
        Ok(Self {
            id,
            guid,
            codec,
            contract: compiled(rules)?,
            bare: compiled(&RuleSet::default())?,
            required,
        })
    }

    /// The number that the registry gave it.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Its GUID, if that is known.
    pub const fn guid(&self) -> Option<[u8; 16]> {
        self.guid
    }

    /// The language of its schema.
    pub fn format(&self) -> Format {
        self.codec.format()
    }

    /// What it says of a record before there is one.
    pub(crate) fn known(&self) -> Known {
        let (root, shapes) = self.codec.types();
        Known::of(root, shapes)
    }

    /// Its verdict on a payload, as a job that reads gives it.
    pub(crate) const fn contract(&self) -> &Contract {
        &self.contract
    }

    /// How a frame names it, in the form of another name.
    pub(crate) fn name_like(&self, other: SchemaId) -> SchemaId {
        match (other, self.guid) {
            (SchemaId::Guid(_), Some(guid)) => SchemaId::Guid(guid),
            _ => SchemaId::Id(self.id),
        }
    }

    /// The payload of a value, if it fits the schema.
    pub(crate) fn write(
        &self,
        indexes: &[u32],
        value: &Value<'_>,
        fit: Fit,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Unwritten> {
        let payload = self
            .codec
            .write(indexes, value, fit, bytes_max)
            .map_err(|error| match error.kind {
                WriteErrorKind::TooLarge => Unwritten::TooLarge(error.reason),
                WriteErrorKind::Unfit if error.path.is_empty() => Unwritten::Unfit(error.reason),
                WriteErrorKind::Unfit => Unwritten::Unfit(format!("{} (`{}`)", error.reason, error.path)),
            })?;
        if self.format() == Format::Json
            && let Some(violation) = self.bare.judge(&payload, Place::Processor).violation()
        {
            return Err(Unwritten::Unfit(violation.reason.clone()));
        }
        Ok(payload)
    }
}

/// Why a value has no payload. Sentences without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// It does not fit.
    Unfit(String),
    /// It is too large.
    TooLarge(String),
}

/// What a plan asks of whoever runs it. The same question must have the same answer for as long as a record takes.
pub trait Host {
    /// The schema that a record names, if records of the topic may be of it.
    fn schema(&self, named: SchemaId) -> Option<Arc<Registered>>;

    /// The newest schema of the values of a topic, if there is one.
    fn newest(&self, topic: &str) -> Option<Arc<Registered>>;

    /// What records of a schema are of once steps changed them, where that is another one: its payloads are written by that.
    fn derived(&self, _of: &Registered) -> Option<Arc<Registered>> {
        None
    }

    /// HMAC-SHA-256 of bytes under the secret of this reference; `None` if there is no such secret. Secrets stay with the host.
    fn keyed_hash(&self, secret: &str, bytes: &[u8]) -> Option<[u8; 32]>;
}
