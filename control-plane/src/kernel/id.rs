//! TypeIDs: `<prefix>_<26 characters>`, a UUIDv7 in Crockford's base 32 (specification: TypeID 0.3). Never reused.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LENGTH: usize = 26;

/// A kind of object: its name in `kind` and the prefix of its ids.
pub trait Kind: 'static {
    /// As in the `kind` field, for example `Topic`.
    const KIND: &'static str;
    /// Before the underscore of an id, for example `topic`.
    const PREFIX: &'static str;
}

/// The kinds that have ids.
pub mod kind {
    use super::Kind;

    macro_rules! kinds {
        ($($name:ident $prefix:literal $doc:literal),* $(,)?) => {
            $(
                #[doc = $doc]
                #[derive(Debug)]
                pub enum $name {}
                impl Kind for $name {
                    const KIND: &'static str = stringify!($name);
                    const PREFIX: &'static str = $prefix;
                }
            )*
            /// Every kind and its prefix.
            pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $prefix)),*];
        };
    }

    kinds! {
        Organization "org" "Owns tenants and the billing account.",
        Tenant "tenant" "The isolation boundary.",
        Member "member" "A person.",
        Session "session" "A sign-in of a person.",
        ServiceAccount "service_account" "A principal of programs.",
        ApiKey "key" "A credential of a service account.",
        TokenKey "token_key" "A key that signs access tokens.",
        RoleBinding "binding" "What a principal may do.",
        Environment "environment" "A tenant's stage, such as prod.",
        DataPlane "data_plane" "One customer network with an enrolled agent.",
        DataPlaneGrant "grant" "A place on a pool, lent to another tenant.",
        BrokerPool "pool" "One physical Kafka cluster.",
        Cluster "cluster" "A tenant's own logical Kafka cluster.",
        Topic "topic" "A named, partitioned log.",
        Share "share" "Topics that are offered to another tenant.",
        ReceivedShare "received_share" "A share, as who receives it sees it.",
        DataProduct "data_product" "A topic, as the catalog shows it to other tenants.",
        AccessRequest "access_request" "A tenant's wish to read a data product.",
        ComputePool "compute_pool" "How much of a data plane a tenant's jobs may use.",
        Job "job" "A program that runs beside a cluster.",
        ClusterLink "cluster_link" "Copies topics of one cluster into another.",
        Quota "quota" "How much principals may use of a cluster.",
        AlertRule "alert_rule" "A threshold on what a cluster waits for or holds.",
        Contract "contract" "The promise about a stream: a subject, its schemas and their rules.",
        ContractLintRule "contract_lint_rule" "What a tenant asks of its contracts beside their schemas.",
        ContractSchema "schema" "A schema under its id, with its rules.",
        RateCard "rate_card" "What usage costs from a moment on.",
        AuditEvent "audit" "A record of one mutation.",
        Event "event" "A change that watchers are told of.",
    }
}

/// The id of an object of kind `K`.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K: Kind> Id<K> {
    /// A new id: time-ordered (UUIDv7, RFC 9562).
    #[must_use]
    pub fn generate() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }

    /// The id that a row holds.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// What the database holds.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The 26 characters after the underscore.
    #[must_use]
    pub fn suffix(self) -> String {
        encode(self.0)
    }
}

// Derives would ask for `K: Trait`.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        self.0.hash(hasher);
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, encode(self.0))
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of kind {kind}: expected {prefix}_ and 26 characters")]
pub struct NotAnId {
    kind: &'static str,
    prefix: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(decode)
            .map(Self::from_uuid)
            .ok_or(NotAnId {
                kind: K::KIND,
                prefix: K::PREFIX,
            })
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<K: Kind> utoipa::PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        let article = if K::KIND.starts_with(['A', 'E', 'I', 'O', 'U']) {
            "an"
        } else {
            "a"
        };
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", K::PREFIX)))
            .description(Some(format!("Id of {article} {}.", K::KIND)))
            .into()
    }
}
impl<K: Kind> utoipa::ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        // Each kind has a pattern of its own, so each is a schema of its own.
        format!("{}Id", K::KIND).into()
    }
}

/// The id text of an object whose kind is only known by name; `None` for a kind that this version does not know.
#[must_use]
pub fn id_text(kind: &str, uuid: Uuid) -> Option<String> {
    let (_kind, prefix) = kind::ALL.iter().find(|(name, _)| *name == kind)?;
    Some(format!("{prefix}_{}", encode(uuid)))
}

/// Reads an id of any kind: the kind's name, and what the database holds.
#[must_use]
pub fn parse_id(text: &str) -> Option<(&'static str, Uuid)> {
    let (prefix, suffix) = text.rsplit_once('_')?;
    let (kind, _prefix) = kind::ALL.iter().find(|(_, known)| *known == prefix)?;
    Some((kind, decode(suffix)?))
}

fn encode(uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    (0..SUFFIX_LENGTH)
        .map(|at| {
            let shift = 5 * (SUFFIX_LENGTH - 1 - at);
            char::from(ALPHABET[((bits >> shift) & 31) as usize])
        })
        .collect()
}

fn decode(suffix: &str) -> Option<Uuid> {
    let bytes = suffix.as_bytes();
    // 26 characters hold 130 bits: the first may not exceed 7.
    if bytes.len() != SUFFIX_LENGTH || bytes[0] > b'7' {
        return None;
    }
    let mut bits = 0_u128;
    for byte in bytes {
        let digit = ALPHABET.iter().position(|it| it == byte)?;
        bits = (bits << 5) | digit as u128;
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_vectors_of_the_specification_hold() {
        for (uuid, suffix) in [
            (
                "00000000-0000-0000-0000-000000000000",
                "00000000000000000000000000",
            ),
            (
                "00000000-0000-0000-0000-000000000010",
                "0000000000000000000000000g",
            ),
            (
                "ffffffff-ffff-ffff-ffff-ffffffffffff",
                "7zzzzzzzzzzzzzzzzzzzzzzzzz",
            ),
            (
                "0188bac7-4afa-78aa-bc3b-bd1eef28d881",
                "01h2xcejqtf2nbrexx3vqjhp41",
            ),
        ] {
            let uuid: Uuid = uuid.parse().unwrap();
            assert_eq!(encode(uuid), suffix);
            assert_eq!(decode(suffix), Some(uuid));
        }
    }

    #[test]
    fn an_id_of_another_kind_or_shape_is_refused() {
        let topic = Id::<kind::Topic>::generate().to_string();
        assert!(topic.parse::<Id<kind::Topic>>().is_ok());
        assert!(topic.parse::<Id<kind::Cluster>>().is_err());
        for text in [
            "topic_",
            "topic_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "topic_01H2XCEJQTF2NBREXX3VQJHP41",
            "topic",
        ] {
            assert!(text.parse::<Id<kind::Topic>>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_of_any_kind_is_read_and_written_by_name() {
        let id = Id::<kind::ServiceAccount>::generate();
        assert_eq!(parse_id(&id.to_string()), Some(("ServiceAccount", id.uuid())));
        assert_eq!(id_text("ServiceAccount", id.uuid()), Some(id.to_string()));
        assert_eq!(parse_id("unknown_01h2xcejqtf2nbrexx3vqjhp41"), None);
        assert_eq!(parse_id("topic"), None);
        assert_eq!(id_text("Unknown", id.uuid()), None);
    }

    proptest! {
        #[test]
        fn every_uuid_survives_the_round_trip(bits: u128) {
            let id = Id::<kind::DataPlane>::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
