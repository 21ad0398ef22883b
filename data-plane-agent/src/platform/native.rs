//! What the agent asks of Kafka's own users (KIP-554), access rules (KIP-140) and client quotas (KIP-546).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use weir_credentials::NativeCredential;

use super::kafka::{KafkaError, PoolAddress};

/// `SECURITY_DISABLED`: no authorizer runs.
pub const SECURITY_DISABLED: i16 = 54;
/// `CLUSTER_AUTHORIZATION_FAILED`: our login may not.
pub const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;

/// Kafka's numbers of resources (KIP-140).
pub mod resource {
    /// A topic.
    pub const TOPIC: i8 = 2;
    /// A consumer group.
    pub const GROUP: i8 = 3;
    /// A transactional id.
    pub const TRANSACTIONAL_ID: i8 = 5;
}

/// Kafka's numbers of operations (KIP-140).
pub mod operation {
    /// All of them.
    pub const ALL: i8 = 2;
    /// Fetch, take part.
    pub const READ: i8 = 3;
    /// Produce, run a transaction.
    pub const WRITE: i8 = 4;
    /// Delete.
    pub const DELETE: i8 = 6;
    /// See.
    pub const DESCRIBE: i8 = 8;
    /// See the settings.
    pub const DESCRIBE_CONFIGS: i8 = 10;
}

/// Kafka's numbers of patterns (KIP-290).
pub mod pattern {
    /// The very name; `*` is every name.
    pub const LITERAL: i8 = 3;
    /// Every name that begins so.
    pub const PREFIXED: i8 = 4;
}

/// Kafka's numbers of permissions.
pub mod permission {
    /// Outweighs every ALLOW.
    pub const DENY: i8 = 2;
    /// Lets in.
    pub const ALLOW: i8 = 3;
}

/// One access rule, with the numbers that Kafka gives its words, so that what is read can be removed exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acl {
    /// Of whom: `User:<name>`.
    pub principal: String,
    /// From where; `*` is everywhere.
    pub host: String,
    /// A number of [`resource`].
    pub resource: i8,
    /// The name.
    pub name: String,
    /// A number of [`pattern`].
    pub pattern: i8,
    /// A number of [`operation`].
    pub operation: i8,
    /// A number of [`permission`].
    pub permission: i8,
}

impl Acl {
    /// The user's name, when it is a user's.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.principal.strip_prefix("User:")
    }

    /// Does it let in?
    #[must_use]
    pub const fn allows(&self) -> bool {
        self.permission == permission::ALLOW
    }
}

/// Client quotas of one user, by Kafka's names of them.
pub type Limits = BTreeMap<String, f64>;

/// Users, rules and quotas as one broker has them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeenNative {
    /// The mechanisms of each SCRAM user: 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512.
    pub users: BTreeMap<String, BTreeSet<i8>>,
    /// Rules of principals whose names begin as asked.
    pub acls: BTreeSet<Acl>,
    /// Client quotas that are set for a user and nothing else.
    pub limits: BTreeMap<String, Limits>,
}

/// Kafka's own users, access rules and client quotas.
pub trait Native: Send + Sync + 'static {
    /// What one broker has of users whose names begin with `prefix`.
    fn native_of<'a>(
        &'a self,
        at: &'a PoolAddress,
        node: i32,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<SeenNative, KafkaError>>;
    /// Makes a SCRAM user, or gives it another password; both mechanisms.
    fn put_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        credential: &'a NativeCredential,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Removes these mechanisms of a SCRAM user.
    fn remove_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        mechanisms: &'a BTreeSet<i8>,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Writes access rules.
    fn create_acls<'a>(
        &'a self,
        at: &'a PoolAddress,
        rules: &'a [Acl],
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Removes exactly these access rules.
    fn delete_acls<'a>(
        &'a self,
        at: &'a PoolAddress,
        rules: &'a [Acl],
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Sets and removes client quotas of a user.
    fn limit_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        set: &'a Limits,
        remove: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
}
