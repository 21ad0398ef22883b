//! Configurations: of topics. Brokers are everybody's, and groups have none of their own: tools that ask read an empty set.

use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

use super::{Call, Operation, Plan, Refusal, code};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const GROUP: i8 = 32;

pub(super) fn describe(call: Call<'_>, mut request: DescribeConfigsRequest) -> Result<Plan, Refusal> {
    let mut refused = Vec::new();
    request.resources.retain_mut(|resource| {
        let found = match resource.resource_type {
            TOPIC => call.tenant.topic(Operation::Describe, &resource.resource_name),
            // Nothing of them is told, and nothing is refused: tools go on.
            BROKER => Err(code::NONE),
            GROUP
                if call
                    .tenant
                    .access
                    .may(Operation::Describe, &resource.resource_name) =>
            {
                Err(code::NONE)
            }
            GROUP => Err(code::GROUP_AUTHORIZATION_FAILED),
            _other => Err(code::CLUSTER_AUTHORIZATION_FAILED),
        };
        match found {
            Ok(topic) => {
                resource.resource_name = topic.physical_name.clone();
                true
            }
            Err(code) => {
                refused.push(
                    DescribeConfigsResult::default()
                        .with_error_code(code)
                        .with_error_message(None)
                        .with_resource_type(resource.resource_type)
                        .with_resource_name(resource.resource_name.clone()),
                );
                false
            }
        }
    });
    if request.resources.is_empty() {
        let response = DescribeConfigsResponse::default().with_results(refused);
        return call.answer::<DescribeConfigsRequest>(&response);
    }
    call.forward(&request, move |tenant, _memory, response| {
        response.results.retain_mut(|result| {
            let Some(topic) = tenant.shown(&result.resource_name) else {
                return false;
            };
            result.resource_name = topic.name.clone();
            tenant.text_in(&mut result.error_message);
            true
        });
        response.results.append(&mut refused);
    })
}
