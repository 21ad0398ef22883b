//! The customer's admission policy: the last word before anything is done.
//!
//! A TOML file of the customer's. `refuse` names kinds of change that are never made; a `[[rule]]` refuses kinds for matching
//! names only. An absent or empty file refuses nothing; a file that cannot be read keeps the agent from starting, and one that
//! turns bad later leaves the last good policy in force. Taking access away (a key revoked, a grant removed, a
//! tighter quota) cannot be refused.
//!
//! ```toml
//! refuse = ["topic.delete", "pool.delete"]
//! [[rule]]
//! refuse = ["topic.configs"]
//! name = "payments*"      # a literal name, or a prefix when it ends in `*`
//! [jobs]
//! units_max = 8           # of each compute pool, whatever the control plane says
//! hosts = ["models.internal:443", "*.internal:8080"]   # whom jobs may call; nobody if nothing is said
//! scale_down_after_seconds = 300   # what a load brought stays so long after it, whatever jobs say; if nothing is said, as they say
//! cgroup = "/sys/fs/cgroup/weir-jobs"                   # where pools get groups of their own; none if nothing is said
//! [[cluster_links]]       # another data plane: what its agent reads with, what its gateways serve with (docs/cluster-links.md)
//! data_plane = "data_plane_..."
//! reads_with = "sha256:..."
//! serves_with = "sha256:..."
//! ```

mod admission;
mod issuers;
mod jobs;
mod keys;
mod links;
mod mounts;
mod quotas;
mod raise;
mod schemas;

pub use admission::{Admitted, admit};
pub use links::Serves;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use crate::disk;

const FILE_BYTES_MAX: u64 = 256 * 1024;

/// A kind of change that a policy can refuse. The name it goes by in the file is its serde name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Kind {
    /// A broker pool is started for the first time.
    #[serde(rename = "pool.create")]
    PoolCreate,
    /// The brokers of a pool are restarted on a wish.
    #[serde(rename = "pool.restart")]
    PoolRestart,
    /// A pool is destroyed with its data.
    #[serde(rename = "pool.delete")]
    PoolDelete,
    /// A tenant's logical cluster appears.
    #[serde(rename = "cluster.create")]
    ClusterCreate,
    /// A logical cluster disappears.
    #[serde(rename = "cluster.delete")]
    ClusterDelete,
    /// A topic is created.
    #[serde(rename = "topic.create")]
    TopicCreate,
    /// A topic is destroyed with its records.
    #[serde(rename = "topic.delete")]
    TopicDelete,
    /// A topic's partitions become more.
    #[serde(rename = "topic.partitions")]
    TopicPartitions,
    /// A topic's settings change (retention among them, which can destroy records).
    #[serde(rename = "topic.configs")]
    TopicConfigs,
    /// A key is added or changes.
    #[serde(rename = "api_key.create")]
    ApiKeyCreate,
    /// A principal may do more.
    #[serde(rename = "grant.create")]
    GrantCreate,
    /// Somebody else may sign access tokens, or with another key.
    #[serde(rename = "token_issuer.change")]
    TokenIssuerChange,
    /// A quota lets its principals use more, only counts from now on, or goes.
    #[serde(rename = "quota.raise")]
    QuotaRaise,
    /// A Kafka that exists is attached, or is looked for elsewhere.
    #[serde(rename = "pool.attach")]
    PoolAttach,
    /// A topic that exists is adopted.
    #[serde(rename = "topic.adopt")]
    TopicAdopt,
    /// A topic of another tenant is shown in a cluster, or another one instead; judged by its name there.
    #[serde(rename = "topic.mount")]
    TopicMount,
    /// A topic of an attached Kafka is told of.
    #[serde(rename = "topic.discover")]
    TopicDiscover,
    /// Brokers are opened to clients: a cluster in native mode appears.
    #[serde(rename = "native.cluster")]
    NativeCluster,
    /// A user of Kafka is made for a key of a cluster in native mode; judged by the key's id.
    #[serde(rename = "native.user")]
    NativeUser,
    /// An access rule that lets a user in is written into Kafka; judged by what it is about, as role bindings write it.
    #[serde(rename = "native.acl")]
    NativeAcl,
    /// A client quota is written into Kafka; judged by the key's id. (Without it the user has none: quotas are no access.)
    #[serde(rename = "native.quota")]
    NativeQuota,
    /// Records are deleted by the Kafka protocol; judged by the topic's name.
    #[serde(rename = "records.delete")]
    RecordsDelete,
    /// Consumer groups are told of: their ids, how many members, their positions. Judged by the group's id.
    #[serde(rename = "group.read")]
    GroupRead,
    /// Committed offsets of a group are moved by Weir's API.
    #[serde(rename = "group.reset")]
    GroupReset,
    /// A group is deleted, by Weir's API or the Kafka protocol.
    #[serde(rename = "group.delete")]
    GroupDelete,
    /// A job begins to run, or goes on with another program, for another service account or elsewhere; judged by its name.
    #[serde(rename = "job.run")]
    JobRun,
    /// A cluster link reads here or writes here, or with another data plane, or other topics; judged by its name.
    #[serde(rename = "cluster_link.run")]
    ClusterLinkRun,
}

/// Why a policy file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("read the policy file")]
    File(#[from] std::io::Error),
    /// It is not text.
    #[error("the policy file is not UTF-8")]
    Text(#[from] std::str::Utf8Error),
    /// It is not what a policy looks like.
    #[error("understand the policy file")]
    Form(#[from] toml::de::Error),
}

/// A parsed policy.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    refuse: BTreeSet<Kind>,
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    jobs: Jobs,
    #[serde(default)]
    cluster_links: Vec<links::Pin>,
}

/// What jobs may use of the customer's network.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jobs {
    units_max: Option<u32>,
    /// A control group (version 2) that is set aside for jobs.
    cgroup: Option<PathBuf>,
    #[serde(default)]
    hosts: Vec<String>,
    /// How long what a load brought stays.
    scale_down_after_seconds: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    refuse: BTreeSet<Kind>,
    name: String,
}

impl Policy {
    /// Reads a policy from TOML.
    ///
    /// # Errors
    /// When it is no policy; an unknown kind is an error, so that a typing mistake never allows.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Ok(toml::from_str(text)?)
    }

    /// Does the customer allow a change of `kind` to the thing called `name`?
    #[must_use]
    pub fn allows(&self, kind: Kind, name: &str) -> bool {
        let by_rule = |rule: &Rule| rule.refuse.contains(&kind) && matches(&rule.name, name);
        !self.refuse.contains(&kind) && !self.rule.iter().any(by_rule)
    }
}

impl Policy {
    /// The names for which changes of `kind` are refused: `*` for all.
    #[must_use]
    pub fn refused_names(&self, kind: Kind) -> Vec<String> {
        if self.refuse.contains(&kind) {
            return vec!["*".to_owned()];
        }
        let rules = self.rule.iter().filter(|rule| rule.refuse.contains(&kind));
        rules.map(|rule| rule.name.clone()).collect()
    }
}

impl Policy {
    /// How many units a compute pool may have for which `wished` are wished.
    #[must_use]
    pub fn units(&self, wished: u32) -> u32 {
        self.jobs.units_max.map_or(wished, |most| wished.min(most))
    }

    /// The control group below which pools get theirs.
    #[must_use]
    pub fn job_cgroup(&self) -> Option<&Path> {
        self.jobs.cgroup.as_deref()
    }

    /// So long what a load brought to a job stays after it, in milliseconds, where the customer says so: from ten seconds to a day.
    #[must_use]
    pub fn scale_down_after_ms(&self) -> Option<u64> {
        let seconds = self.jobs.scale_down_after_seconds?;
        Some(u64::from(seconds.clamp(10, 86_400)) * 1000)
    }

    /// Whom jobs may call, as `host:port`; a host that begins with `*.` stands for all below it, the port `*` for every one.
    #[must_use]
    pub fn job_hosts(&self) -> &[String] {
        &self.jobs.hosts
    }
}

/// A literal name, or a prefix when the pattern ends in `*`.
fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |prefix| name.starts_with(prefix))
}

/// The policy in force, read again when its file changes.
pub struct PolicyFile {
    path: Option<PathBuf>,
    current: Mutex<(Vec<u8>, Arc<Policy>)>,
}

impl PolicyFile {
    /// Reads the policy at the start.
    ///
    /// # Errors
    /// When there is a file and it is no policy: an agent never starts under a policy it cannot read.
    pub fn open(path: Option<&Path>) -> Result<Self, PolicyError> {
        let bytes = match path {
            None => Vec::new(),
            Some(path) => disk::read_bounded(path, FILE_BYTES_MAX)?.unwrap_or_else(|| {
                tracing::warn!("there is no policy file: nothing is refused");
                Vec::new()
            }),
        };
        let policy = Policy::parse(std::str::from_utf8(&bytes)?)?;
        Ok(Self {
            path: path.map(Path::to_owned),
            current: Mutex::new((bytes, Arc::new(policy))),
        })
    }

    /// The policy in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Policy> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.path {
            match disk::read_bounded(path, FILE_BYTES_MAX) {
                // A file that vanishes while we run leaves its rules in force.
                Ok(None) => {}
                Ok(Some(bytes)) if bytes == current.0 => {}
                Ok(Some(bytes)) => match std::str::from_utf8(&bytes)
                    .map_err(PolicyError::from)
                    .and_then(Policy::parse)
                {
                    Ok(policy) => {
                        tracing::info!("the policy file changed and is in force");
                        *current = (bytes, Arc::new(policy));
                    }
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the policy file turned bad: the last good policy stays in force"
                        );
                        current.0 = bytes;
                    }
                },
                Err(error) => {
                    tracing::error!(%error, "the policy file cannot be read: the last good policy stays in force")
                }
            }
        }
        Arc::clone(&current.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_refuses_kinds_everywhere_and_by_name() {
        let policy = Policy::parse(
            "refuse = [\"topic.delete\"]\n[[rule]]\nrefuse = [\"topic.configs\", \"topic.create\"]\nname = \"pay*\"\n[[rule]]\nrefuse = [\"cluster.delete\"]\nname = \"cards\"",
        )
        .unwrap();
        assert!(!policy.allows(Kind::TopicDelete, "anything"));
        assert!(!policy.allows(Kind::TopicConfigs, "payments"));
        assert!(policy.allows(Kind::TopicConfigs, "orders"));
        assert!(!policy.allows(Kind::ClusterDelete, "cards"));
        assert!(
            policy.allows(Kind::ClusterDelete, "cards-eu"),
            "a literal is no prefix"
        );
        assert!(policy.allows(Kind::PoolDelete, "main"));
        assert_eq!((policy.units(9), policy.job_hosts().len()), (9, 0));
        assert_eq!(policy.refused_names(Kind::TopicDelete), ["*"]);
        assert_eq!(policy.refused_names(Kind::TopicConfigs), ["pay*"]);
        assert!(policy.refused_names(Kind::GroupDelete).is_empty());
    }

    #[test]
    fn mistakes_never_allow() {
        assert_eq!(Policy::parse("").unwrap(), Policy::default());
        assert!(Policy::parse("refuse = [\"topic.delet\"]").is_err());
        assert!(
            Policy::parse("refuse = [\"grant.delete\"]").is_err(),
            "less access cannot be refused"
        );
        assert!(Policy::parse("refused = [\"topic.delete\"]").is_err());
        assert!(Policy::parse("[jobs]\nunit_max = 1").is_err());
    }

    #[test]
    fn a_policy_is_read_again_and_a_bad_one_leaves_the_last_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        let file = PolicyFile::open(Some(&path)).unwrap();
        assert!(file.current().allows(Kind::TopicDelete, "a"));
        std::fs::write(&path, "refuse = [\"topic.delete\"]").unwrap();
        assert!(!file.current().allows(Kind::TopicDelete, "a"));
        std::fs::write(&path, "refuse = ").unwrap();
        assert!(!file.current().allows(Kind::TopicDelete, "a"));
        std::fs::remove_file(&path).unwrap();
        assert!(
            !file.current().allows(Kind::TopicDelete, "a"),
            "removal while running changes nothing"
        );
        std::fs::write(&path, "refuse = ").unwrap();
        assert!(
            PolicyFile::open(Some(&path)).is_err(),
            "no start under an unreadable policy"
        );
    }
}
