//! Administrative wishes: what a client asked for, item by item, and what is answered once each has its result.

use kafka_protocol::protocol::StrBytes;
use weir_kafka_wire::message::frame_response;
use weir_proto::agent::v1::{Intent, IntentKind, IntentOutcome, IntentResult};

use super::{ApiKey, Bytes, Call, Memory, Plan, Refusal, Request, code};
use crate::gateway::quota::Cost;
use crate::intents::own_result;

/// One wish, not numbered yet.
pub type Wish = Intent;

/// Makes the answer of a request from the results of its wishes, in their order.
pub type Finish = Box<dyn FnOnce(Vec<IntentResult>) -> Result<Bytes, Refusal> + Send>;

/// Why an item of a request was refused: Kafka's error code and a sentence.
pub(super) type Refused = (i16, String);

/// The longest that a result is waited for.
const WAIT_MAX_MS: i32 = 30_000;
/// What clients get to hear that went over a count quota: they may ask again after that.
pub(super) const QUOTA_PAUSE_MS: i32 = 2_000;

/// Why a topic is not created, grown or deleted now.
const MUTATIONS_USED_UP: &str =
    "The quota of partitions created and deleted in a second is used up; try again after the throttle time.";

/// What became of one item.
pub(super) struct Verdict {
    /// Kafka's error code.
    pub code: i16,
    /// Why, unless it was done.
    pub text: Option<StrBytes>,
    /// What the control plane said; empty when the item was refused here.
    pub result: IntentResult,
}

impl Verdict {
    pub(super) fn done(&self) -> bool {
        self.code == code::NONE
    }
}

/// How long the control plane may take for a client that waits `timeout_ms`: it has to hear of it before its own time
/// is over.
pub(super) fn wait_ms(timeout_ms: i32) -> u32 {
    let patience = timeout_ms.max(0) / 5 * 4;
    patience.min(WAIT_MAX_MS).unsigned_abs()
}

/// The pause of an answer in which something was over a count quota. What is over a rate tells its own.
pub(super) fn pause_ms<T>(judged: &[(T, Verdict)]) -> i32 {
    let over = |it: &Verdict| {
        it.code == code::THROTTLING_QUOTA_EXCEEDED && it.result.outcome() == IntentOutcome::OverQuota
    };
    if judged.iter().any(|(_item, verdict)| over(verdict)) {
        QUOTA_PAUSE_MS
    } else {
        0
    }
}

/// The results of wishes for which there is no room.
#[must_use]
pub fn too_many(wishes: &[Wish]) -> Vec<IntentResult> {
    let detail = "Too many administrative requests are under way on this connection; try again.";
    let refuse = |wish| own_result(wish, IntentOutcome::Unavailable, detail);
    wishes.iter().map(refuse).collect()
}

impl Call<'_> {
    /// A wish of this principal.
    pub(super) fn wish(self, kind: IntentKind, topic_name: &str, wait_ms: u32) -> Wish {
        Wish {
            kind: kind.into(),
            principal_id: self.tenant.payer.principal.to_string(),
            cluster_id: self.tenant.cluster.id.to_string(),
            topic_name: topic_name.to_owned(),
            wait_ms,
            ..Wish::default()
        }
    }

    /// Takes partitions that are created or deleted from the principal's budgets. Clients that know of such quotas are
    /// refused while one is used up; older ones wait (KIP-599).
    pub(super) fn mutate(self, memory: &mut Memory, partitions: u64) -> Result<(), Refused> {
        let toll = &self.tenant.toll;
        if toll.is_free() || partitions == 0 {
            return Ok(());
        }
        let now = self.tenant.quotas.now();
        let (wait, refused) = if knows_quotas(self.header.api_key, self.header.version) {
            match toll.mutate(now, partitions) {
                Ok(()) => return Ok(()),
                Err(wait) => (
                    wait,
                    Err((code::THROTTLING_QUOTA_EXCEEDED, MUTATIONS_USED_UP.to_owned())),
                ),
            }
        } else {
            let cost = Cost {
                mutations: partitions,
                ..Cost::default()
            };
            (toll.pay(now, cost), Ok(()))
        };
        let longer = memory.refused.as_ref().is_none_or(|held| held.until < wait.until);
        if longer {
            memory.refused = Some(wait);
        }
        refused
    }

    /// Plans a request whose items are wishes, or are refused here; `respond` answers when each has its verdict.
    pub(super) fn wishes<R, T, F>(
        self,
        items: Vec<(T, Result<Wish, Refused>)>,
        respond: F,
    ) -> Result<Plan, Refusal>
    where
        R: Request,
        T: Send + 'static,
        F: FnOnce(Vec<(T, Verdict)>) -> R::Response + Send + 'static,
    {
        let (version, correlation_id) = (self.header.version, self.header.correlation_id);
        let mut wishes = Vec::new();
        let mut waiting = Vec::with_capacity(items.len());
        for (item, checked) in items {
            let refused = match checked {
                Ok(wish) => {
                    wishes.push(wish);
                    None
                }
                Err(refused) => Some(refused),
            };
            waiting.push((item, refused));
        }
        let finish: Finish = Box::new(move |results| {
            let mut results = results.into_iter();
            let judged = waiting.into_iter().map(|(item, refused)| {
                let verdict = match refused {
                    Some((code, text)) => Verdict {
                        code,
                        text: Some(StrBytes::from_string(text)),
                        result: IntentResult::default(),
                    },
                    None => verdict(results.next().unwrap_or_default(), knows_quotas(R::KEY, version)),
                };
                (item, verdict)
            });
            let response = respond(judged.collect());
            Ok(frame_response::<R>(version, correlation_id, &response)?)
        });
        if wishes.is_empty() {
            return Ok(Plan::Local(finish(Vec::new())?));
        }
        Ok(Plan::Wish(wishes, finish))
    }
}

/// Since which versions clients know THROTTLING_QUOTA_EXCEEDED (KIP-599).
fn knows_quotas(key: i16, version: i16) -> bool {
    let since = [
        (ApiKey::CreateTopics, 6),
        (ApiKey::DeleteTopics, 5),
        (ApiKey::CreatePartitions, 3),
    ];
    since
        .iter()
        .any(|(known, least)| *known as i16 == key && version >= *least)
}

/// Kafka's error for what the control plane said.
fn verdict(result: IntentResult, knows_quotas: bool) -> Verdict {
    use IntentOutcome as Outcome;
    let (code, text) = match result.outcome() {
        Outcome::Accepted => (code::NONE, ""),
        Outcome::Denied => (
            code::TOPIC_AUTHORIZATION_FAILED,
            "This needs the role of an administrator.",
        ),
        Outcome::Invalid => (code::INVALID_REQUEST, "The request is not valid."),
        Outcome::Exists => (code::TOPIC_ALREADY_EXISTS, "A topic of this name exists already."),
        Outcome::NotFound => (code::UNKNOWN_TOPIC_OR_PARTITION, "There is no such topic."),
        Outcome::InvalidName => (code::INVALID_TOPIC_EXCEPTION, "No topic can have this name."),
        Outcome::InvalidPartitions => (
            code::INVALID_PARTITIONS,
            "The number of partitions is not possible.",
        ),
        Outcome::InvalidReplicationFactor => (
            code::INVALID_REPLICATION_FACTOR,
            "The replication factor is that of the broker pool.",
        ),
        Outcome::InvalidConfig => (
            code::INVALID_CONFIG,
            "A setting is not open to tenants or out of range.",
        ),
        Outcome::OverQuota if knows_quotas => (
            code::THROTTLING_QUOTA_EXCEEDED,
            "A quota of the tenant is used up.",
        ),
        Outcome::OverQuota => (code::POLICY_VIOLATION, "A quota of the tenant is used up."),
        Outcome::TimedOut => (
            code::REQUEST_TIMED_OUT,
            "It was not done everywhere in time; it may still be.",
        ),
        Outcome::PolicyRefused => (code::POLICY_VIOLATION, "A policy refuses it."),
        Outcome::Unavailable => (code::POLICY_VIOLATION, "The control plane cannot be reached now."),
        Outcome::Failed => (code::UNKNOWN_SERVER_ERROR, "Kafka refused it."),
        Outcome::Unsupported | Outcome::Unspecified => (
            code::POLICY_VIOLATION,
            "The control plane's version does not know this request.",
        ),
    };
    let text = if result.detail.is_empty() {
        text
    } else {
        result.detail.as_str()
    };
    let text = (code != code::NONE).then(|| StrBytes::from_string(text.to_owned()));
    Verdict { code, text, result }
}
