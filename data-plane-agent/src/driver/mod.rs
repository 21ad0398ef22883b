//! The loop: admit -> observe -> diff -> policy -> act -> report. It turns with the link down as with the link up.

mod directory;
mod gateway_child;
mod job_specs;
mod jobs;
mod links;
mod native;
mod pool_fence;
mod pools;
mod reports;
mod scaling;
mod sql_jobs;
mod sql_models;
mod sql_scaling;
mod sql_sleep;
mod sql_user;
mod topics;

pub use directory::{Directory, Place};
pub(crate) use job_specs::secrets_of;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use prost::Message;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use weir_credentials::SealingKey;
use weir_proto::agent::v1::{ApiKey, DesiredState};

use crate::cluster_links;
use crate::config::AgentConfig;
use crate::data_keys::DataKeys;
use crate::desired::{Accepted, Held};
use crate::disk;
use crate::job_reports::JobReports;
use crate::lane::{Gateways, Publisher, Questions, build};
use crate::link::Board;
use crate::log_ends::LogEnds;
use crate::platform::Platform;
use crate::platform::kafka::PoolAddress;
use crate::policy::{Policy, PolicyFile, admit};
use crate::preview::{Desk, Ground};
use crate::resources::broker_pool::Room;
use crate::resources::native::Written;
use crate::resources::topic::{Outcome, Records};
use crate::share_keys::ShareKeys;
use crate::storage::Storage;
use crate::upstream::Shown;

/// When something is under way, the next look comes soon.
const SOON: Duration = Duration::from_millis(400);
/// When Kafka refused something, asking again soon does not help.
const LATER: Duration = Duration::from_secs(5);
/// When all is as wished, reality is still looked at, for drift.
const CALM: Duration = Duration::from_secs(10);
/// Whoever destroys a key has waited no longer until nobody can read.
const KEYS: Duration = Duration::from_secs(2);
/// Kafka is not asked again about topics within this time, unless something changed.
const FRESH: Duration = Duration::from_secs(8);
const ADMITTED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What the driver shares with the rest of the agent.
#[derive(Clone)]
pub struct Shared {
    /// The accepted wish.
    pub accepted: Arc<Accepted>,
    /// Who is attached to the lane.
    pub gateways: Arc<Gateways>,
    /// What the link reports.
    pub board: watch::Sender<Board>,
    /// Wakes the driver.
    pub wake: Arc<Notify>,
    /// Where topics are.
    pub directory: Arc<ArcSwap<Directory>>,
    /// What clusters hold.
    pub storage: Arc<Storage>,
    /// Questions to gateways.
    pub questions: Arc<Questions>,
    /// How jobs go.
    pub jobs: Arc<JobReports>,
    /// Where the sources of sleeping jobs end.
    pub log_ends: Arc<LogEnds>,
    /// What previews of jobs are made of.
    pub ground: Arc<ArcSwap<Ground>>,
    /// Where questions to jobs in SQL are asked.
    pub desk: Arc<ArcSwap<Desk>>,
    /// What is to be done about cluster links, and how that goes.
    pub links: Arc<cluster_links::Ground>,
}

/// The driver and all that it remembers between turns.
pub struct Driver {
    config: AgentConfig,
    platform: Platform,
    shared: Shared,
    policy: Arc<PolicyFile>,
    publisher: Publisher,
    share_keys: ShareKeys,
    data_keys: DataKeys,
    records: Records,
    admitted_path: PathBuf,
    admitted: DesiredState,
    refused: BTreeSet<String>,
    rooms: BTreeMap<String, Room>,
    gateway: gateway_child::GatewayChild,
    native: native::NativeSide,
    jobs: jobs::JobSide,
    sql: sql_jobs::SqlSide,
    outcomes: BTreeMap<String, Outcome>,
    /// Topics as they were wished when they were last found to be so: what differs later has drifted.
    fulfilled: BTreeMap<String, weir_proto::agent::v1::Topic>,
    observed_at: Option<Instant>,
    ever_ready: BTreeSet<String>,
    /// Something could not be done for a reason that time may mend.
    unsettled: bool,
    /// Something was refused by Kafka.
    obstructed: bool,
    /// There are data keys.
    encrypts: bool,
    /// What other data planes are read with.
    reads_with: Arc<Shown>,
}

impl Driver {
    /// Opens what the disk remembers.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(
        config: AgentConfig,
        platform: Platform,
        shared: Shared,
        policy: Arc<PolicyFile>,
        publisher: Publisher,
        (sealing, reads_with): (Arc<SealingKey>, Arc<Shown>),
    ) -> io::Result<Self> {
        let folder = config.state_dir.join("driver");
        disk::private_folder(&folder)?;
        let admitted_path = folder.join("admitted.pb");
        let admitted = match disk::read_bounded(&admitted_path, ADMITTED_BYTES_MAX)? {
            None => DesiredState::default(),
            Some(bytes) => DesiredState::decode(bytes.as_slice())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?,
        };
        for folder in ["logs", "run", "pools"] {
            disk::private_folder(&config.state_dir.join(folder))?;
        }
        let gateway = gateway_child::GatewayChild::remembered(&config)?;
        Ok(Self {
            sql: sql_jobs::SqlSide::default(),
            jobs: jobs::JobSide::open(&config, Arc::clone(&shared.jobs))?,
            share_keys: ShareKeys::open_or_make(&config.state_dir.join("sharing"))?,
            data_keys: DataKeys::open(&config.state_dir.join("sharing"))?,
            records: Records::open(&folder)?,
            native: native::NativeSide {
                key: sealing,
                written: Written::open(&folder)?,
                clusters: BTreeMap::new(),
            },
            admitted_path,
            admitted,
            refused: BTreeSet::new(),
            rooms: BTreeMap::new(),
            gateway,
            outcomes: BTreeMap::new(),
            fulfilled: BTreeMap::new(),
            observed_at: None,
            ever_ready: BTreeSet::new(),
            unsettled: false,
            obstructed: false,
            encrypts: false,
            reads_with,
            config,
            platform,
            shared,
            policy,
            publisher,
        })
    }

    /// Turns until `stop`, then ends the children in order: workers finish their transactions before the gateway goes, and the
    /// gateway hands over its counters before its brokers go.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let pause = match self.turn().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(%error, "a turn failed on the agent's own disk; it is tried again");
                    LATER
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.shared.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.end_children().await;
    }

    /// One turn. Says how long to rest.
    async fn turn(&mut self) -> io::Result<Duration> {
        self.unsettled = false;
        self.obstructed = false;
        let policy = self.policy.current();
        let held = self.shared.accepted.held();
        let changed = match &held {
            Some(held) => self.admit(held, &policy)?,
            None => false,
        };
        self.turn_pools(&policy).await?;
        // Before any other cluster's topic appears there, what keeps native users away from it.
        self.turn_native(&policy, changed).await?;
        self.turn_topics(&policy, changed).await?;
        let jobs = self.prepare_jobs(&policy, changed)?;
        self.publish(&policy, &jobs, held.as_deref())?;
        self.gateway
            .turn(self.platform.processes.as_ref(), Instant::now());
        let jobs_rest = self.turn_jobs()?.unwrap_or(CALM);
        self.report(held.as_deref());
        Ok(jobs_rest.min(if self.unsettled {
            SOON
        } else if self.obstructed {
            LATER
        } else if self.encrypts {
            KEYS
        } else {
            CALM
        }))
    }

    /// The customer's word over the wish; kept on disk before anything follows from it.
    fn admit(&mut self, held: &Held, policy: &Policy) -> io::Result<bool> {
        let mut admitted = admit(&self.admitted, &held.state, policy);
        topics::show(&mut admitted.state);
        for id in admitted.refused.difference(&self.refused) {
            tracing::warn!(item = id, "the customer's policy refused a wish");
        }
        self.refused = admitted.refused;
        if admitted.state == self.admitted {
            return Ok(false);
        }
        disk::write_atomic(&self.admitted_path, &admitted.state.encode_to_vec())?;
        self.admitted = admitted.state;
        let named: BTreeSet<&str> = self.admitted.topics.iter().map(|it| it.id.as_str()).collect();
        self.records.forget_buried(|id| named.contains(id))?;
        self.outcomes.retain(|id, _outcome| named.contains(id.as_str()));
        self.fulfilled.retain(|id, _topic| named.contains(id.as_str()));
        Ok(true)
    }

    /// Publishes what is to be served now, and where it is, for questions.
    fn publish(&mut self, policy: &Policy, jobs: &[ApiKey], held: Option<&Held>) -> io::Result<()> {
        let pools: BTreeMap<String, PoolAddress> = self
            .rooms
            .iter()
            .filter_map(|(id, room)| Some((id.clone(), room.address(self.config.ports)?)))
            .collect();
        let records = &self.records;
        let mut snapshot = build(&self.admitted, &pools, |id| records.physical_id(id), policy, jobs);
        self.share_keys.give(&mut snapshot);
        let obeyed = self.shared.gateways.obeys(self.publisher.version());
        let published = self.publisher.current();
        let admitted = &self.admitted;
        self.encrypts = self.data_keys.give(&mut snapshot, admitted, &published, obeyed)?;
        let native = self.admitted.clusters.iter().filter(|it| native::is_native(it));
        let directory = Directory::of(&snapshot, &pools).with_native(native, &self.admitted.topics, &pools);
        self.shared.directory.store(Arc::new(directory));
        self.publisher.raise_above(self.shared.gateways.highest_held())?;
        self.turn_links(policy, held, &snapshot, &pools);
        self.publisher.publish(snapshot)?;
        Ok(())
    }
}
