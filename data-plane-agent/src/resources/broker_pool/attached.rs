//! A pool that is somebody's Kafka already: found, never started, stopped or destroyed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};
use weir_proto::agent::v1::{AttachedPool, Reason, SaslMechanism};

use crate::credentials::{Credential, NoCredential};
use crate::disk;
use crate::platform::Platform;
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::upstream::{Mechanism, Security, Trust};

const FILE_BYTES_MAX: u64 = 64 * 1024;
/// A turn of the driver waits no longer for somebody else's Kafka.
const LOOK_MAX: Duration = Duration::from_secs(4);
/// After it was not found it is left alone for so long: other pools have their turns meanwhile.
#[cfg(not(test))]
const PAUSE: Duration = Duration::from_secs(5);
#[cfg(test)]
const PAUSE: Duration = Duration::ZERO;
const BOOTSTRAP_MAX: usize = 10;
/// Brokers that the gateway has ports for.
const PLACES: std::ops::RangeInclusive<u16> = 1..=9;

/// Which place each broker has at the gateway, by node id. A place once given stays, so that clients find it again.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Places(BTreeMap<i32, u16>);

impl Places {
    /// Gives every broker a place; those that are gone lose theirs when it is needed. Says whether something changed.
    fn give(&mut self, nodes: &BTreeSet<i32>) -> Result<bool, Reason> {
        if nodes.len() > PLACES.count() {
            return Err(Reason::Unsupported);
        }
        let before = self.clone();
        for node in nodes {
            if self.0.contains_key(node) {
                continue;
            }
            let free =
                |held: &BTreeMap<i32, u16>| PLACES.into_iter().find(|it| !held.values().any(|at| at == it));
            let place = match free(&self.0) {
                Some(place) => place,
                None => {
                    self.0.retain(|held, _place| nodes.contains(held));
                    free(&self.0).ok_or(Reason::Unsupported)?
                }
            };
            self.0.insert(*node, place);
        }
        Ok(*self != before)
    }
}

/// What is known of an attached pool.
#[derive(Debug, Default)]
pub struct Attachment {
    folder: PathBuf,
    places: Places,
    address: Option<PoolAddress>,
    /// When it was not found, and why.
    failed: Option<(Instant, Reason)>,
    /// Node ids of the brokers that its Kafka names.
    pub brokers: BTreeSet<i32>,
}

impl Attachment {
    /// With what the disk remembers.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            places: disk::read_json(&folder.join("places.json"), FILE_BYTES_MAX)?.unwrap_or_default(),
            folder: folder.to_owned(),
            ..Self::default()
        })
    }

    /// Where its brokers are, once they were found.
    #[must_use]
    pub const fn address(&self) -> Option<&PoolAddress> {
        self.address.as_ref()
    }

    /// Looks for its brokers anew. An address that was found stays until another is.
    pub async fn look(
        &mut self,
        pool: &str,
        wish: &AttachedPool,
        credentials: &Path,
        platform: &Platform,
    ) -> Option<Reason> {
        if let Some((at, reason)) = self.failed
            && at.elapsed() < PAUSE
        {
            return Some(reason);
        }
        self.failed = None;
        let reason = self.try_look(pool, wish, credentials, platform).await.err()?;
        self.brokers.clear();
        self.failed = Some((Instant::now(), reason));
        Some(reason)
    }

    async fn try_look(
        &mut self,
        pool: &str,
        wish: &AttachedPool,
        credentials: &Path,
        platform: &Platform,
    ) -> Result<(), Reason> {
        let credential = Credential::read(credentials, &wish.credential).map_err(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                pool,
                "the credential of an attached pool cannot be used"
            );
            match error {
                NoCredential::Missing => Reason::CredentialMissing,
                NoCredential::File(_) | NoCredential::Form => Reason::CredentialUnusable,
            }
        })?;
        let mut at = bootstrap(pool, wish, &credential)?;
        let found = timeout(LOOK_MAX, platform.kafka.brokers(&at)).await;
        let found = found
            .unwrap_or(Err(KafkaError::Unreachable))
            .map_err(|error| match error {
                KafkaError::Unreachable => Reason::KafkaUnreachable,
                KafkaError::Login | KafkaError::Stranger => Reason::CredentialRefused,
                KafkaError::Refused(_code) => Reason::KafkaRefused,
            })?;
        // What the brokers say of themselves is no reason to send them a password elsewhere.
        if found
            .iter()
            .any(|(_node, host, port)| !credential.is_for(host, *port))
        {
            tracing::warn!(
                pool,
                "a broker of an attached pool is at an address that its credential is not for"
            );
            return Err(Reason::CredentialOtherHost);
        }
        let nodes: BTreeSet<i32> = found.iter().map(|(node, _host, _port)| *node).collect();
        if self.places.give(&nodes)? {
            let kept = disk::private_folder(&self.folder)
                .and_then(|()| disk::write_json(&self.folder.join("places.json"), &self.places));
            kept.map_err(|error| {
                tracing::error!(%error, pool, "the places of an attached pool's brokers could not be kept");
                Reason::Disk
            })?;
        }
        at.brokers = found;
        at.places = self.places.0.clone();
        self.brokers = nodes;
        self.address = Some(at);
        Ok(())
    }
}

fn bootstrap(pool: &str, wish: &AttachedPool, credential: &Credential) -> Result<PoolAddress, Reason> {
    let servers = wish.bootstrap_servers.iter().take(BOOTSTRAP_MAX);
    let mut brokers = Vec::new();
    for (at, server) in (1_i32..).zip(servers) {
        let (host, port) = server.rsplit_once(':').ok_or(Reason::Unsupported)?;
        let port = port.parse().map_err(|_no_port| Reason::Unsupported)?;
        if !credential.is_for(host, port) {
            return Err(Reason::CredentialOtherHost);
        }
        brokers.push((-at, host.to_owned(), port));
    }
    let trust = match wish.ca_pem.as_str() {
        "" => None,
        pem => Some(Trust::of(pem).map_err(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                pool,
                "the authorities of an attached pool cannot be used"
            );
            Reason::Unsupported
        })?),
    };
    let mechanism = match wish.mechanism() {
        SaslMechanism::Unspecified => Mechanism::Anonymous,
        SaslMechanism::Plain => Mechanism::Plain,
        SaslMechanism::ScramSha256 => Mechanism::ScramSha256,
        SaslMechanism::ScramSha512 => Mechanism::ScramSha512,
    };
    Ok(PoolAddress {
        pool_id: pool.to_owned(),
        brokers,
        username: wish.username.clone(),
        password: credential.password().to_owned(),
        security: Security {
            trust,
            mechanism,
            peer: None,
        },
        places: BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake;

    fn wish() -> AttachedPool {
        AttachedPool {
            bootstrap_servers: vec!["kafka.test:9092".to_owned()],
            username: "weir".to_owned(),
            mechanism: SaslMechanism::ScramSha512.into(),
            credential: "east".to_owned(),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn nothing_is_asked_without_a_credential_for_that_address() {
        let state = tempfile::tempdir().unwrap();
        let (platform, kafka, _processes) = fake::platform();
        let mut attachment = Attachment::open(&state.path().join("pool")).unwrap();
        let look = |attachment| look(attachment, state.path().to_owned(), platform.clone());
        let (seen, attachment_back) = look(attachment).await;
        assert_eq!(seen, Some(Reason::CredentialMissing));
        attachment = attachment_back;
        let file = state.path().join("east.toml");
        std::fs::write(&file, "hosts = [\"elsewhere:9092\"]\npassword = \"p\"").unwrap();
        let (seen, attachment_back) = look(attachment).await;
        assert_eq!(seen, Some(Reason::CredentialOtherHost));
        attachment = attachment_back;
        std::fs::write(&file, "hosts = [\"kafka.test:9092\"]\npassword = \"p\"").unwrap();
        kafka.set_brokers(vec![(7, "other.test".to_owned(), 9092)]);
        let (seen, attachment_back) = look(attachment).await;
        assert_eq!(
            seen,
            Some(Reason::CredentialOtherHost),
            "a broker that names itself elsewhere"
        );
        attachment = attachment_back;
        kafka.set_brokers(vec![(7, "kafka.test".to_owned(), 9092)]);
        let (seen, attachment) = look(attachment).await;
        assert_eq!(seen, None);
        let address = attachment.address().unwrap();
        assert_eq!(address.places, BTreeMap::from([(7, 1)]));
        assert_eq!(address.security.mechanism, Mechanism::ScramSha512);
    }

    async fn look(
        mut attachment: Attachment,
        credentials: PathBuf,
        platform: Platform,
    ) -> (Option<Reason>, Attachment) {
        let seen = attachment.look("pool_1", &wish(), &credentials, &platform).await;
        (seen, attachment)
    }

    #[test]
    fn a_place_stays_until_another_needs_it() {
        let mut places = Places::default();
        assert_eq!(places.give(&[101, 205].into()), Ok(true));
        assert_eq!(places.0, BTreeMap::from([(101, 1), (205, 2)]));
        assert_eq!(places.give(&[205].into()), Ok(false));
        assert_eq!(places.give(&(1..=9).collect()), Ok(true));
        assert_eq!(places.0.len(), 9, "those that are gone made room");
        assert_eq!(places.give(&(1..=10).collect()), Err(Reason::Unsupported));
    }
}
