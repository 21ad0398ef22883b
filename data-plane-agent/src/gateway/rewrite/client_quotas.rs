//! Quotas as Kafka's tools ask for them (KIP-546). They are changed through Weir's API only.

use kafka_protocol::messages::alter_client_quotas_response as alter;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::describe_client_quotas_response::{EntityData, EntryData, ValueData};
use kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, DescribeClientQuotasRequest,
    DescribeClientQuotasResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Call, Operation, Plan, Refusal, code};
use crate::gateway::quota::ClientQuota;

const ELSEWHERE: &str = "Quotas are managed through Weir's API: POST /v1/quotas.";
const TWICE: &str = "An entity type may be asked for once.";
const NO_SUCH_TYPE: &str = "The entity types are user, client-id and ip.";

const USER: &str = "user";
/// Entities that Kafka knows and quotas of Weir never name.
const OTHERS: [&str; 2] = ["client-id", "ip"];

const EXACT: i8 = 0;
const DEFAULT: i8 = 1;

pub(super) fn describe(call: Call<'_>, request: &DescribeClientQuotasRequest) -> Result<Plan, Refusal> {
    let mut response = DescribeClientQuotasResponse::default()
        .with_error_message(None)
        .with_entries(None);
    match wrong(&request.components) {
        Some((error, message)) => {
            response.error_code = error;
            response.error_message = Some(StrBytes::from_static_str(message));
        }
        None => response.entries = Some(entries(&call, request)),
    }
    call.answer::<DescribeClientQuotasRequest>(&response)
}

/// What a broker refuses too.
fn wrong(components: &[ComponentData]) -> Option<(i16, &'static str)> {
    for (at, component) in components.iter().enumerate() {
        let name = component.entity_type.as_str();
        if name != USER && !OTHERS.contains(&name) {
            return Some((code::UNSUPPORTED_VERSION, NO_SUCH_TYPE));
        }
        if components[..at]
            .iter()
            .any(|it| it.entity_type == component.entity_type)
        {
            return Some((code::INVALID_REQUEST, TWICE));
        }
    }
    None
}

fn entries(call: &Call<'_>, request: &DescribeClientQuotasRequest) -> Vec<EntryData> {
    let tenant = call.tenant;
    // Others' quotas are an administrator's to see.
    let all = tenant.access.may_everywhere(Operation::Administer);
    let own = tenant
        .client_quotas
        .iter()
        .any(|it| it.user.as_deref() == Some(&*tenant.payer.principal));
    tenant
        .client_quotas
        .iter()
        .filter(|it| match it.user.as_deref() {
            Some(user) => all || user == &*tenant.payer.principal,
            None => all || !own,
        })
        .filter(|it| asked_for(request, it))
        .map(entry)
        .collect()
}

/// Every entity here is a user and nothing else, so strictness changes nothing but what no component asks for.
fn asked_for(request: &DescribeClientQuotasRequest, quota: &ClientQuota) -> bool {
    if request.components.is_empty() {
        return !request.strict;
    }
    request.components.iter().all(|component| {
        component.entity_type.as_str() == USER
            && match component.match_type {
                EXACT => quota.user.as_deref() == component._match.as_deref() && quota.user.is_some(),
                DEFAULT => quota.user.is_none(),
                _any => true,
            }
    })
}

fn entry(quota: &ClientQuota) -> EntryData {
    let user = quota
        .user
        .as_ref()
        .map(|it| StrBytes::from_string(it.to_string()));
    let entity = EntityData::default()
        .with_entity_type(StrBytes::from_static_str(USER))
        .with_entity_name(user);
    let values = quota.values.iter().map(|(name, value)| {
        ValueData::default()
            .with_key(StrBytes::from_static_str(name))
            .with_value(*value)
    });
    EntryData::default()
        .with_entity(vec![entity])
        .with_values(values.collect())
}

pub(super) fn alter(call: Call<'_>, request: AlterClientQuotasRequest) -> Result<Plan, Refusal> {
    let entries = request.entries.into_iter().map(|entry| {
        let entity = entry.entity.into_iter().map(|it| {
            alter::EntityData::default()
                .with_entity_type(it.entity_type)
                .with_entity_name(it.entity_name)
        });
        alter::EntryData::default()
            .with_error_code(code::POLICY_VIOLATION)
            .with_error_message(Some(StrBytes::from_static_str(ELSEWHERE)))
            .with_entity(entity.collect())
    });
    let response = AlterClientQuotasResponse::default().with_entries(entries.collect());
    call.answer::<AlterClientQuotasRequest>(&response)
}
