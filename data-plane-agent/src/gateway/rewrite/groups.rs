//! Groups: found, kept alive, described and listed under their logical ids.

use kafka_protocol::messages::describe_groups_response::DescribedGroup;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{
    DescribeGroupsRequest, DescribeGroupsResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    HeartbeatRequest, HeartbeatResponse, LeaveGroupRequest, LeaveGroupResponse, ListGroupsRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::{Call, Operation, Plan, Refusal, Tenant, code, subscription};

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
/// From this version on a request has several keys.
const MANY_KEYS: i16 = 4;

/// The broker's key, or why there is none.
fn coordinator_key(tenant: &Tenant, key_type: i8, key: &str) -> Result<StrBytes, i16> {
    let refusal = match key_type {
        GROUP => code::GROUP_AUTHORIZATION_FAILED,
        TRANSACTION => code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        // Share groups are not offered.
        _other => return Err(code::INVALID_REQUEST),
    };
    if tenant.may_coordinate(Operation::Describe, key) {
        Ok(tenant.cluster.id_out(key))
    } else {
        Err(refusal)
    }
}

pub(super) fn find_coordinator(call: Call<'_>, mut request: FindCoordinatorRequest) -> Result<Plan, Refusal> {
    if call.header.version < MANY_KEYS {
        match coordinator_key(call.tenant, request.key_type, &request.key) {
            Ok(key) => request.key = key,
            Err(code) => {
                let response = FindCoordinatorResponse::default()
                    .with_error_code(code)
                    .with_node_id((-1).into())
                    .with_port(-1);
                return call.answer::<FindCoordinatorRequest>(&response);
            }
        }
        return call.forward(&request, |tenant, _memory, response| {
            (response.host, response.port) = tenant.front.address(*response.node_id);
            tenant.text_in(&mut response.error_message);
        });
    }
    let mut refused = Vec::new();
    let key_type = request.key_type;
    request
        .coordinator_keys
        .retain_mut(|key| match coordinator_key(call.tenant, key_type, key) {
            Ok(physical) => {
                *key = physical;
                true
            }
            Err(code) => {
                refused.push(
                    Coordinator::default()
                        .with_key(key.clone())
                        .with_error_code(code)
                        .with_node_id((-1).into())
                        .with_port(-1),
                );
                false
            }
        });
    if request.coordinator_keys.is_empty() {
        let response = FindCoordinatorResponse::default().with_coordinators(refused);
        return call.answer::<FindCoordinatorRequest>(&response);
    }
    call.forward(&request, move |tenant, _memory, response| {
        response.coordinators.retain_mut(|it| {
            let Some(key) = tenant.cluster.id_in(&it.key) else {
                return false;
            };
            it.key = key;
            (it.host, it.port) = tenant.front.address(*it.node_id);
            tenant.text_in(&mut it.error_message);
            true
        });
        response.coordinators.append(&mut refused);
    })
}

pub(super) fn heartbeat(call: Call<'_>, mut request: HeartbeatRequest) -> Result<Plan, Refusal> {
    if !call.tenant.may_coordinate(Operation::Read, &request.group_id) {
        let response = HeartbeatResponse::default().with_error_code(code::GROUP_AUTHORIZATION_FAILED);
        return call.answer::<HeartbeatRequest>(&response);
    }
    request.group_id = call.tenant.cluster.id_out(&request.group_id).into();
    call.forward(&request, |_tenant, _memory, _response| {})
}

pub(super) fn leave(call: Call<'_>, mut request: LeaveGroupRequest) -> Result<Plan, Refusal> {
    if !call.tenant.may_coordinate(Operation::Read, &request.group_id) {
        let response = LeaveGroupResponse::default().with_error_code(code::GROUP_AUTHORIZATION_FAILED);
        return call.answer::<LeaveGroupRequest>(&response);
    }
    request.group_id = call.tenant.cluster.id_out(&request.group_id).into();
    call.forward(&request, |_tenant, _memory, _response| {})
}

pub(super) fn describe(call: Call<'_>, mut request: DescribeGroupsRequest) -> Result<Plan, Refusal> {
    let mut refused = Vec::new();
    request.groups.retain_mut(|group| {
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
    if request.groups.is_empty() {
        let response = DescribeGroupsResponse::default().with_groups(refused);
        return call.answer::<DescribeGroupsRequest>(&response);
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
    for member in &mut group.members {
        member.client_host = tenant.member_host();
    }
    if group.protocol_type.as_str() == subscription::CONSUMER {
        for member in &mut group.members {
            member.member_metadata = subscription::metadata_in(tenant, &member.member_metadata);
            member.member_assignment = subscription::assignment_in(tenant, &member.member_assignment);
        }
    }
    if group.authorized_operations != i32::MIN {
        group.authorized_operations = group_operations();
    }
    true
}

/// Kafka's bit field: read and describe.
pub(super) fn group_operations() -> i32 {
    1 << 3 | 1 << 8
}

pub(super) fn list(call: Call<'_>, request: &ListGroupsRequest) -> Result<Plan, Refusal> {
    call.forward(request, |tenant, _memory, response| {
        response.groups.retain_mut(|group| {
            let logical = tenant.cluster.id_in(&group.group_id);
            match logical.filter(|it| tenant.may_coordinate(Operation::Describe, it)) {
                Some(logical) => {
                    group.group_id = logical.into();
                    true
                }
                None => false,
            }
        });
    })
}
