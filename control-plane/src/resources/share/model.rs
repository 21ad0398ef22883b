//! What a share is, and its life: INVITED, PREVIEWED when its recipient looked at it, ACTIVE when it took it; DECLINED, LEFT, REVOKED or EXPIRED
//! when it ended.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::kernel::{DataPlaneId, Error, Id, Labels, Result, TenantId, code, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::share::encryption::SharedEncryption;
use crate::resources::share::keys::SharedKeys;
use crate::resources::topic::TopicId;
use crate::rest::Phase;

/// Id of a share.
pub type ShareId = Id<kind::Share>;

/// Who is offered the topics. New kinds may appear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum ShareRecipient {
    /// A tenant, of the same organization or of another.
    Tenant {
        /// Its id.
        tenant: TenantId,
    },
    /// Whoever signs in with this e-mail address; he need not be anybody's member yet.
    Email {
        /// The address.
        #[schema(max_length = 254)]
        email: String,
    },
    /// Whoever has the invitation, once.
    Link {},
}

/// Which of a topic's records are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum ShareStart {
    /// All that are left.
    Earliest {},
    /// Those from the moment on at which the share is accepted.
    Latest {},
    /// Those with this timestamp or a later one.
    Timestamp {
        /// The moment.
        timestamp: DateTime<Utc>,
    },
}

impl Default for ShareStart {
    fn default() -> Self {
        Self::Earliest {}
    }
}

/// One topic that is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SharedTopic)]
pub struct SharedTopic {
    /// The topic, of the share's cluster.
    pub topic: TopicId,
    /// What its recipient sees it called; left out: its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[a-zA-Z0-9._-]{1,200}$")]
    pub alias: Option<String>,
    /// The version of the contract that its recipient can rely on: what is registered later has to be readable by it. Left out: the newest,
    /// and what is registered later has to be compatible as the contract says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub contract_version: Option<i32>,
    /// What is done with each record before it leaves: `filter`, `project` and `mask` of docs/actions.md.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub steps: Vec<Value>,
    /// Which records are shown.
    #[serde(default)]
    pub start: ShareStart,
    /// What is shown of records' keys; left out: HASHED where `project` or `mask` takes something away, else SHOWN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub keys: Option<SharedKeys>,
    /// What is encrypted before a broker has it, under keys of both sides, from the acceptance on; left out: nothing. Once the share is accepted
    /// it can be turned on, and not off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub encryption: Option<SharedEncryption>,
}

impl SharedTopic {
    /// What is shown of records' keys.
    #[must_use]
    pub fn keys_shown(&self) -> SharedKeys {
        let takes = self.steps.iter().any(|it| it.get("filter").is_none());
        self.keys.unwrap_or(if takes {
            SharedKeys::Hashed
        } else {
            SharedKeys::Shown
        })
    }
}

/// What the recipient pays the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharePrice {
    /// ISO 4217, for example EUR.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// For each GiB (2^30 bytes) that is read.
    #[serde(default, with = "rust_decimal::serde::str")]
    #[schema(value_type = String, default = "0")]
    pub per_gib: Decimal,
    /// For each month, in equal parts for its hours.
    #[serde(default, with = "rust_decimal::serde::str")]
    #[schema(value_type = String, default = "0")]
    pub per_month: Decimal,
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareSpec {
    /// The cluster of the topics; never changes.
    pub cluster: ClusterId,
    /// Unique among the tenant's shares that have not ended; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// For people, of both sides.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// What is offered. Once the share is accepted its topics, aliases and beginnings stay; what is done with records may change.
    #[schema(min_items = 1, max_items = 20)]
    pub topics: Vec<SharedTopic>,
    /// To whom; never changes.
    pub recipient: ShareRecipient,
    /// What its recipient has to agree to. They stay once it has.
    #[serde(default)]
    #[schema(max_length = 20_000)]
    pub terms: String,
    /// All readers of the share together are delivered no more; left out: no bound of the share's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub fetch_bytes_per_second: Option<i64>,
    /// What it costs; left out: nothing. Another price counts from the next full hour on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub price: Option<SharePrice>,
    /// Nothing is shown before; left out: from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Nothing is shown from then on, by the gateways' own clocks; left out: it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Share {
    /// Id.
    pub id: ShareId,
    /// Who offers.
    pub provider: TenantId,
    /// What is wished.
    pub spec: ShareSpec,
    /// Name of the cluster's environment; empty to those who do not see it.
    pub environment_name: String,
    /// Name of the cluster; empty to those who do not see it.
    pub cluster_name: String,
    /// Who took it, or to whom it is addressed.
    pub recipient: Option<TenantId>,
    /// Until when the invitation can be taken.
    pub invitation_expires_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub phase: Phase,
    /// When it was last accepted, declined, left, revoked, or ran out.
    pub decided_at: Option<DateTime<Utc>>,
    /// When its recipient agreed to the terms.
    pub terms_accepted_at: Option<DateTime<Utc>>,
    /// Rises with each exchange of its keys.
    pub key_generation: i64,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A topic that shows a shared one.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The topic that shows.
    pub topic: TopicId,
    /// By which share.
    pub share: ShareId,
    /// The topic that is shown.
    pub shown: TopicId,
    /// Where it is shown.
    pub cluster: ClusterId,
    /// What the share calls it.
    pub alias: String,
    /// What it is called there; none when it is gone.
    pub name: Option<String>,
    /// Where it is served.
    pub data_plane: Option<DataPlaneId>,
    /// The generation that carries it as it is.
    pub desired_n: i64,
    /// Is it going away?
    pub deleted: bool,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What somebody decides about a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Its recipient looks at it.
    Preview,
    /// Its recipient takes it.
    Accept,
    /// Its recipient refuses it.
    Decline,
    /// Its recipient ends it.
    Leave,
    /// Its provider ends it.
    Revoke,
    /// Its time is over.
    Expire,
    /// Its provider offers it anew.
    Resend,
    /// Its provider moves its end.
    Extend,
    /// Its provider wants other keys.
    RotateKey,
}

impl Decision {
    /// As an action of the audit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Leave => "leave",
            Self::Revoke => "revoke",
            Self::Expire => "expire",
            Self::Resend => "resend",
            Self::Extend => "extend",
            Self::RotateKey => "rotate_key",
        }
    }
}

/// Has it not ended?
#[must_use]
pub const fn is_live(phase: Phase) -> bool {
    matches!(phase, Phase::Invited | Phase::Previewed | Phase::Active)
}

/// The phase after a decision.
///
/// # Errors
/// 409 for the wrong phase.
pub fn decide(phase: Phase, decision: Decision) -> Result<Phase> {
    use Decision as D;
    use Phase as P;
    match (decision, phase) {
        (D::Preview, P::Invited) => Ok(P::Previewed),
        // Looking again, or once it is taken or over, changes nothing.
        (D::Preview, other) => Ok(other),
        (D::Accept, P::Invited | P::Previewed) => Ok(P::Active),
        (D::Decline, P::Invited | P::Previewed) => Ok(P::Declined),
        (D::Leave, P::Active) => Ok(P::Left),
        (D::Revoke, it) if is_live(it) => Ok(P::Revoked),
        (D::Expire, it) if is_live(it) => Ok(P::Expired),
        (D::Resend, it) if !matches!(it, P::Active) => Ok(P::Invited),
        (D::Extend, it) if is_live(it) => Ok(it),
        (D::RotateKey, P::Active) => Ok(P::Active),
        _ => Err(Error::conflict(
            code::WRONG_PHASE,
            format!(
                "A share that is {} cannot be the subject of {}.",
                phase_name(phase),
                decision.name()
            ),
        )),
    }
}

/// The stored name of a share's phase.
#[must_use]
pub const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Previewed => "PREVIEWED",
        Phase::Active => "ACTIVE",
        Phase::Declined => "DECLINED",
        Phase::Left => "LEFT",
        Phase::Revoked => "REVOKED",
        Phase::Expired => "EXPIRED",
        _ => "INVITED",
    }
}

/// Reads a stored name; the column's check knows no other.
#[must_use]
pub fn phase_of(name: &str) -> Phase {
    match name {
        "PREVIEWED" => Phase::Previewed,
        "ACTIVE" => Phase::Active,
        "DECLINED" => Phase::Declined,
        "LEFT" => Phase::Left,
        "REVOKED" => Phase::Revoked,
        "EXPIRED" => Phase::Expired,
        _ => Phase::Invited,
    }
}

impl Share {
    /// Name within the provider's tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!(
            "environment={}/cluster={}/share={}",
            self.environment_name, self.cluster_name, self.spec.name
        )
    }

    /// Is something of it encrypted?
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.spec.topics.iter().any(|it| it.encryption.is_some())
    }

    /// Is its time over?
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.spec.expires_at.is_some_and(|it| it <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_stays_ended_until_it_is_offered_anew() {
        for phase in [Phase::Declined, Phase::Left, Phase::Revoked, Phase::Expired] {
            assert_eq!(phase_of(phase_name(phase)), phase);
            for decision in [
                Decision::Accept,
                Decision::Decline,
                Decision::Leave,
                Decision::Revoke,
                Decision::Expire,
                Decision::Extend,
                Decision::RotateKey,
            ] {
                assert!(decide(phase, decision).is_err(), "{phase:?} {decision:?}");
            }
            assert_eq!(decide(phase, Decision::Resend).unwrap(), Phase::Invited);
        }
    }

    #[test]
    fn a_share_is_taken_once() {
        let taken = decide(Phase::Invited, Decision::Accept).unwrap();
        assert_eq!(taken, Phase::Active);
        assert!(decide(taken, Decision::Accept).is_err());
        assert!(
            decide(taken, Decision::Resend).is_err(),
            "who reads is not invited again"
        );
        assert_eq!(
            decide(Phase::Previewed, Decision::Preview).unwrap(),
            Phase::Previewed
        );
        assert_eq!(decide(taken, Decision::Preview).unwrap(), Phase::Active);
        assert_eq!(decide(taken, Decision::Leave).unwrap(), Phase::Left);
        assert!(decide(Phase::Invited, Decision::Leave).is_err());
    }
}
