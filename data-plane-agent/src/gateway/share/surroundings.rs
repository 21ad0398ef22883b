//! What a view needs beside its steps: the schemas of its topic, what is derived of them, and the keys of its hashes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use ring::hmac;
use weir_actions::{Host, Input, KeyForm, Plan, Registered, ValueForm};
use weir_contract::wire::SchemaId;
use weir_proto::agent::v1::{DerivedSchema, Mount, PartContract, Schema as Told, TopicContract};

use crate::gateway::contract::schema_of;

/// The key of a share's hashes.
const KEY_BYTES: usize = 32;

/// Schemas and keys of hashes.
pub struct Surroundings {
    by_id: HashMap<u32, Arc<Registered>>,
    by_guid: HashMap<[u8; 16], Arc<Registered>>,
    newest: Option<Arc<Registered>>,
    derived: HashMap<u32, Arc<Registered>>,
    keys: HashMap<String, hmac::Key>,
}

impl Surroundings {
    /// With all that the mount and its topic's contract name.
    pub fn build(
        mount: &Mount,
        contract: Option<&TopicContract>,
        key: &[u8],
        told: &Texts<'_>,
    ) -> Result<Self, String> {
        if !key.is_empty() && key.len() != KEY_BYTES {
            return Err("the key of its hashes is of the wrong length".to_owned());
        }
        let part = |part: Option<&PartContract>| -> Result<Vec<Arc<Registered>>, String> {
            let ids = part.map_or(&[][..], |it| it.schema_ids.as_slice());
            ids.iter().map(|id| told.by_type_id(id)).collect()
        };
        let values = part(contract.and_then(|it| it.value.as_ref()))?;
        let keys = part(contract.and_then(|it| it.key.as_ref()))?;
        let mut derived = HashMap::new();
        for it in &mount.derived {
            derived.insert(it.schema_id, told.derived(it)?);
        }
        let allowed = || values.iter().chain(&keys);
        Ok(Self {
            // Numbers rise with each schema of a registry.
            newest: values.iter().max_by_key(|it| it.id()).cloned(),
            by_id: allowed().map(|it| (it.id(), Arc::clone(it))).collect(),
            by_guid: allowed()
                .filter_map(|it| Some((it.guid()?, Arc::clone(it))))
                .collect(),
            derived,
            keys: HashMap::new(),
        })
    }

    /// Each reference of a hash has a key of its own, made of the share's.
    pub fn keyed(mut self, plan: &Plan, key: &[u8]) -> Result<Self, String> {
        let references = plan.secrets();
        if key.is_empty() && !references.is_empty() {
            return Err("the key of its hashes is missing".to_owned());
        }
        let of_share = hmac::Key::new(hmac::HMAC_SHA256, key);
        for reference in references {
            let own = hmac::sign(&of_share, reference.as_bytes());
            let own = hmac::Key::new(hmac::HMAC_SHA256, own.as_ref());
            self.keys.insert(reference.to_owned(), own);
        }
        Ok(self)
    }

    /// Whether values are of schemas.
    pub const fn has_schemas(&self) -> bool {
        self.newest.is_some()
    }

    /// What is known of the topic's records.
    pub fn input(&self, contract: Option<&TopicContract>) -> Result<Input, String> {
        let value = contract.and_then(|it| it.value.as_ref());
        let value = match (&self.newest, value) {
            (Some(newest), Some(part)) => ValueForm::Registered {
                newest: Arc::clone(newest),
                unframed: !part.unframed_schema_id.is_empty(),
            },
            (None, Some(part)) if !part.schema_ids.is_empty() || !part.unframed_schema_id.is_empty() => {
                return Err("its topic's schemas cannot be compiled".to_owned());
            }
            _none => ValueForm::Json,
        };
        let keys = contract.and_then(|it| it.key.as_ref());
        let key = match keys {
            Some(part) if !part.schema_ids.is_empty() => KeyForm::Registered,
            _none => KeyForm::Text,
        };
        Ok(Input { value, key })
    }
}

impl Host for Surroundings {
    fn schema(&self, named: SchemaId) -> Option<Arc<Registered>> {
        match named {
            SchemaId::Id(id) => self.by_id.get(&id).cloned(),
            SchemaId::Guid(guid) => self.by_guid.get(&guid).cloned(),
        }
    }

    fn newest(&self, _topic: &str) -> Option<Arc<Registered>> {
        None
    }

    fn derived(&self, of: &Registered) -> Option<Arc<Registered>> {
        self.derived.get(&of.id()).cloned()
    }

    fn keyed_hash(&self, secret: &str, bytes: &[u8]) -> Option<[u8; 32]> {
        hmac::sign(self.keys.get(secret)?, bytes).as_ref().try_into().ok()
    }
}

/// The schemas of a snapshot, each compiled when it is first needed.
pub struct Texts<'a> {
    told: HashMap<&'a str, &'a Told>,
    made: RefCell<HashMap<&'a str, Arc<Registered>>>,
}

impl<'a> Texts<'a> {
    /// Of these.
    pub fn of(schemas: &'a [Told]) -> Self {
        Self {
            told: schemas.iter().map(|it| (it.id.as_str(), it)).collect(),
            made: RefCell::default(),
        }
    }

    fn by_type_id(&self, id: &str) -> Result<Arc<Registered>, String> {
        let told = self
            .told
            .get(id)
            .ok_or_else(|| format!("the snapshot lacks its schema {id}"))?;
        self.registered(told)
    }

    fn derived(&self, it: &DerivedSchema) -> Result<Arc<Registered>, String> {
        if !it.derived_id.is_empty() {
            let found = self.by_type_id(&it.derived_id)?;
            return if found.id() == it.derived_schema_id {
                Ok(found)
            } else {
                Err("a derived schema has another number".to_owned())
            };
        }
        // Numbers are a tenant's: of two nobody knows which is meant.
        let mut named = self
            .told
            .values()
            .filter(|schema| schema.schema_id == it.derived_schema_id);
        match (named.next(), named.next()) {
            (Some(one), None) => self.registered(one),
            _none_or_many => Err(format!(
                "its derived schema {} is not known",
                it.derived_schema_id
            )),
        }
    }

    /// Compiles a schema for records that are read and written by it.
    fn registered(&self, told: &'a Told) -> Result<Arc<Registered>, String> {
        if let Some(made) = self.made.borrow().get(told.id.as_str()) {
            return Ok(Arc::clone(made));
        }
        let (schema, rules, metadata) = schema_of(told, &self.told)?;
        let guid = told.guid.as_slice().try_into().ok();
        let made = Registered::new(told.schema_id, guid, &schema, &rules, &metadata).map(Arc::new)?;
        self.made.borrow_mut().insert(&told.id, Arc::clone(&made));
        Ok(made)
    }
}
