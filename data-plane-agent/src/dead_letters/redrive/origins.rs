//! Where letters may go, and the contracts that are in force there now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use weir_proto::agent::v1::PartContract;
use weir_proto::lane::v1::Snapshot;

use crate::dead_letters::routes::Target;
use crate::gateway::contract::{Schemas, TopicContract};

/// A topic that letters may go back into.
#[derive(Debug)]
pub struct Source {
    /// Its name, as the tenant knows it.
    pub name: String,
    /// And as Kafka does.
    pub physical_name: Arc<str>,
    /// It is there.
    pub exists: bool,
    /// What it promises; `None`: nothing is enforced.
    pub contract: Option<TopicContract>,
    /// The subject of keys, where it goes by the topic's name.
    pub key_subject: String,
    /// The same of values.
    pub value_subject: String,
}

/// A dead-letter topic, and those whose contracts name it.
#[derive(Debug)]
pub struct Origins {
    /// Kafka's name of the dead-letter topic.
    pub target: Arc<str>,
    /// By the names that letters tell.
    sources: BTreeMap<String, Source>,
    /// What their contracts are made of.
    schemas: Schemas,
}

impl Origins {
    /// As a snapshot has them, of topics that exist. Schemas that `before` has are not compiled again; else long work.
    #[must_use]
    pub fn of(
        target: Target<'_>,
        snapshot: &Snapshot,
        existing: &BTreeSet<String>,
        before: Option<&Self>,
    ) -> Self {
        let none = Schemas::default();
        let contracts = target.sources().filter_map(|it| it.contract.as_ref());
        let schemas = Schemas::of(
            contracts,
            &snapshot.schemas,
            before.map_or(&none, |it| &it.schemas),
        );
        let subject = |part: Option<&PartContract>| part.map(|it| it.subject.clone()).unwrap_or_default();
        let sources = target.sources().map(|topic| {
            let contract = topic.contract.as_ref();
            let source = Source {
                name: topic.name.clone(),
                physical_name: topic.physical_name.as_str().into(),
                // What would be written past the gateway would stand there in clear.
                exists: existing.contains(&topic.physical_name)
                    && topic.key_ring.as_ref().is_none_or(|it| !it.required),
                contract: contract.and_then(|it| TopicContract::bind(it, &schemas)),
                key_subject: subject(contract.and_then(|it| it.key.as_ref())),
                value_subject: subject(contract.and_then(|it| it.value.as_ref())),
            };
            (topic.name.clone(), source)
        });
        Self {
            target: target.topic.physical_name.as_str().into(),
            sources: sources.collect(),
            schemas,
        }
    }

    /// The topic of this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }
}
