//! The local lane: snapshots in; applied versions and closed windows out. The gateway serves on without it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper_util::rt::TokioIo;
use prost::Message as _;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep};
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use weir_proto::lane::v1::lane_client::LaneClient;
use weir_proto::lane::v1::{
    AgentLaneFrame, Applied, ConnectionsAsk, ConnectionsTold, Counters, CountersAck, Draining, GatewayFrame,
    GatewayHello, QuotaWindow, Snapshot, agent_lane_frame, gateway_frame,
};

use super::aside;
use super::conn::Gateway;
use super::identity;
use super::share::Wire;
use super::view::View;
use crate::data_keys::{waits_for_keys, without_keys};
use crate::disk;

/// The largest snapshot accepted.
const SNAPSHOT_LIMIT: usize = 256 * 1024 * 1024;
/// Back-off between attempts: from, to.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Windows that were sent and not acknowledged are sent again after this time.
const RESEND: Duration = Duration::from_secs(15);
/// How often parts of budgets are asked for.
const ASK: Duration = Duration::from_millis(400);
/// How often the use of quotas is reported.
const REPORT: Duration = Duration::from_secs(2);
/// Windows sent at once.
const WINDOWS: usize = 100;

/// The gateway's end of the lane.
#[derive(Debug)]
pub struct Lane {
    /// host:port of the agent.
    pub address: String,
    /// Folder of the certificates.
    pub identity: PathBuf,
    /// Who we are.
    pub gateway_id: String,
    /// Which start of the process.
    pub boot: u64,
    /// Where the snapshot is cached.
    pub cache: PathBuf,
    /// How clients are reached.
    pub wire: Wire,
    /// A window was closed.
    pub closed: Notify,
    /// A window was acknowledged.
    pub acknowledged: Notify,
}

/// Reads the cached snapshot; `None` when there is none.
///
/// # Errors
/// When it is there and cannot be read.
pub fn cached(path: &Path) -> anyhow::Result<Option<Snapshot>> {
    let Some(bytes) = disk::read_bounded(path, SNAPSHOT_LIMIT as u64).context("read the cached snapshot")?
    else {
        return Ok(None);
    };
    let snapshot = Snapshot::decode(&bytes[..]).context("decode the cached snapshot")?;
    Ok(Some(snapshot))
}

impl Lane {
    /// Attaches to the agent, again and again.
    pub async fn run(&self, gateway: &Arc<Gateway>) {
        let (shortest, longest) = BACK_OFF;
        let mut wait = shortest;
        loop {
            let began = Instant::now();
            match self.attach(gateway).await {
                Ok(()) => tracing::info!("the agent closed the lane"),
                Err(error) => tracing::warn!("the lane is down: {error:#}"),
            }
            if began.elapsed() > longest {
                wait = shortest;
            }
            sleep(wait).await;
            wait = (wait * 2).min(longest);
        }
    }

    async fn attach(&self, gateway: &Arc<Gateway>) -> anyhow::Result<()> {
        let channel = self.connect().await?;
        let mut client = LaneClient::new(channel).max_decoding_message_size(SNAPSHOT_LIMIT);
        let (out, frames) = mpsc::channel(256);
        let hello = gateway_frame::Frame::Hello(GatewayHello {
            gateway_id: self.gateway_id.clone(),
            boot: self.boot,
            held_version: gateway.view.load().version,
        });
        out.send(frame(hello)).await?;
        let attached = client.attach(ReceiverStream::new(frames));
        let mut inbound = attached.await.context("attach to the agent")?.into_inner();
        tracing::info!("attached to the agent");
        let mut changed = gateway.changed.subscribe();
        changed.mark_changed();
        let mut draining = gateway.draining.subscribe();
        let mut told = false;
        let mut applying = tokio::task::JoinSet::new();
        let quotas = &gateway.shared.quotas;
        let (mut ask, mut report, mut resend) = (
            interval(ASK),
            interval(REPORT),
            interval_at(Instant::now() + RESEND, RESEND),
        );
        ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        quotas.detached();
        gateway.wishes.intents.line_is_up();
        self.send_windows(gateway, &out).await?;
        loop {
            tokio::select! {
                received = inbound.message() => match received? {
                    Some(AgentLaneFrame { frame: Some(agent_lane_frame::Frame::Snapshot(it)) }) => {
                        self.take(gateway, it).await?;
                    }
                    Some(it) => self.receive(gateway, it, &out)?,
                    None => return Ok(()),
                },
                moved = changed.changed() => {
                    moved?;
                    let version = *changed.borrow_and_update();
                    // A later version makes the report of an earlier one needless.
                    applying.abort_all();
                    applying.spawn(applied(Arc::clone(gateway), version, out.clone()));
                }
                _now = ask.tick() => out.send(frame(gateway_frame::Frame::LeaseRequest(quotas.request()))).await?,
                _now = report.tick() => tell_use(gateway, &out).await?,
                intent = gateway.wishes.intents.next() => {
                    out.send(frame(gateway_frame::Frame::Intent(intent))).await?;
                }
                () = self.closed.notified() => self.send_windows(gateway, &out).await?,
                _now = resend.tick() => self.send_windows(gateway, &out).await?,
                () = stopped(&mut draining), if !told => {
                    told = true;
                    out.send(frame(gateway_frame::Frame::Draining(Draining {}))).await?;
                }
            }
        }
    }

    async fn connect(&self) -> anyhow::Result<tonic::transport::Channel> {
        let config = identity::client_config(&self.identity)?;
        let connector = TlsConnector::from(Arc::new(config));
        let address = self.address.clone();
        let endpoint = Endpoint::from_static("http://lane")
            .connect_timeout(Duration::from_secs(5))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(10))
            .keep_alive_while_idle(true);
        let dial = tower::service_fn(move |_uri: http::Uri| {
            let (connector, address) = (connector.clone(), address.clone());
            async move {
                let stream = tokio::net::TcpStream::connect(&address).await?;
                stream.set_nodelay(true)?;
                let name = rustls::pki_types::ServerName::from(std::net::IpAddr::from([127, 0, 0, 1]));
                connector.connect(name, stream).await.map(TokioIo::new)
            }
        });
        endpoint
            .connect_with_connector(dial)
            .await
            .context("connect to the agent's lane")
    }

    fn receive(
        &self,
        gateway: &Gateway,
        received: AgentLaneFrame,
        out: &mpsc::Sender<GatewayFrame>,
    ) -> anyhow::Result<()> {
        match received.frame {
            Some(agent_lane_frame::Frame::CountersAck(CountersAck { boot, sequence })) => {
                gateway
                    .shared
                    .meter
                    .acknowledged((boot, sequence))
                    .context("forget an acknowledged window")?;
                self.acknowledged.notify_one();
                Ok(())
            }
            Some(agent_lane_frame::Frame::Leases(leases)) => {
                gateway.shared.quotas.leased(&leases);
                Ok(())
            }
            Some(agent_lane_frame::Frame::Connections(ask)) => {
                self.tell_connections(gateway, ask, out);
                Ok(())
            }
            Some(agent_lane_frame::Frame::Storage(told)) => {
                gateway.shared.quotas.stored(&told);
                Ok(())
            }
            Some(agent_lane_frame::Frame::IntentResult(result)) => {
                gateway.wishes.intents.answer(result);
                Ok(())
            }
            // Snapshots are taken where they arrive.
            Some(agent_lane_frame::Frame::Snapshot(_)) | None => Ok(()),
        }
    }

    /// Answers who is connected. When the lane is full, the agent asks no longer by the time it is not.
    fn tell_connections(&self, gateway: &Gateway, ask: ConnectionsAsk, out: &mpsc::Sender<GatewayFrame>) {
        let start = format!("{}.{}", self.gateway_id, self.boot);
        let question = ask.question.unwrap_or_default();
        let answer = gateway.roster.answer(&start, &gateway.view.load(), &question);
        let told = ConnectionsTold {
            ask_id: ask.ask_id,
            answer: Some(answer),
        };
        if out
            .try_send(frame(gateway_frame::Frame::Connections(told)))
            .is_err()
        {
            tracing::debug!("a question about connections stays unanswered");
        }
    }

    /// Puts a newer snapshot in force, then caches it. What takes long is done aside, so that clients are served meanwhile.
    async fn take(&self, gateway: &Arc<Gateway>, snapshot: Snapshot) -> anyhow::Result<()> {
        let (held, waits, version) = {
            let view = gateway.view.load();
            (view.version, view.waits_for_keys, snapshot.version)
        };
        if version < held {
            tracing::error!(held, offered = version, "an older snapshot is not taken");
            return Ok(());
        }
        // The same one with the keys that no disk has.
        if version > held || (waits && version == held && !waits_for_keys(&snapshot)) {
            let (held, wire) = (gateway.view.load_full(), self.wire);
            let built = aside::run(move || (View::build_over(&snapshot, &held, wire), snapshot)).await;
            let (view, snapshot) = built.context("compile the snapshot")?;
            let before = gateway.install(view);
            tracing::info!(version, "a snapshot is in force");
            tokio::spawn(retire(Arc::clone(gateway), version, before));
            let cache = self.cache.clone();
            let cached =
                aside::run(move || disk::write_atomic(&cache, &without_keys(snapshot).encode_to_vec())).await;
            cached.and_then(|it| it).context("cache the snapshot")?;
        }
        Ok(())
    }

    async fn send_windows(&self, gateway: &Gateway, out: &mpsc::Sender<GatewayFrame>) -> anyhow::Result<()> {
        for window in gateway.shared.meter.unacknowledged(WINDOWS)? {
            let counters = Counters { window: Some(window) };
            out.send(frame(gateway_frame::Frame::Counters(counters))).await?;
        }
        Ok(())
    }
}

/// What quotas were used for, and what was judged, since the last time.
async fn tell_use(gateway: &Gateway, out: &mpsc::Sender<GatewayFrame>) -> anyhow::Result<()> {
    if let Some(report) = gateway.shared.quotas.report() {
        let window = QuotaWindow { report: Some(report) };
        out.send(frame(gateway_frame::Frame::QuotaWindow(window))).await?;
    }
    if let Some(window) = gateway.shared.contracts.window() {
        out.send(frame(gateway_frame::Frame::Contracts(window))).await?;
    }
    Ok(())
}

async fn stopped(draining: &mut watch::Receiver<bool>) {
    let _told = draining.wait_for(|it| *it).await;
}

fn frame(frame: gateway_frame::Frame) -> GatewayFrame {
    GatewayFrame { frame: Some(frame) }
}

/// Keeps what was in force until no connection looks at it, so that none of them has to take it apart.
async fn retire(gateway: Arc<Gateway>, version: u64, before: Arc<View>) {
    gateway.live.obey(version).await;
    if let Err(error) = aside::run(move || drop(before)).await {
        tracing::warn!(%error, "a thread cannot be started");
    }
}

/// Reports a version once every live connection obeys it.
async fn applied(gateway: Arc<Gateway>, version: u64, out: mpsc::Sender<GatewayFrame>) {
    gateway.live.obey(version).await;
    let report = gateway_frame::Frame::Applied(Applied { version });
    if out.send(frame(report)).await.is_err() {
        tracing::debug!(version, "the lane went down before the version was reported");
    }
}
