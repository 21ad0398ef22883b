//! The composition: one agent, its tasks, and how it ends.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use weir_credentials::SealingKey;

use crate::answers::{self, Desk};
use crate::cluster_links::{self, Links};
use crate::config::AgentConfig;
use crate::contract_counts::ContractCounts;
use crate::dead_letters::Office;
use crate::desired::{Accepted, Offered};
use crate::disk;
use crate::driver::{Driver, Shared};
use crate::gateway_certificate;
use crate::inside;
use crate::intents::{Intents, Patience};
use crate::lag::{LagGauge, Lags};
use crate::lane::{self, Budgets, Gateways, LaneServer, Publisher, Questions};
use crate::link::enroll::{Door, enrolled};
use crate::link::keys::Keys;
use crate::link::ledger::{Ledger, unix_ms};
use crate::link::session::{self, Uplink};
use crate::link::{Board, Inlet, random_number};
use crate::local_tls::{Authority, LANE_AGENT, LANE_GATEWAY};
use crate::log_ends::EndsGauge;
use crate::metering::Store;
use crate::platform::Platform;
use crate::policy::PolicyFile;
use crate::preview::Previews;
use crate::quota_uses::QuotaUses;
use crate::sealing;
use crate::storage::{Gauge, Storage};
use crate::upstream::Shown;

const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// Administrative wishes on their way home.
const INTENTS: Patience = Patience {
    unsent: Duration::from_secs(2),
    slack: Duration::from_secs(2),
    room: 4096,
    away: "Weir's control plane cannot be reached now. Records flow on; topics cannot be changed until it is back.",
};

/// A running agent.
pub struct Agent {
    stop: CancellationToken,
    close: CancellationToken,
    driver: JoinHandle<()>,
    tasks: JoinSet<()>,
    board: watch::Receiver<Board>,
    data_plane_id: String,
    _lock: std::fs::File,
}

impl Agent {
    /// Starts an agent; enrols first if it has to, waiting for the control plane. Once enrolled, it starts without it.
    ///
    /// # Errors
    /// When the state folder is in use or damaged, the policy cannot be read, the token is refused, or a port is taken.
    pub async fn start(config: AgentConfig, platform: Platform) -> anyhow::Result<Self> {
        let state = &config.state_dir;
        disk::private_folder(state).context("make the state folder")?;
        let lock = lock(&config)?;
        let policy = PolicyFile::open(config.policy.as_deref());
        let policy = Arc::new(policy.context("read the admission policy")?);
        let ledger = Arc::new(Ledger::open(&state.join("ledger")).context("open the ledger")?);
        let usage = Arc::new(Store::open(&state.join("metering")).context("open the usage windows")?);
        let door = door(&config);
        let identity = enrolled(&state.join("identity"), &door, config.token.as_ref(), &ledger)
            .await
            .context("enrol")?;
        let data_plane_id = identity.pinned().data_plane_id.clone();
        let signing = identity.signing_public_key().to_vec();
        let accepted = Accepted::open(&state.join("desired"), signing, data_plane_id.clone())
            .context("open the accepted desired state")?;
        let publisher =
            Publisher::open(&state.join("lane").join("published")).context("open the snapshots")?;
        let shared = shared(accepted);
        let own = own_keys(state)?;
        let (stop, close, mut tasks) = (CancellationToken::new(), CancellationToken::new(), JoinSet::new());
        let lane = lane_server(&shared, &usage, &publisher, state)?;
        let fed = lane.clone();
        tasks.spawn(gauge(&platform, &shared, &publisher, &fed.uses).run());
        let lags = Arc::<Lags>::default();
        tasks.spawn(LagGauge::of(&platform, &shared, &policy, &lags).run());
        tasks.spawn(EndsGauge::of(&platform, &shared).run());
        let dead_letters = Office::open(&platform, &shared, publisher.watch(), state, &mut tasks);
        let previews = Previews::open(&platform, &shared, publisher.watch(), state);
        let links = Links::open(&platform, &shared.links, state, stop.clone());
        let sources = (dead_letters, previews, Arc::clone(&links));
        serve_inside_network(&config, lane, sources, &close, &mut tasks).await?;
        tasks.spawn(links.run());
        let (inlet, arrived) = mpsc::channel(32);
        let board = shared.board.subscribe();
        let uplink = Uplink {
            door,
            identity: Arc::new(identity),
            ledger,
            board: board.clone(),
            usage: Arc::clone(&usage),
            quota_uses: fed.uses,
            contracts: fed.contracts,
            lags,
            jobs: Arc::clone(&shared.jobs),
            usage_window: config.usage_window,
            intents: fed.intents,
            inlet,
            instance: random_number().context("name this process")?,
            kafka_version: kafka_version(&config.kafka.libs),
            keys: told(&config, &own),
            cluster_links: Arc::clone(&shared.links.reports),
        };
        let (heard, ruled) = (shared.clone(), Arc::clone(&policy));
        tasks.spawn(take_in(arrived, heard, platform.clone(), ruled));
        tasks.spawn(session::keep(uplink, close.clone()));
        tasks.spawn(prune(usage));
        let driver =
            Driver::open(config, platform, shared, policy, publisher, own).context("open the driver")?;
        Ok(Self {
            driver: tokio::spawn(driver.run(stop.clone())),
            stop,
            close,
            tasks,
            board,
            data_plane_id,
            _lock: lock,
        })
    }

    /// What the agent reports now.
    #[must_use]
    pub fn board(&self) -> watch::Receiver<Board> {
        self.board.clone()
    }

    /// Whose agent this is.
    #[must_use]
    pub fn data_plane_id(&self) -> &str {
        &self.data_plane_id
    }

    /// Ends the gateway and the brokers in order, then the agent.
    ///
    /// # Errors
    /// When the driver panicked.
    pub async fn shutdown(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        let driver = (&mut self.driver).await;
        self.close.cancel();
        self.tasks.shutdown().await;
        driver.context("the driver panicked")
    }

    /// Ends the agent at once and leaves its children running, as a kill does.
    pub async fn abandon(mut self) {
        self.driver.abort();
        let _aborted = (&mut self.driver).await;
        self.close.cancel();
        self.tasks.shutdown().await;
    }

    /// Resolves when the agent ended by itself, which it never does unless something broke.
    pub async fn broken(&mut self) {
        let _ended = (&mut self.driver).await;
    }
}

/// What secrets for this agent are sealed to, and what it reads other data planes with.
type OwnKeys = (Arc<SealingKey>, Arc<Shown>);

fn own_keys(state: &Path) -> anyhow::Result<OwnKeys> {
    let sealing = sealing::open_or_make(&state.join("sealing"));
    let reads_with = cluster_links::open_or_make(&state.join("cluster-links"));
    Ok((
        Arc::new(sealing.context("open the sealing key")?),
        Arc::new(reads_with.context("open the key that other data planes are read with")?),
    ))
}

/// Our public keys, as they are told.
fn told(config: &AgentConfig, (sealing, reads_with): &OwnKeys) -> Keys {
    Keys {
        sealing: weir_credentials::hex(&sealing.public().to_bytes()),
        reads_with: weir_credentials::hex(reads_with.public_key.as_bytes()),
        chain: config.gateway_listener.tls.as_ref().map(|it| it.0.clone()),
        own_authority: config.gateway_listener.tls_own,
    }
}

fn door(config: &AgentConfig) -> Door {
    Door {
        address: config.control_plane.clone(),
        ca_sha256: config.ca_sha256,
    }
}

/// What the lane serves from.
fn lane_server(
    shared: &Shared,
    usage: &Arc<Store>,
    publisher: &Publisher,
    state: &Path,
) -> anyhow::Result<LaneServer> {
    let budgets = Budgets::open(&state.join("lane")).context("open the gateways that share budgets")?;
    Ok(LaneServer {
        gateways: Arc::clone(&shared.gateways),
        usage: Arc::clone(usage),
        snapshot: publisher.watch(),
        budgets: Arc::new(budgets),
        uses: Arc::default(),
        contracts: Arc::<ContractCounts>::default(),
        intents: Arc::new(Intents::new(INTENTS)),
        storage: shared.storage.watch(),
        questions: Arc::clone(&shared.questions),
    })
}

/// What measures the storage of clusters.
fn gauge(platform: &Platform, shared: &Shared, publisher: &Publisher, uses: &Arc<QuotaUses>) -> Gauge {
    Gauge {
        kafka: Arc::clone(&platform.kafka),
        snapshot: publisher.watch(),
        directory: Arc::clone(&shared.directory),
        storage: Arc::clone(&shared.storage),
        uses: Arc::clone(uses),
        wake: Arc::clone(&shared.wake),
    }
}

/// One agent per state folder; the lock ends with the process.
fn lock(config: &AgentConfig) -> anyhow::Result<std::fs::File> {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(config.state_dir.join("agent.lock"))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!("another agent runs in this state folder");
    }
    Ok(file)
}

fn shared(accepted: Accepted) -> Shared {
    let wake = Arc::new(Notify::new());
    Shared {
        gateways: Arc::new(Gateways::new(Arc::clone(&wake))),
        board: watch::Sender::new(Board {
            accepted: accepted.generation(),
            ..Board::default()
        }),
        accepted: Arc::new(accepted),
        directory: Arc::default(),
        storage: Arc::<Storage>::default(),
        questions: Arc::<Questions>::default(),
        jobs: Arc::default(),
        log_ends: Arc::default(),
        ground: Arc::default(),
        links: Arc::default(),
        wake,
    }
}

/// The lane for gateways and the endpoint for people, both of this network only.
async fn serve_inside_network(
    config: &AgentConfig,
    lane: LaneServer,
    (dead_letters, previews, links): (Arc<Office>, Arc<Previews>, Arc<Links>),
    close: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let state = &config.state_dir;
    let authority = Authority::open(&state.join("authority")).context("open the local authority")?;
    let (agent_folder, gateway_folder) = (
        state.join("lane").join("agent"),
        state.join("lane").join("gateway"),
    );
    authority.issue(&agent_folder, Some(LANE_AGENT), &[])?;
    authority.keep(&gateway_folder, LANE_GATEWAY)?;
    gateway_certificate::make_own(config, &authority)?;
    let lane_address = SocketAddr::from(([127, 0, 0, 1], config.ports.lane()));
    let listener = TcpListener::bind(lane_address)
        .await
        .with_context(|| format!("listen on {lane_address} for the lane"))?;
    let contracts = Arc::clone(&lane.contracts);
    let serving = lane::serve(lane, listener, &agent_folder, close.clone())?;
    tasks.spawn(async move {
        let _ended = serving.await;
    });
    let inside_folder = state.join("inside");
    let identity = authority.issue(
        &inside_folder,
        None,
        &[config.listen_host.as_str(), config.advertised_host.as_str()],
    )?;
    let address = format!("{}:{}", config.listen_host, config.ports.inside());
    let listener = TcpListener::bind(&address)
        .await
        .with_context(|| format!("listen on {address} for the inside endpoint"))?;
    tasks.spawn(inside::serve(
        listener,
        identity.server()?,
        inside::Sources {
            ledger: state.join("ledger"),
            contracts,
            dead_letters,
            previews,
            links,
            token: inside::Token::open_or_make(state).context("open the token of the inside endpoint")?,
        },
        close.clone(),
    ));
    Ok(())
}

/// Judges wishes, answers questions.
async fn take_in(
    mut arrived: mpsc::Receiver<Inlet>,
    shared: Shared,
    platform: Platform,
    policy: Arc<PolicyFile>,
) {
    while let Some(item) = arrived.recv().await {
        match item {
            Inlet::Desired(frame) => {
                let accepted = Arc::clone(&shared.accepted);
                let now = i64::try_from(unix_ms() / 1000).unwrap_or(i64::MAX);
                let offered = tokio::task::spawn_blocking(move || accepted.offer(&frame, now)).await;
                match offered.map_err(std::io::Error::other).and_then(|it| it) {
                    Ok(Offered::Adopted) => {
                        let generation = shared.accepted.generation();
                        shared.board.send_modify(|board| board.accepted = generation);
                        shared.wake.notify_one();
                    }
                    Ok(Offered::Kept) => {}
                    Ok(Offered::Refused(refused)) => {
                        tracing::error!(offered = ?refused.offered, refusal = ?refused.refusal(), "a desired state was refused; the held one stays");
                        shared.board.send_modify(|board| board.refuse(refused));
                    }
                    Err(error) => {
                        tracing::error!(%error, "a desired state could not be stored; the held one stays")
                    }
                }
            }
            Inlet::Ask(ask, reply) => {
                let (platform, directory) = (platform.clone(), shared.directory.load_full());
                let (policy, questions) = (policy.current(), Arc::clone(&shared.questions));
                tokio::spawn(async move {
                    let desk = Desk {
                        platform: &platform,
                        directory: &directory,
                        policy: &policy,
                        questions: &questions,
                    };
                    let _session_ended = reply.send(answers::answer(&ask, &desk).await);
                });
            }
        }
    }
}

async fn prune(usage: Arc<Store>) {
    loop {
        let store = Arc::clone(&usage);
        let pruned = tokio::task::spawn_blocking(move || store.prune(SystemTime::now())).await;
        if let Err(error) = pruned.map_err(std::io::Error::other).and_then(|it| it) {
            tracing::error!(%error, "old usage windows could not be removed");
        }
        tokio::time::sleep(PRUNE_EVERY).await;
    }
}

/// The version in the name of Kafka's client jar, if it looks like one.
fn kafka_version(libs: &std::path::Path) -> String {
    let jars = std::fs::read_dir(libs).into_iter().flatten().flatten();
    let versions = jars.filter_map(|jar| {
        let name = jar.file_name();
        let version = name
            .to_str()?
            .strip_prefix("kafka-clients-")?
            .strip_suffix(".jar")?;
        let plain = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        (plain && version.len() < 20).then(|| version.to_owned())
    });
    versions.max().unwrap_or_default()
}
