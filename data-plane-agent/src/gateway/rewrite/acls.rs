//! ACLs as Kafka's tools show them: what the roles of the snapshot mean. They are changed through Weir's API only.

use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::describe_acls_response::{AclDescription, DescribeAclsResource};
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest,
    DescribeAclsResponse,
};
use kafka_protocol::protocol::StrBytes;
use weir_proto::agent::v1::{AccessRole, Grant};

use super::{Call, Operation, Plan, Refusal, code};

const ELSEWHERE: &str =
    "Roles are managed through Weir's API: POST /v1/role-bindings gives a service account a role on topics.";

/// "Any", in Kafka's filters of types, patterns, operations and permissions.
const ANY: i8 = 1;
const MATCH: i8 = 2;
const LITERAL: i8 = 3;
const PREFIXED: i8 = 4;
const ALLOW: i8 = 3;
const EVERY_HOST: &str = "*";
const EVERY_NAME: &str = "*";

const TOPIC: i8 = 2;
const GROUP: i8 = 3;
const TRANSACTIONAL_ID: i8 = 5;

/// Kafka's operations on ACLs.
mod operation {
    pub(super) const READ: i8 = 3;
    pub(super) const WRITE: i8 = 4;
    pub(super) const CREATE: i8 = 5;
    pub(super) const DELETE: i8 = 6;
    pub(super) const ALTER: i8 = 7;
    pub(super) const DESCRIBE: i8 = 8;
    pub(super) const DESCRIBE_CONFIGS: i8 = 10;
    pub(super) const ALTER_CONFIGS: i8 = 11;
}

/// What a role adds to the role below it: resource types and operations. The gateway's checks are `view/access.rs`.
const ADDED: [(AccessRole, &[(i8, i8)]); 3] = [
    (
        AccessRole::Reader,
        &[
            (TOPIC, operation::READ),
            (TOPIC, operation::DESCRIBE),
            (TOPIC, operation::DESCRIBE_CONFIGS),
            (GROUP, operation::READ),
            (GROUP, operation::DESCRIBE),
            (TRANSACTIONAL_ID, operation::DESCRIBE),
        ],
    ),
    (
        AccessRole::Developer,
        &[
            (TOPIC, operation::WRITE),
            (GROUP, operation::DELETE),
            (TRANSACTIONAL_ID, operation::WRITE),
        ],
    ),
    (
        AccessRole::Admin,
        &[
            (TOPIC, operation::CREATE),
            (TOPIC, operation::DELETE),
            (TOPIC, operation::ALTER),
            (TOPIC, operation::ALTER_CONFIGS),
        ],
    ),
];

/// A grant's pattern as Kafka names it.
fn pattern(grant: &Grant) -> (i8, &str) {
    match grant.pattern.strip_suffix('*') {
        Some("") => (LITERAL, EVERY_NAME),
        Some(prefix) => (PREFIXED, prefix),
        None => (LITERAL, &grant.pattern),
    }
}

fn wanted(filter: i8, value: i8) -> bool {
    filter == ANY || filter == value
}

/// Does the filter's name and pattern type fit this pattern?
fn fits(request: &DescribeAclsRequest, pattern_type: i8, name: &str) -> bool {
    let asked = request.resource_name_filter.as_deref();
    match request.pattern_type_filter {
        MATCH => asked.is_none_or(|asked| match pattern_type {
            PREFIXED => asked.starts_with(name),
            _literal => asked == name || name == EVERY_NAME,
        }),
        filter => wanted(filter, pattern_type) && asked.is_none_or(|asked| asked == name),
    }
}

pub(super) fn describe(call: Call<'_>, request: &DescribeAclsRequest) -> Result<Plan, Refusal> {
    let tenant = call.tenant;
    // Others' roles are an administrator's to see.
    let all = tenant.access.may_everywhere(Operation::Administer);
    let mut resources: Vec<DescribeAclsResource> = Vec::new();
    let seen = tenant
        .grants
        .iter()
        .filter(|it| all || it.principal_id == *tenant.payer.principal);
    for grant in seen {
        let principal = format!("User:{}", grant.principal_id);
        let host_fits = request.host_filter.as_deref().is_none_or(|it| it == EVERY_HOST);
        let principal_fits = request
            .principal_filter
            .as_deref()
            .is_none_or(|it| it == principal);
        if host_fits && principal_fits && wanted(request.permission_type, ALLOW) {
            add(&mut resources, request, grant, &principal);
        }
    }
    let response = DescribeAclsResponse::default()
        .with_error_message(None)
        .with_resources(resources);
    call.answer::<DescribeAclsRequest>(&response)
}

/// Adds what a grant means and the filter asks for.
fn add(
    resources: &mut Vec<DescribeAclsResource>,
    request: &DescribeAclsRequest,
    grant: &Grant,
    principal: &str,
) {
    let (pattern_type, name) = pattern(grant);
    if !fits(request, pattern_type, name) {
        return;
    }
    let held = ADDED
        .iter()
        .filter(|(role, _added)| *role as i32 <= grant.role)
        .flat_map(|(_role, added)| added.iter());
    for (resource_type, operation) in held {
        if !wanted(request.resource_type_filter, *resource_type) || !wanted(request.operation, *operation) {
            continue;
        }
        let acl = AclDescription::default()
            .with_principal(StrBytes::from_string(principal.to_owned()))
            .with_host(StrBytes::from_static_str(EVERY_HOST))
            .with_operation(*operation)
            .with_permission_type(ALLOW);
        let same = |it: &&mut DescribeAclsResource| {
            (it.resource_type, it.pattern_type) == (*resource_type, pattern_type)
                && it.resource_name.as_str() == name
        };
        match resources.iter_mut().find(same) {
            Some(resource) if resource.acls.contains(&acl) => {}
            Some(resource) => resource.acls.push(acl),
            None => resources.push(
                DescribeAclsResource::default()
                    .with_resource_type(*resource_type)
                    .with_resource_name(StrBytes::from_string(name.to_owned()))
                    .with_pattern_type(pattern_type)
                    .with_acls(vec![acl]),
            ),
        }
    }
}

pub(super) fn create(call: Call<'_>, request: &CreateAclsRequest) -> Result<Plan, Refusal> {
    let refused = AclCreationResult::default()
        .with_error_code(code::POLICY_VIOLATION)
        .with_error_message(Some(StrBytes::from_static_str(ELSEWHERE)));
    let response = CreateAclsResponse::default().with_results(vec![refused; request.creations.len()]);
    call.answer::<CreateAclsRequest>(&response)
}

pub(super) fn delete(call: Call<'_>, request: &DeleteAclsRequest) -> Result<Plan, Refusal> {
    let refused = DeleteAclsFilterResult::default()
        .with_error_code(code::POLICY_VIOLATION)
        .with_error_message(Some(StrBytes::from_static_str(ELSEWHERE)));
    let response = DeleteAclsResponse::default().with_filter_results(vec![refused; request.filters.len()]);
    call.answer::<DeleteAclsRequest>(&response)
}
