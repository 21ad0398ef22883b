//! What an attached Kafka holds: topics by name, page by page, with their settings as enumerated keys; rules as counts.

use std::collections::BTreeMap;

use weir_proto::agent::v1::{
    AnswerCode, ConfigOperation, DiscoveredTopic, DiscoveryAnswer, DiscoveryQuestion, TopicConfig,
};
use weir_proto::topic_config;

use super::groups::is_tellable;
use super::{Desk, code};
use crate::names::is_prefixed;
use crate::platform::discovery::FoundTopic;
use crate::policy::Kind;

/// Topics of one answer.
const TOPICS_MAX: usize = 500;

pub(super) async fn discover(
    desk: &Desk<'_>,
    question: &DiscoveryQuestion,
) -> Result<DiscoveryAnswer, AnswerCode> {
    let at = desk
        .directory
        .attached
        .get(&question.broker_pool_id)
        .ok_or(AnswerCode::NotFound)?;
    let kafka = desk.platform.kafka.as_ref();
    let (mut own, mut withheld) = (BTreeMap::new(), 0_u32);
    for (name, internal) in kafka.topic_names(at).await.map_err(code)? {
        // What Weir made there belongs to other clusters.
        if is_prefixed(&name) {
            continue;
        }
        if is_tellable(&name) && desk.policy.allows(Kind::TopicDiscover, &name) {
            own.insert(name, internal);
        } else {
            withheld = withheld.saturating_add(1);
        }
    }
    let limit = usize::try_from(question.limit)
        .unwrap_or(TOPICS_MAX)
        .clamp(1, TOPICS_MAX);
    let wanted = |name: &&String| {
        (**name > question.after) && (question.names.is_empty() || question.names.contains(name))
    };
    let mut after = own.keys().filter(wanted).peekable();
    let page: Vec<String> = after.by_ref().take(limit).cloned().collect();
    let more = after.peek().is_some();
    let topics = kafka.find_topics(at, &page).await.map_err(code)?;
    let acls = kafka.acls(at).await.map_err(code)?;
    Ok(DiscoveryAnswer {
        topics: topics.into_iter().map(told).collect(),
        more,
        withheld,
        brokers: u32::try_from(at.brokers.len()).unwrap_or(u32::MAX),
        acls_known: acls.is_some(),
        acl_bindings: acls.unwrap_or_default().bindings,
        acl_principals: acls.unwrap_or_default().principals,
    })
}

fn told(topic: FoundTopic) -> DiscoveredTopic {
    let FoundTopic {
        name,
        partitions,
        replication_factor,
        internal,
        settings,
    } = topic;
    let mut configs = Vec::new();
    let mut other_settings = 0_u32;
    for (key, (value, own)) in &settings {
        match topic_config::from_text(key, ConfigOperation::Set, Some(value)) {
            Ok(config) => configs.push(TopicConfig {
                // Set on the topic itself, or only by the brokers.
                operation: if *own {
                    ConfigOperation::Set
                } else {
                    ConfigOperation::Reset
                }
                .into(),
                ..config
            }),
            Err(_untold) if *own => other_settings = other_settings.saturating_add(1),
            Err(_untold) => {}
        }
    }
    DiscoveredTopic {
        name,
        partitions,
        replication_factor,
        internal,
        configs,
        other_settings,
    }
}
