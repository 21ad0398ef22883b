//! An administrative wish that came by the Kafka protocol: whose it is, what it does, and how that ends.
//!
//! It is carried out as its service account would by the API: the same service, the same checks, the same record. Sent
//! twice, it is done once: its idempotency key is (gateway, the gateway's start, number).

mod outcome;

use std::time::Duration;

use prost::Message as _;
use tokio::sync::Semaphore;
use weir_proto::agent::v1::{Config, Intent, IntentKind, IntentOutcome, IntentResult};

use self::outcome::of_error;
use crate::auth::{Caller, on_behalf};
use crate::kernel::{DataPlaneId, Error, ErrorKind, Id, Result, code, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::topic::{Creation, Done, Settled, TopicId, Wisher, kafka_settings};
use crate::rest::Call;
use crate::runtime::App;

/// The longest wait for gateways.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The same wish may be under way already, or its topic may have moved meanwhile: how often it is tried again.
const TRIES: u32 = 25;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// A result without an effect.
pub(super) fn own_result(intent: &Intent, outcome: IntentOutcome, detail: &str) -> IntentResult {
    IntentResult {
        intent_id: intent.intent_id,
        outcome: outcome.into(),
        gateway_id: intent.gateway_id.clone(),
        gateway_boot: intent.gateway_boot,
        detail: detail.to_owned(),
        ..IntentResult::default()
    }
}

/// What names the wisher and the wish.
struct Parsed {
    caller: Caller,
    cluster: ClusterId,
    topic: Option<TopicId>,
    call: Call,
}

/// Carries a wish out and waits until it is obeyed.
pub(super) async fn carry_out(
    app: &App,
    data_plane: DataPlaneId,
    writing: &Semaphore,
    intent: &Intent,
) -> IntentResult {
    match attempt(app, data_plane, writing, intent).await {
        Ok(result) => result,
        Err(error) => {
            let (outcome, detail) = of_error(intent.kind(), &error);
            if error.kind == ErrorKind::Internal {
                tracing::error!(%data_plane, error = &error as &dyn std::error::Error, "carry out a client's wish");
            }
            own_result(intent, outcome, &detail)
        }
    }
}

async fn attempt(
    app: &App,
    data_plane: DataPlaneId,
    writing: &Semaphore,
    intent: &Intent,
) -> Result<IntentResult> {
    let (parsed, done) = {
        let _turn = writing.acquire().await.map_err(Error::internal)?;
        let parsed = parse(app, data_plane, intent).await?;
        let done = write(app, &parsed, intent).await?;
        (parsed, done)
    };
    let mut result = own_result(intent, IntentOutcome::Accepted, "");
    result.replication_factor = done.replication_factor.unsigned_abs();
    if let Some(spec) = &done.spec {
        result.partitions = spec.partitions.unsigned_abs();
        let settings = kafka_settings(spec).into_iter();
        result.configs = settings.map(|(name, value)| Config { name, value }).collect();
    }
    if let Some(id) = done.id.filter(|_it| !intent.validate_only) {
        result.topic_id = id.to_string();
        let gone = intent.kind() == IntentKind::DeleteTopic;
        let wait = Duration::from_millis(u64::from(intent.wait_ms)).min(WAIT_MAX);
        let wisher = wisher(app, &parsed);
        let (outcome, detail) = match wisher.settled(id, gone, wait).await {
            Ok(Settled::Ready) => (IntentOutcome::Accepted, String::new()),
            Ok(Settled::Refused(message)) => (IntentOutcome::PolicyRefused, message),
            Ok(Settled::Failed(message)) => (IntentOutcome::Failed, message),
            Ok(Settled::Underway(message)) => (IntentOutcome::TimedOut, message),
            // It is written, whatever became of the look.
            Err(error) => {
                tracing::warn!(%data_plane, error = &error as &dyn std::error::Error, "wait for a client's wish");
                (IntentOutcome::TimedOut, String::new())
            }
        };
        (result.outcome, result.detail) = (outcome.into(), detail);
    }
    Ok(result)
}

async fn parse(app: &App, data_plane: DataPlaneId, intent: &Intent) -> Result<Parsed> {
    let nobody = || Error::denied("The principal holds no key for this cluster.");
    let cluster: ClusterId = intent.cluster_id.parse().map_err(|_no_id| nobody())?;
    let account: Id<kind::ServiceAccount> = intent.principal_id.parse().map_err(|_no_id| nobody())?;
    let topic = match intent.topic_id.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_no_id| Error::not_found("Topic"))?),
    };
    let Intent {
        intent_id,
        gateway_id,
        gateway_boot,
        ..
    } = intent;
    let name = format!("intent_{gateway_id}_{gateway_boot}_{intent_id}");
    Ok(Parsed {
        caller: on_behalf(app, data_plane, cluster, account).await?,
        cluster,
        topic,
        call: Call::by_protocol(name.clone(), name, &intent.encode_to_vec(), intent.validate_only),
    })
}

fn wisher<'a>(app: &'a App, parsed: &'a Parsed) -> Wisher<'a> {
    Wisher {
        app,
        caller: &parsed.caller,
        cluster: parsed.cluster,
        call: &parsed.call,
    }
}

/// Writes, again while somebody else is at it.
async fn write(app: &App, parsed: &Parsed, intent: &Intent) -> Result<Done> {
    let mut left = TRIES;
    loop {
        match write_once(&wisher(app, parsed), parsed.topic, intent).await {
            Err(error) if left > 0 && matches!(error.code, code::IN_FLIGHT | code::MOVED) => {
                left -= 1;
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            ended => return ended,
        }
    }
}

async fn write_once(wisher: &Wisher<'_>, topic: Option<TopicId>, intent: &Intent) -> Result<Done> {
    let topic = topic.ok_or_else(|| Error::not_found("Topic"));
    match intent.kind() {
        IntentKind::CreateTopic => {
            let creation = Creation {
                name: &intent.topic_name,
                partitions: intent.partitions,
                replication_factor: intent.replication_factor,
                settings: &intent.configs,
            };
            wisher.create(creation).await
        }
        IntentKind::DeleteTopic => wisher.delete(topic?).await,
        IntentKind::CreatePartitions => wisher.grow(topic?, intent.partitions).await,
        IntentKind::AlterConfigs => {
            wisher
                .alter(topic?, &intent.configs, intent.replace_configs)
                .await
        }
        IntentKind::Unspecified => Err(Error::invalid("", code::INVALID, "There is no such wish.")),
    }
}
