//! Settings of topics are changed by wish. Everything else's are not a tenant's to change.

use std::collections::HashSet;

use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse as Replaced;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse as Changed;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use weir_proto::agent::v1::{ConfigOperation, IntentKind, TopicConfig};
use weir_proto::topic_config::{self, SETTINGS, Unsendable};

use super::topics::with_text;
use super::wish::{Refused, Wish};
use super::{Call, Operation, Plan, Refusal, code};

const TOPIC: i8 = 2;
/// These requests do not tell how long their client waits; this is less than clients do by default.
const WAIT_MS: u32 = 15_000;
/// The one setting that is a list.
const LIST: &str = "cleanup.policy";

/// A client's setting as it is sent; text that is none of the known words and no number goes nowhere.
pub(super) fn setting(
    name: &str,
    operation: ConfigOperation,
    value: Option<&str>,
) -> Result<TopicConfig, Refused> {
    let listed = matches!(operation, ConfigOperation::Add | ConfigOperation::Remove);
    if listed && name != LIST {
        return Err((
            code::INVALID_CONFIG,
            format!("{name} is no list: set it instead."),
        ));
    }
    topic_config::from_text(name, operation, value).map_err(|unsendable| {
        let text = match unsendable {
            Unsendable::Key => {
                let open: Vec<&str> = SETTINGS.iter().map(|(name, _key, _form)| *name).collect();
                format!("{name} is not open to tenants. Open ones: {}.", open.join(", "))
            }
            Unsendable::Value => format!("The value of {name} is not possible."),
        };
        (code::INVALID_CONFIG, text)
    })
}

/// One resource of either request.
struct Resource {
    kind: i8,
    name: kafka_protocol::protocol::StrBytes,
}

fn alteration(
    call: Call<'_>,
    resource: &Resource,
    settings: Vec<Result<TopicConfig, Refused>>,
) -> Result<Wish, Refused> {
    if resource.kind != TOPIC {
        let text = "Only settings of topics can be changed here.";
        return Err((code::CLUSTER_AUTHORIZATION_FAILED, text.to_owned()));
    }
    let topic = call
        .tenant
        .topic(Operation::Administer, &resource.name)
        .map_err(with_text)?;
    let configs: Vec<TopicConfig> = settings.into_iter().collect::<Result<_, _>>()?;
    let distinct: HashSet<i32> = configs.iter().map(|it| it.key).collect();
    if distinct.len() < configs.len() {
        let text = "The request names a setting more than once.";
        return Err((code::INVALID_REQUEST, text.to_owned()));
    }
    Ok(Wish {
        topic_id: topic.id.to_string(),
        configs,
        ..call.wish(IntentKind::AlterConfigs, &resource.name, WAIT_MS)
    })
}

pub(super) fn change(call: Call<'_>, request: IncrementalAlterConfigsRequest) -> Result<Plan, Refusal> {
    let items = request.resources.into_iter().map(|it| {
        let resource = Resource {
            kind: it.resource_type,
            name: it.resource_name,
        };
        let settings = it.configs.iter().map(|config| {
            let operation = operation(config.config_operation)?;
            setting(&config.name, operation, config.value.as_deref())
        });
        let wish = alteration(call, &resource, settings.collect()).map(|wish| Wish {
            validate_only: request.validate_only,
            ..wish
        });
        (resource, wish)
    });
    call.wishes::<IncrementalAlterConfigsRequest, _, _>(items.collect(), |judged| {
        let responses = judged.into_iter().map(|(resource, verdict)| {
            Changed::default()
                .with_resource_type(resource.kind)
                .with_resource_name(resource.name)
                .with_error_code(verdict.code)
                .with_error_message(verdict.text)
        });
        IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
    })
}

fn operation(code: i8) -> Result<ConfigOperation, Refused> {
    match code {
        0 => Ok(ConfigOperation::Set),
        1 => Ok(ConfigOperation::Reset),
        2 => Ok(ConfigOperation::Add),
        3 => Ok(ConfigOperation::Remove),
        _unknown => Err((
            code::INVALID_REQUEST,
            "There is no such operation on a setting.".to_owned(),
        )),
    }
}

/// The older request: what it does not name goes back to the default.
pub(super) fn replace(call: Call<'_>, request: AlterConfigsRequest) -> Result<Plan, Refusal> {
    let items = request.resources.into_iter().map(|it| {
        let resource = Resource {
            kind: it.resource_type,
            name: it.resource_name,
        };
        let settings = it
            .configs
            .iter()
            .map(|config| setting(&config.name, ConfigOperation::Set, config.value.as_deref()));
        let wish = alteration(call, &resource, settings.collect()).map(|wish| Wish {
            replace_configs: true,
            validate_only: request.validate_only,
            ..wish
        });
        (resource, wish)
    });
    call.wishes::<AlterConfigsRequest, _, _>(items.collect(), |judged| {
        let responses = judged.into_iter().map(|(resource, verdict)| {
            Replaced::default()
                .with_resource_type(resource.kind)
                .with_resource_name(resource.name)
                .with_error_code(verdict.code)
                .with_error_message(verdict.text)
        });
        AlterConfigsResponse::default().with_responses(responses.collect())
    })
}
