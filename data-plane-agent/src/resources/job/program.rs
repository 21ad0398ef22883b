//! From a job as it is wished to a program that a worker can run; or why there is none. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use weir_proto::agent::v1::{
    ActionEncoding, ActionProgram, Cluster, ClusterAccess, DesiredState, Job, Reason, Topic,
};

use crate::processor::engine::Needs;
use crate::processor::spec::{Encoded, Program};
use crate::processor::{engine, hosts};

/// Kafka's own bound on a record, where the topic says nothing.
const RECORD_BYTES_DEFAULT: usize = 1_048_588;
/// What a record has besides its value: key, headers and its batch.
const RECORD_BYTES_SPARE: usize = 64 * 1024;
const RECORD_BYTES_CONFIG: &str = "max.message.bytes";

/// What a program needs to know of its surroundings.
pub struct Place<'a> {
    /// What the customer let in.
    pub admitted: &'a DesiredState,
    /// Whom jobs may call.
    pub hosts: &'a [String],
}

/// A program that a worker can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runnable {
    /// What it does.
    pub program: Program,
    /// What it needs beside its topics.
    pub needs: Needs,
}

/// Why a job cannot run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As its status says it.
    pub reason: Reason,
    /// A sentence for the agent's log.
    pub text: String,
}

impl Refused {
    pub(super) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
        }
    }
}

/// The program of a job.
///
/// # Errors
/// Why it cannot run.
pub fn program(job: &Job, place: &Place<'_>) -> Result<Runnable, Refused> {
    let Some(action) = &job.action else {
        return Err(Refused::new(
            Reason::Unsupported,
            "a kind of program that this agent does not run",
        ));
    };
    let ActionProgram {
        source_topic_id,
        from_latest,
        steps_json,
        sinks,
        dead_letter_topic_id,
        drops_null_values,
    } = action;
    let cluster = served(job, place.admitted)?;
    let topics = Topics::of(cluster, place.admitted);
    let source = topics.get(source_topic_id)?;
    let steps: Value = serde_json::from_str(steps_json)
        .map_err(|_words| Refused::new(Reason::ProgramRefused, "its steps are no JSON"))?;
    let mut named = BTreeMap::from([(source.name.clone(), source)]);
    let mut targets = serde_json::Map::new();
    for sink in sinks {
        let topic = topics.get(&sink.topic_id)?;
        let encoding = match sink.encoding() {
            ActionEncoding::Unspecified | ActionEncoding::Keep => "KEEP",
            ActionEncoding::Json => "JSON",
            ActionEncoding::Contract => "CONTRACT",
        };
        let said =
            json!({"topic": topic.name, "encoding": encoding, "value_bytes_max": value_bytes_max(topic)});
        targets.insert(sink.name.clone(), said);
        named.insert(topic.name.clone(), topic);
    }
    let null_values = if *drops_null_values { "DROP" } else { "PASS" };
    let mut actions = json!({"steps": steps, "sinks": targets, "null_values": null_values});
    let mut dead_letter_bytes_max = 0;
    if !dead_letter_topic_id.is_empty() {
        let topic = topics.get(dead_letter_topic_id)?;
        actions["dead_letter_topic"] = Value::String(topic.name.clone());
        dead_letter_bytes_max = value_bytes_max(topic);
    }
    let program = Program {
        source: source.name.clone(),
        from_latest: *from_latest,
        actions: actions.to_string(),
        dead_letter_bytes_max,
        contracts: named
            .iter()
            .filter_map(|(name, topic)| Some((name.clone(), Encoded::of(topic.contract.as_ref()?))))
            .collect(),
        schemas: schemas(named.values().copied(), place.admitted),
        hosts: place.hosts.to_vec(),
    };
    let needs = engine::check(&program).map_err(|text| Refused::new(Reason::ProgramRefused, text))?;
    if let Some(url) = needs.urls.iter().find(|it| !hosts::is_reachable(it, place.hosts)) {
        let text = format!(
            "the customer's policy does not let jobs call {}",
            hosts::shown(url)
        );
        return Err(Refused::new(Reason::PolicyRefused, text));
    }
    Ok(Runnable { program, needs })
}

/// The job's cluster, if gateways serve it and the job may run there.
pub(super) fn served<'a>(job: &Job, admitted: &'a DesiredState) -> Result<&'a Cluster, Refused> {
    let found = admitted.clusters.iter().find(|it| it.id == job.cluster_id);
    match found.filter(|it| !it.deleted) {
        None => Err(Refused::new(Reason::SourceMissing, "its cluster is not there")),
        Some(cluster) if cluster.access() == ClusterAccess::Native => Err(Refused::new(
            Reason::Unsupported,
            "no gateway serves a cluster in native mode, and jobs go through one",
        )),
        Some(cluster) => in_own_pool(job, cluster, admitted).map(|()| cluster),
    }
}

/// A pool is one tenant's, and so is its OS user: nobody else's job runs there, whatever is wished.
fn in_own_pool(job: &Job, cluster: &Cluster, admitted: &DesiredState) -> Result<(), Refused> {
    let pools = &admitted.compute_pools;
    let pool = pools.iter().find(|it| it.id == job.compute_pool_id);
    match pool.filter(|it| it.tenant_id != cluster.tenant_id) {
        None => Ok(()),
        Some(_other) => Err(Refused::new(
            Reason::Unauthorized,
            "its compute pool is another tenant's",
        )),
    }
}

/// The topics of one cluster: a job names no other's.
pub(super) struct Topics<'a>(BTreeMap<&'a str, &'a Topic>);

impl<'a> Topics<'a> {
    pub(super) fn of(cluster: &Cluster, admitted: &'a DesiredState) -> Self {
        let living = admitted
            .topics
            .iter()
            .filter(|it| !it.deleted && it.cluster_id == cluster.id);
        Self(living.map(|it| (it.id.as_str(), it)).collect())
    }

    pub(super) fn get(&self, id: &str) -> Result<&'a Topic, Refused> {
        let found = self.0.get(id).copied();
        found.ok_or_else(|| Refused::new(Reason::SourceMissing, format!("topic {id} is not there")))
    }
}

/// How large a value may be for its record to be taken.
fn value_bytes_max(topic: &Topic) -> usize {
    let said = topic.configs.iter().find(|it| it.name == RECORD_BYTES_CONFIG);
    let bytes = said
        .and_then(|it| it.value.parse().ok())
        .unwrap_or(RECORD_BYTES_DEFAULT);
    bytes.saturating_sub(RECORD_BYTES_SPARE).max(bytes / 2)
}

/// The schemas that contracts name, with those that they refer to.
fn schemas<'a>(topics: impl Iterator<Item = &'a Topic>, admitted: &DesiredState) -> Vec<Encoded> {
    let parts = topics
        .filter_map(|it| it.contract.as_ref())
        .flat_map(|it| it.key.iter().chain(&it.value));
    let mut open: Vec<&str> = parts
        .flat_map(|it| {
            it.schema_ids
                .iter()
                .chain(std::iter::once(&it.unframed_schema_id))
        })
        .map(String::as_str)
        .collect();
    let texts: BTreeMap<&str, _> = admitted.schemas.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut needed = BTreeSet::new();
    while let Some(id) = open.pop() {
        if let Some(schema) = texts.get(id).filter(|_new| needed.insert(id)) {
            open.extend(schema.references.iter().map(|it| it.id.as_str()));
        }
    }
    let found = needed.into_iter().filter_map(|id| texts.get(id));
    found.map(|it| Encoded::of(*it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::{
        ActionSink, ComputePool, Config, PartContract, Schema, SchemaReference, TopicContract,
    };

    fn admitted() -> DesiredState {
        let topic = |id: &str, cluster: &str| Topic {
            id: id.to_owned(),
            cluster_id: cluster.to_owned(),
            name: format!("name-{id}"),
            ..Topic::default()
        };
        DesiredState {
            clusters: vec![
                Cluster {
                    id: "cluster_1".to_owned(),
                    ..Cluster::default()
                },
                Cluster {
                    id: "cluster_native".to_owned(),
                    access: ClusterAccess::Native.into(),
                    ..Cluster::default()
                },
            ],
            topics: vec![
                topic("topic_1", "cluster_1"),
                topic("topic_2", "cluster_1"),
                topic("topic_3", "cluster_2"),
            ],
            ..DesiredState::default()
        }
    }

    fn job(source: &str, sink: &str, steps: &str) -> Job {
        Job {
            id: "job_1".to_owned(),
            cluster_id: "cluster_1".to_owned(),
            action: Some(ActionProgram {
                source_topic_id: source.to_owned(),
                steps_json: steps.to_owned(),
                sinks: vec![ActionSink {
                    name: "out".to_owned(),
                    topic_id: sink.to_owned(),
                    encoding: ActionEncoding::Json.into(),
                }],
                drops_null_values: true,
                ..ActionProgram::default()
            }),
            ..Job::default()
        }
    }

    fn said(job: &Job, hosts: &[String]) -> Result<Program, Reason> {
        let admitted = admitted();
        let place = Place {
            admitted: &admitted,
            hosts,
        };
        program(job, &place).map(|it| it.program).map_err(|it| it.reason)
    }

    #[test]
    fn a_job_reads_and_writes_topics_of_its_own_cluster_by_their_names() {
        let made = said(
            &job("topic_1", "topic_2", r#"[{"filter":{"where":"true"}}]"#),
            &[],
        )
        .unwrap();
        assert_eq!(made.source, "name-topic_1");
        let actions: Value = serde_json::from_str(&made.actions).unwrap();
        assert_eq!(actions["sinks"]["out"]["topic"], "name-topic_2");
        assert_eq!(actions["sinks"]["out"]["encoding"], "JSON");
        assert_eq!(actions["null_values"], "DROP");
        assert_eq!(
            said(&job("topic_3", "topic_2", "[]"), &[]),
            Err(Reason::SourceMissing)
        );
        assert_eq!(
            said(&job("topic_1", "topic_3", "[]"), &[]),
            Err(Reason::SourceMissing)
        );
        let mut native = job("topic_1", "topic_2", "[]");
        native.cluster_id = "cluster_native".to_owned();
        assert_eq!(said(&native, &[]), Err(Reason::Unsupported));
        native.action = None;
        assert_eq!(said(&native, &[]), Err(Reason::Unsupported));
    }

    #[test]
    fn a_job_runs_in_a_pool_of_its_own_tenant() {
        let mut admitted = admitted();
        admitted.clusters[0].tenant_id = "tenant_1".to_owned();
        admitted.compute_pools = ["tenant_1", "tenant_2"]
            .map(|tenant| ComputePool {
                id: format!("compute_pool_of_{tenant}"),
                tenant_id: tenant.to_owned(),
                ..ComputePool::default()
            })
            .into();
        let mut job = job("topic_1", "topic_2", r#"[{"filter":{"where":"true"}}]"#);
        let mut said = |pool: &str| {
            job.compute_pool_id = pool.to_owned();
            let place = Place {
                admitted: &admitted,
                hosts: &[],
            };
            program(&job, &place).map(|_made| ()).map_err(|it| it.reason)
        };
        assert_eq!(said("compute_pool_of_tenant_1"), Ok(()));
        assert_eq!(said("compute_pool_of_tenant_2"), Err(Reason::Unauthorized));
    }

    #[test]
    fn what_cannot_run_is_refused_before_a_worker_starts() {
        for steps in ["", "{", r#"[{"filter":{"where":"1 +"}}]"#, r#"[{"explode":{}}]"#] {
            assert_eq!(
                said(&job("topic_1", "topic_2", steps), &[]),
                Err(Reason::ProgramRefused),
                "{steps}"
            );
        }
    }

    #[test]
    fn whom_a_job_calls_is_the_customers_to_say() {
        let steps = r#"[{"call":{"url":"https://models.internal/score","set":{"score":"response.score"}}}]"#;
        let job = job("topic_1", "topic_2", steps);
        assert_eq!(said(&job, &[]), Err(Reason::PolicyRefused));
        assert_eq!(
            said(&job, &["models.internal:8443".to_owned()]),
            Err(Reason::PolicyRefused)
        );
        assert!(said(&job, &["*.internal:443".to_owned()]).is_ok());
    }

    #[test]
    fn schemas_come_with_what_they_refer_to_and_no_others() {
        let mut admitted = admitted();
        let schema = |id: &str, refers: &[&str]| Schema {
            id: id.to_owned(),
            references: refers
                .iter()
                .map(|it| SchemaReference {
                    name: (*it).to_owned(),
                    id: (*it).to_owned(),
                })
                .collect(),
            ..Schema::default()
        };
        admitted.schemas = vec![schema("a", &["b"]), schema("b", &["a"]), schema("c", &[])];
        admitted.topics[0].contract = Some(TopicContract {
            value: Some(PartContract {
                schema_ids: vec!["a".to_owned()],
                ..PartContract::default()
            }),
            ..TopicContract::default()
        });
        assert_eq!(schemas(admitted.topics.iter(), &admitted).len(), 2);
    }

    #[test]
    fn a_value_leaves_room_for_its_record() {
        let mut topic = Topic::default();
        assert_eq!(value_bytes_max(&topic), RECORD_BYTES_DEFAULT - RECORD_BYTES_SPARE);
        topic.configs.push(Config {
            name: RECORD_BYTES_CONFIG.to_owned(),
            value: "1000".to_owned(),
        });
        assert_eq!(value_bytes_max(&topic), 500);
    }
}
