//! What the API promises of a share, to whoever gives it and to whoever receives it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

use crate::kernel::{ClusterId, Id, Labels, TenantId, kind};
use crate::resources::served::{Report, stand};
use crate::resources::share::keys::SharedKeys;
use crate::resources::share::model::{Mount, Share, SharePrice, ShareSpec, ShareStart};
use crate::resources::share::mount::Read;
use crate::resources::share::view::ShownField;
use crate::resources::topic::TopicId;
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so, as its provider sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShareStatus {
    /// INVITED, PREVIEWED, ACTIVE, DECLINED, LEFT, REVOKED or EXPIRED.
    pub phase: Phase,
    /// The tenant that took it, or to which it is addressed.
    pub recipient_tenant: Option<TenantId>,
    /// What people call that tenant; absent before it has had to do with the share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recipient_name: Option<String>,
    /// Until when its invitation can be taken; absent without one.
    pub invitation_expires_at: Option<DateTime<Utc>>,
    /// When it was last accepted, declined, left, revoked, or ran out.
    pub decided_at: Option<DateTime<Utc>>,
    /// When its recipient agreed to the terms.
    pub terms_accepted_at: Option<DateTime<Utc>>,
    /// How many topics show its topics now.
    pub mounts: usize,
    /// Which keys are wished, rising with each exchange; absent where nothing is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key_generation: Option<i64>,
    /// Does every live gateway obey what was decided last?
    pub enforced: bool,
    /// When something was last read, by the hour.
    pub last_read_at: Option<DateTime<Utc>>,
    /// Bytes that were read in the last thirty days.
    pub read_bytes: i64,
    /// Records that were read in the last thirty days.
    pub read_records: i64,
}

impl Resource for kind::Share {
    type Spec = ShareSpec;
    type Status = ShareStatus;
    fn shown_once() -> Option<(&'static str, RefOr<Schema>)> {
        let text = |description: &str| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some(description))
        };
        let invitation = ObjectBuilder::new()
            .description(Some(
                "Only in the answer that made it, and only for EMAIL and LINK: hand it on yourself, nothing is mailed.",
            ))
            .property("token", text("One use."))
            .property("expires_at", text("When the token ends."))
            .property("url", text("Where the console takes it; the token stands after the #, so that no server logs it."));
        Some(("invitation", invitation.into()))
    }
}

/// A topic, as it is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceivedTopic {
    /// What it is called.
    pub alias: String,
    /// The version of its contract that can be relied on; absent: the newest, and compatible ones after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub contract_version: Option<i32>,
    /// Are its records changed, or some of them withheld?
    pub changed: bool,
    /// Which records are shown.
    pub start: ShareStart,
    /// What is shown of their keys.
    pub keys: SharedKeys,
    /// Are values encrypted at rest, under keys of both sides?
    pub encrypted: bool,
}

/// What is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceivedShareSpec {
    /// The provider's name for it.
    pub name: String,
    /// For people.
    pub description: String,
    /// The topics.
    pub topics: Vec<ReceivedTopic>,
    /// What has to be agreed to.
    pub terms: String,
    /// All readers of the share together are delivered no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fetch_bytes_per_second: Option<i64>,
    /// What it costs; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub price: Option<SharePrice>,
    /// Nothing is shown before.
    pub starts_at: Option<DateTime<Utc>>,
    /// Nothing is shown from then on.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A topic of the recipient's cluster that shows one of the share.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShareMount {
    /// Its id.
    pub topic: TopicId,
    /// Its cluster.
    pub cluster: ClusterId,
    /// Its name there; absent once it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// What the share calls it.
    pub alias: String,
    /// READY when every live gateway shows it.
    pub phase: Phase,
    /// Why it is not READY, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
}

/// What is so, as its recipient sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceivedShareStatus {
    /// INVITED, PREVIEWED, ACTIVE, DECLINED, LEFT, REVOKED or EXPIRED.
    pub phase: Phase,
    /// Who offers it.
    pub provider_tenant: TenantId,
    /// What people call that tenant.
    pub provider_name: String,
    /// When it was last accepted, declined, left, revoked, or ran out.
    pub decided_at: Option<DateTime<Utc>>,
    /// When the terms were agreed to.
    pub terms_accepted_at: Option<DateTime<Utc>>,
    /// The topics that show it; none before it is accepted and after it ended.
    pub mounts: Vec<ShareMount>,
    /// Does every live gateway obey what was decided last?
    pub enforced: bool,
    /// When something was last read, by the hour.
    pub last_read_at: Option<DateTime<Utc>>,
    /// Bytes that were read in the last thirty days.
    pub read_bytes: i64,
    /// Records that were read in the last thirty days.
    pub read_records: i64,
}

impl Resource for kind::ReceivedShare {
    type Spec = ReceivedShareSpec;
    type Status = ReceivedShareStatus;
}

/// The body of an acceptance.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareAcceptance {
    /// The cluster that is to show the topics, on the same broker pool as the provider's.
    pub cluster: ClusterId,
    /// Stands before the name of each topic.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub name_prefix: String,
    /// Has to be true when the share has terms.
    #[serde(default)]
    pub terms_accepted: bool,
}

/// The body that names an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareInvitation {
    /// The token.
    pub token: String,
}

impl std::fmt::Debug for ShareInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShareInvitation(..)")
    }
}

/// The body of an offer made anew, or of a later end.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShareEnd {
    /// When the share ends; left out, as it was.
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// One topic of a preview.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewedTopic {
    /// What it is called, and how it is shown.
    #[serde(flatten)]
    pub topic: ReceivedTopic,
    /// Are some records withheld?
    pub filtered: bool,
    /// The fields of its records after everything that is done with them, as far as its contract tells.
    pub fields: Vec<ShownField>,
}

/// What somebody sees before he takes a share.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SharePreview {
    /// Always `SharePreview`.
    pub kind: &'static str,
    /// The share, as its recipient will know it.
    #[schema(value_type = String)]
    pub id: Id<kind::ReceivedShare>,
    /// Where it stands.
    pub phase: Phase,
    /// Who offers it: the tenant's name for people.
    pub provider_name: String,
    /// What is offered.
    pub spec: ReceivedShareSpec,
    /// Its topics, with their fields.
    pub topics: Vec<PreviewedTopic>,
    /// Until when the invitation can be taken; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub invitation_expires_at: Option<DateTime<Utc>>,
}

/// What stands beside a row.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// What people call the other side.
    pub other_name: String,
    /// Its mounts with what was reported of them.
    pub mounts: Vec<(Mount, Option<Report>)>,
    /// How much was read.
    pub read: Read,
}

impl Beside {
    /// Topics that still show something, or did a moment ago.
    fn there(&self) -> impl Iterator<Item = &(Mount, Option<Report>)> {
        self.mounts.iter().filter(|(mount, _)| mount.name.is_some())
    }

    fn enforced(&self, phase: Phase) -> bool {
        if phase != Phase::Active {
            return self.there().next().is_none();
        }
        self.there().all(|(mount, report)| {
            stand(mount.desired_n, mount.deleted, report.as_ref()).phase == Phase::Ready
        })
    }
}

/// A row as its provider sees it.
pub fn given(row: Share, beside: &Beside) -> Object<kind::Share> {
    let (resource_name, encrypted) = (row.resource_name(), row.is_encrypted());
    let Share {
        id,
        provider: _,
        spec,
        environment_name: _,
        cluster_name: _,
        recipient,
        invitation_expires_at,
        phase,
        decided_at,
        terms_accepted_at,
        key_generation,
        labels,
        generation,
        created_at,
        updated_at,
    } = row;
    let metadata = Metadata {
        resource_name,
        created_at,
        updated_at,
        generation,
        labels,
    };
    // Who is only named is no party yet: nobody learns what a tenant is called by offering it something.
    let joined = matches!(
        phase,
        Phase::Previewed | Phase::Active | Phase::Declined | Phase::Left
    );
    let recipient_name = recipient
        .filter(|_| joined || !beside.mounts.is_empty())
        .map(|_| beside.other_name.clone());
    let status = ShareStatus {
        phase,
        recipient_tenant: recipient,
        recipient_name,
        invitation_expires_at,
        decided_at,
        terms_accepted_at,
        key_generation: encrypted.then_some(key_generation),
        mounts: beside.there().filter(|(mount, _)| !mount.deleted).count(),
        enforced: beside.enforced(phase),
        last_read_at: beside.read.last_at,
        read_bytes: beside.read.bytes,
        read_records: beside.read.records,
    };
    Object::new(id, metadata, spec, status)
}

/// What a recipient sees of the spec: neither ids nor expressions of the provider's.
pub fn offered(spec: &ShareSpec) -> ReceivedShareSpec {
    let topics = spec.topics.iter().map(|it| ReceivedTopic {
        alias: it.alias.clone().unwrap_or_default(),
        contract_version: it.contract_version,
        changed: !it.steps.is_empty(),
        start: it.start.clone(),
        keys: it.keys_shown(),
        encrypted: it.encryption.is_some(),
    });
    ReceivedShareSpec {
        name: spec.name.clone(),
        description: spec.description.clone(),
        topics: topics.collect(),
        terms: spec.terms.clone(),
        fetch_bytes_per_second: spec.fetch_bytes_per_second,
        price: spec.price.clone(),
        starts_at: spec.starts_at,
        expires_at: spec.expires_at,
    }
}

/// A row as its recipient sees it.
pub fn received(row: &Share, beside: &Beside) -> Object<kind::ReceivedShare> {
    let id = Id::from_uuid(row.id.uuid());
    let metadata = Metadata {
        resource_name: format!("received_share={id}"),
        created_at: row.created_at,
        updated_at: row.updated_at,
        generation: row.generation,
        labels: Labels::new(),
    };
    let mounts = beside.there().map(|(mount, report)| {
        let standing = stand(mount.desired_n, mount.deleted, report.as_ref());
        ShareMount {
            topic: mount.topic,
            cluster: mount.cluster,
            name: mount.name.clone(),
            alias: mount.alias.clone(),
            phase: standing.phase,
            reason: standing.reason,
            message: standing.message,
        }
    });
    let status = ReceivedShareStatus {
        phase: row.phase,
        provider_tenant: row.provider,
        provider_name: beside.other_name.clone(),
        decided_at: row.decided_at,
        terms_accepted_at: row.terms_accepted_at,
        mounts: mounts.collect(),
        enforced: beside.enforced(row.phase),
        last_read_at: beside.read.last_at,
        read_bytes: beside.read.bytes,
        read_records: beside.read.records,
    };
    Object::new(id, metadata, offered(&row.spec), status)
}
