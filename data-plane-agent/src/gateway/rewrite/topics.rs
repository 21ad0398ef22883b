//! Topics are created, grown and deleted by wish: the control plane decides, and answers when every gateway obeys.

use std::collections::HashMap;
use std::hash::Hash;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;
use weir_proto::agent::v1::{ConfigOperation, IntentKind};

use super::alter::setting;
use super::wish::{Refused, Verdict, Wish, pause_ms, wait_ms};
use super::{Call, Memory, Operation, Plan, Refusal, Tenant, code};
use crate::gateway::view::uuid_of_type_id;

/// The default, in Kafka's requests.
const DEFAULT: i32 = -1;
/// A setting of the topic itself, in Kafka's answers.
const OF_THE_TOPIC: i8 = 1;
const NAME_LENGTH_MAX: usize = 200;
/// What a topic has that was created without saying how many: the control plane's default.
const PARTITIONS_DEFAULT: u64 = 6;
/// From this version on topics are named in structures, and by id too.
const DELETE_BY_ID: i16 = 6;

fn refused<T>(code: i16, text: impl Into<String>) -> Result<T, Refused> {
    Err((code, text.into()))
}

/// A sentence for the codes with which a topic is not found.
pub(super) fn with_text(code: i16) -> Refused {
    let text = match code {
        code::TOPIC_AUTHORIZATION_FAILED => "This needs the role of an administrator on the topic.",
        code::UNKNOWN_TOPIC_ID => "There is no topic of this id.",
        _unknown => "There is no such topic.",
    };
    (code, text.to_owned())
}

/// How often each name stands in a request.
fn counts<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    keys.fold(HashMap::new(), |mut counts, key| {
        *counts.entry(key).or_default() += 1;
        counts
    })
}

/// What a request names twice is done by neither.
fn once<K: Eq + Hash>(counts: &HashMap<K, usize>, key: &K) -> Result<(), Refused> {
    if counts.get(key).is_none_or(|it| *it == 1) {
        return Ok(());
    }
    refused(
        code::INVALID_REQUEST,
        "The request names the topic more than once.",
    )
}

/// A name leaves the network as a name only if it is one.
fn check_name(name: &str) -> Result<(), Refused> {
    let legal = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-');
    if (1..=NAME_LENGTH_MAX).contains(&name.len()) && name.bytes().all(legal) {
        return Ok(());
    }
    refused(
        code::INVALID_TOPIC_EXCEPTION,
        "A topic's name has 1 to 200 characters of A-Z a-z 0-9 . _ -.",
    )
}

pub(super) fn create(
    call: Call<'_>,
    memory: &mut Memory,
    request: CreateTopicsRequest,
) -> Result<Plan, Refusal> {
    let counts = counts(request.topics.iter().map(|it| it.name.clone()));
    let wait = wait_ms(request.timeout_ms);
    let items = request.topics.into_iter().map(|topic| {
        let wish = once(&counts, &topic.name)
            .and_then(|()| creation(call, &topic, wait))
            .and_then(|wish| {
                let partitions = match wish.partitions {
                    0 => PARTITIONS_DEFAULT,
                    count => u64::from(count),
                };
                let made = if request.validate_only { 0 } else { partitions };
                call.mutate(memory, made)?;
                Ok(Wish {
                    validate_only: request.validate_only,
                    ..wish
                })
            });
        (topic.name, wish)
    });
    call.wishes::<CreateTopicsRequest, _, _>(items.collect(), |judged| {
        let pause = pause_ms(&judged);
        let topics: Vec<_> = judged.into_iter().map(created).collect();
        CreateTopicsResponse::default()
            .with_throttle_time_ms(pause)
            .with_topics(topics)
    })
}

fn creation(call: Call<'_>, topic: &CreatableTopic, wait: u32) -> Result<Wish, Refused> {
    check_name(&topic.name)?;
    if !call.tenant.access.may(Operation::Administer, &topic.name) {
        return Err(with_text(code::TOPIC_AUTHORIZATION_FAILED));
    }
    if !topic.assignments.is_empty() {
        let text = "Replicas are placed by Weir: ask for a number of partitions instead.";
        return refused(code::INVALID_REPLICA_ASSIGNMENT, text);
    }
    let partitions = match topic.num_partitions {
        DEFAULT => 0,
        count if count > 0 => count.unsigned_abs(),
        _none => return refused(code::INVALID_PARTITIONS, "A topic has at least one partition."),
    };
    let replication_factor = match topic.replication_factor {
        -1 => 0,
        count if count > 0 => u32::from(count.unsigned_abs()),
        _none => {
            let text = "The replication factor is -1, or that of the broker pool.";
            return refused(code::INVALID_REPLICATION_FACTOR, text);
        }
    };
    let configs = topic
        .configs
        .iter()
        .map(|it| setting(&it.name, ConfigOperation::Set, it.value.as_deref()));
    Ok(Wish {
        partitions,
        replication_factor,
        configs: configs.collect::<Result<_, _>>()?,
        ..call.wish(IntentKind::CreateTopic, &topic.name, wait)
    })
}

fn created((name, verdict): (TopicName, Verdict)) -> CreatableTopicResult {
    let answer = CreatableTopicResult::default()
        .with_name(name)
        .with_error_code(verdict.code)
        .with_error_message(verdict.text.clone());
    if !verdict.done() {
        return answer
            .with_num_partitions(DEFAULT)
            .with_replication_factor(-1)
            .with_configs(None);
    }
    let result = verdict.result;
    let configs = result.configs.into_iter().map(|it| {
        CreatableTopicConfigs::default()
            .with_name(StrBytes::from_string(it.name))
            .with_value(Some(StrBytes::from_string(it.value)))
            .with_config_source(OF_THE_TOPIC)
    });
    answer
        .with_topic_id(uuid_of_type_id(&result.topic_id).unwrap_or_default())
        .with_num_partitions(i32::try_from(result.partitions).unwrap_or(DEFAULT))
        .with_replication_factor(i16::try_from(result.replication_factor).unwrap_or(-1))
        .with_configs(Some(configs.collect()))
}

pub(super) fn create_partitions(
    call: Call<'_>,
    memory: &mut Memory,
    request: CreatePartitionsRequest,
) -> Result<Plan, Refusal> {
    let counts = counts(request.topics.iter().map(|it| it.name.clone()));
    let wait = wait_ms(request.timeout_ms);
    let items = request.topics.into_iter().map(|topic| {
        let wish = once(&counts, &topic.name)
            .and_then(|()| growth(call, &topic, wait))
            .and_then(|(wish, more)| {
                let made = if request.validate_only { 0 } else { more };
                call.mutate(memory, made)?;
                Ok(Wish {
                    validate_only: request.validate_only,
                    ..wish
                })
            });
        (topic.name, wish)
    });
    call.wishes::<CreatePartitionsRequest, _, _>(items.collect(), |judged| {
        let pause = pause_ms(&judged);
        let results: Vec<_> = judged
            .into_iter()
            .map(|(name, verdict)| {
                CreatePartitionsTopicResult::default()
                    .with_name(name)
                    .with_error_code(verdict.code)
                    .with_error_message(verdict.text)
            })
            .collect();
        CreatePartitionsResponse::default()
            .with_throttle_time_ms(pause)
            .with_results(results)
    })
}

/// The wish, and how many partitions it adds.
fn growth(call: Call<'_>, topic: &CreatePartitionsTopic, wait: u32) -> Result<(Wish, u64), Refused> {
    let found = call
        .tenant
        .topic(Operation::Administer, &topic.name)
        .map_err(with_text)?;
    if topic.assignments.is_some() {
        let text = "Replicas are placed by Weir: ask for a number of partitions instead.";
        return refused(code::INVALID_REPLICA_ASSIGNMENT, text);
    }
    if topic.count < 1 {
        return refused(code::INVALID_PARTITIONS, "A topic has at least one partition.");
    }
    let more = topic.count.unsigned_abs().saturating_sub(found.partitions);
    let wish = Wish {
        partitions: topic.count.unsigned_abs(),
        topic_id: found.id.to_string(),
        ..call.wish(IntentKind::CreatePartitions, &topic.name, wait)
    };
    Ok((wish, u64::from(more)))
}

/// A topic that is to go, as its client named it and as it is answered.
struct Doomed {
    name: Option<TopicName>,
    id: Uuid,
}

pub(super) fn delete(
    call: Call<'_>,
    memory: &mut Memory,
    mut request: DeleteTopicsRequest,
) -> Result<Plan, Refusal> {
    let by_name = |name| DeleteTopicState::default().with_name(Some(name));
    let asked = if call.header.version >= DELETE_BY_ID {
        std::mem::take(&mut request.topics)
    } else {
        request.topic_names.drain(..).map(by_name).collect()
    };
    let wait = wait_ms(request.timeout_ms);
    let counts = counts(asked.iter().map(|it| (it.name.clone(), it.topic_id)));
    let items = asked.into_iter().map(|it| {
        let named_once = once(&counts, &(it.name.clone(), it.topic_id));
        let (doomed, wish) = deletion(call, it, wait);
        let wish = named_once.and(wish).and_then(|wish| {
            let gone = call.tenant.cluster.by_virtual_id(doomed.id);
            let partitions = gone.map_or(1, |it| u64::from(it.partitions.max(1)));
            call.mutate(memory, partitions).map(|()| wish)
        });
        (doomed, wish)
    });
    call.wishes::<DeleteTopicsRequest, _, _>(items.collect(), |judged| {
        let pause = pause_ms(&judged);
        let responses: Vec<_> = judged
            .into_iter()
            .map(|(doomed, verdict)| {
                DeletableTopicResult::default()
                    .with_name(doomed.name)
                    .with_topic_id(doomed.id)
                    .with_error_code(verdict.code)
                    .with_error_message(verdict.text)
            })
            .collect();
        DeleteTopicsResponse::default()
            .with_throttle_time_ms(pause)
            .with_responses(responses)
    })
}

fn deletion(call: Call<'_>, asked: DeleteTopicState, wait: u32) -> (Doomed, Result<Wish, Refused>) {
    let found = match &asked.name {
        Some(_name) if !asked.topic_id.is_nil() => {
            let doomed = Doomed {
                name: asked.name,
                id: asked.topic_id,
            };
            let text = "A topic is named by its name or by its id, not by both.";
            return (doomed, refused(code::INVALID_REQUEST, text));
        }
        Some(name) => call.tenant.topic(Operation::Administer, name),
        None => call.tenant.topic_by_id(Operation::Administer, asked.topic_id),
    };
    match found {
        Ok(topic) => {
            let doomed = Doomed {
                name: Some(topic.name.clone().into()),
                id: topic.virtual_id,
            };
            let wish = Wish {
                topic_id: topic.id.to_string(),
                ..call.wish(IntentKind::DeleteTopic, &topic.name, wait)
            };
            (doomed, Ok(wish))
        }
        Err(code) => {
            let doomed = Doomed {
                name: shown(call.tenant, asked.name, asked.topic_id),
                id: asked.topic_id,
            };
            (doomed, Err(with_text(code)))
        }
    }
}

/// The name in a refusal: the client's own, or that of an id whose topic it may at least see.
fn shown(tenant: &Tenant, name: Option<TopicName>, id: Uuid) -> Option<TopicName> {
    name.or_else(|| {
        let topic = tenant.topic_by_id(Operation::Describe, id).ok()?;
        Some(topic.name.clone().into())
    })
}
