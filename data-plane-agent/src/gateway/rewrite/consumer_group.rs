//! Consumer groups of KIP-848: the broker assigns, so it must know what is subscribed.
//!
//! The broker is only told names of topics that exist here and that the principal may see: it would match a pattern
//! against everybody's topics, and would assign a topic whose id is not in the snapshot yet. So the gateway remembers
//! what a member asked for, resolves it at every heartbeat, and tells the broker when the outcome changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kafka_protocol::messages::consumer_group_describe_response::{Assignment, DescribedGroup};
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use regex::{Regex, RegexBuilder};

use super::{Call, Operation, Plan, Refusal, Tenant, code, groups};

/// Members remembered over all tenants.
const MEMBERS: usize = 100_000;
/// A member that was silent for so long is gone: brokers allow 45 seconds by default.
const SILENCE: Duration = Duration::from_secs(600);
/// Bytes of a compiled pattern.
const PATTERN_BYTES: usize = 256 * 1024;

/// (cluster, group, member).
type MemberKey = (String, String, String);

/// What members asked for.
#[derive(Debug, Default)]
pub struct Members(Mutex<HashMap<MemberKey, Member>>);

#[derive(Debug)]
struct Member {
    names: Vec<TopicName>,
    pattern: Option<Regex>,
    /// What the broker was told.
    told: Option<BTreeSet<String>>,
    heard: Instant,
}

fn topic_names(names: &BTreeSet<String>) -> Vec<TopicName> {
    let names = names.iter();
    names.map(|it| StrBytes::from_string(it.clone()).into()).collect()
}

impl Member {
    fn new(names: Vec<TopicName>) -> Self {
        Self {
            names,
            pattern: None,
            told: None,
            heard: Instant::now(),
        }
    }

    /// The broker's names of what the member asked for and may have.
    fn resolve(&self, tenant: &Tenant) -> BTreeSet<String> {
        tenant
            .cluster
            .topics()
            .iter()
            .filter(|it| !it.physical_id.is_nil() && tenant.sees(it))
            .filter(|it| {
                self.names.iter().any(|name| **name == it.name)
                    || self
                        .pattern
                        .as_ref()
                        .is_some_and(|pattern| pattern.is_match(&it.name))
            })
            .map(|it| it.physical_name.to_string())
            .collect()
    }
}

/// The whole name must match, as in Kafka.
fn compile(pattern: &str) -> Result<Option<Regex>, i16> {
    if pattern.is_empty() {
        return Ok(None);
    }
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(PATTERN_BYTES)
        .build()
        .map(Some)
        .map_err(|_invalid| code::INVALID_REGULAR_EXPRESSION)
}

impl Members {
    /// Takes in what a heartbeat says of its subscription; returns what the broker must be told, if anything.
    fn subscribe(
        &self,
        tenant: &Tenant,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> Result<Option<Vec<TopicName>>, i16> {
        let pattern = request
            .subscribed_topic_regex
            .as_ref()
            .map(|it| compile(it))
            .transpose()?;
        let names = request.subscribed_topic_names.clone();
        let said = pattern.is_some() || names.is_some();
        let key = (
            tenant.cluster.id.to_string(),
            request.group_id.to_string(),
            request.member_id.to_string(),
        );
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if request.member_epoch < 0 {
            members.remove(&key);
            return Ok(None);
        }
        if request.member_id.is_empty() {
            // Version 0 joins without a name of its own: nothing to remember it by yet.
            let member = Member::new(names.unwrap_or_default());
            return Ok(Some(topic_names(&member.resolve(tenant))));
        }
        if members.len() >= MEMBERS {
            members.retain(|_key, it| it.heard.elapsed() < SILENCE);
        }
        if !said && !members.contains_key(&key) {
            // It subscribed through another gateway, or before this one started: the broker knows what it was told.
            return Ok(None);
        }
        let member = members.entry(key).or_insert_with(|| Member::new(Vec::new()));
        member.heard = Instant::now();
        if let Some(pattern) = pattern {
            member.pattern = pattern;
        }
        if let Some(names) = names {
            member.names = names;
        }
        let resolved = member.resolve(tenant);
        if !said && member.told.as_ref() == Some(&resolved) {
            return Ok(None);
        }
        let names = topic_names(&resolved);
        member.told = Some(resolved);
        Ok(Some(names))
    }
}

pub(super) fn heartbeat(call: Call<'_>, mut request: ConsumerGroupHeartbeatRequest) -> Result<Plan, Refusal> {
    let tenant = call.tenant;
    let refuse = |code| {
        let response = ConsumerGroupHeartbeatResponse::default().with_error_code(code);
        call.answer::<ConsumerGroupHeartbeatRequest>(&response)
    };
    if !tenant.may_coordinate(Operation::Read, &request.group_id) {
        return refuse(code::GROUP_AUTHORIZATION_FAILED);
    }
    let mut names = request.subscribed_topic_names.iter().flatten();
    if !names.all(|name| tenant.access.may(Operation::Describe, name)) {
        return refuse(code::TOPIC_AUTHORIZATION_FAILED);
    }
    match tenant.members.subscribe(tenant, &request) {
        Ok(names) => request.subscribed_topic_names = names,
        Err(code) => return refuse(code),
    }
    request.subscribed_topic_regex = None;
    request.group_id = tenant.cluster.id_out(&request.group_id).into();
    if let Some(owned) = &mut request.topic_partitions {
        owned.retain_mut(|it| match tenant.cluster.by_virtual_id(it.topic_id) {
            Some(topic) if !topic.physical_id.is_nil() => {
                it.topic_id = topic.physical_id;
                true
            }
            _gone => false,
        });
    }
    call.forward(&request, |tenant, _memory, response| {
        tenant.text_in(&mut response.error_message);
        if let Some(assignment) = &mut response.assignment {
            assignment
                .topic_partitions
                .retain_mut(|it| match tenant.shown_by_id(it.topic_id) {
                    Some(topic) => {
                        it.topic_id = topic.virtual_id;
                        true
                    }
                    None => false,
                });
        }
    })
}

pub(super) fn describe(call: Call<'_>, mut request: ConsumerGroupDescribeRequest) -> Result<Plan, Refusal> {
    let mut refused = Vec::new();
    request.group_ids.retain_mut(|group| {
        let allowed = call.tenant.may_coordinate(Operation::Describe, group);
        if allowed {
            *group = call.tenant.cluster.id_out(group).into();
        } else {
            refused.push(
                DescribedGroup::default()
                    .with_group_id(group.clone())
                    .with_error_code(code::GROUP_AUTHORIZATION_FAILED),
            );
        }
        allowed
    });
    if request.group_ids.is_empty() {
        let response = ConsumerGroupDescribeResponse::default().with_groups(refused);
        return call.answer::<ConsumerGroupDescribeRequest>(&response);
    }
    call.forward(&request, move |tenant, _memory, response| {
        response.groups.retain_mut(|group| group_in(tenant, group));
        response.groups.append(&mut refused);
    })
}

fn group_in(tenant: &Tenant, group: &mut DescribedGroup) -> bool {
    let Some(logical) = tenant.cluster.id_in(&group.group_id) else {
        return false;
    };
    group.group_id = logical.into();
    tenant.text_in(&mut group.error_message);
    if group.authorized_operations != i32::MIN {
        group.authorized_operations = groups::group_operations();
    }
    for member in &mut group.members {
        member
            .subscribed_topic_names
            .retain_mut(|name| match tenant.shown(name) {
                Some(topic) => {
                    *name = topic.name.clone().into();
                    true
                }
                None => false,
            });
        member.subscribed_topic_regex = None;
        member.client_host = tenant.member_host();
        assignment_in(tenant, &mut member.assignment);
        assignment_in(tenant, &mut member.target_assignment);
    }
    true
}

fn assignment_in(tenant: &Tenant, assignment: &mut Assignment) {
    assignment
        .topic_partitions
        .retain_mut(|it| match tenant.shown(&it.topic_name) {
            Some(topic) => {
                it.topic_name = topic.name.clone().into();
                it.topic_id = topic.virtual_id;
                true
            }
            None => false,
        });
}
