//! A gateway without clients, for tests: attaches to the lane, acknowledges snapshots, hands over windows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};
use weir_proto::agent::v1::{ConnectionsAnswer, Intent, IntentResult, QuotaReport, UsageWindow};
use weir_proto::lane::v1::agent_lane_frame::Frame as Down;
use weir_proto::lane::v1::gateway_frame::Frame as Up;
use weir_proto::lane::v1::lane_client::LaneClient;
use weir_proto::lane::v1::{
    Applied, BudgetNeed, ConnectionsAsk, ConnectionsTold, ContractWindow, Counters, CountersAck, Draining,
    GatewayFrame, GatewayHello, LeaseRequest, Leases, QuotaWindow, Snapshot, StorageUse,
};

use crate::local_tls::Identity;

/// An attached gateway. Detaches when dropped.
pub struct FakeGateway {
    up: mpsc::Sender<GatewayFrame>,
    snapshots: watch::Receiver<Option<Snapshot>>,
    acknowledgements: mpsc::Receiver<CountersAck>,
    leases: watch::Receiver<Option<Leases>>,
    results: mpsc::Receiver<IntentResult>,
    storage: watch::Receiver<StorageUse>,
    connected: watch::Sender<ConnectionsAnswer>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for FakeGateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the lane as a gateway does, with the certificate that the agent made for it.
async fn dial(state_dir: &Path, lane_port: u16) -> anyhow::Result<Channel> {
    let identity = Identity::read(&state_dir.join("lane").join("gateway"))?;
    let connector = TlsConnector::from(Arc::new(identity.mutual_client()?));
    let dial = tower::service_fn(move |_uri: Uri| {
        let connector = connector.clone();
        async move {
            let tcp = TcpStream::connect(("127.0.0.1", lane_port)).await?;
            let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, tcp).await?))
        }
    });
    let channel = Endpoint::from_static("http://lane")
        .connect_with_connector(dial)
        .await?;
    Ok(channel)
}

/// The answer to a question about one cluster.
fn told(ask: ConnectionsAsk, mut connected: ConnectionsAnswer) -> GatewayFrame {
    let cluster = ask.question.map(|it| it.cluster_id).unwrap_or_default();
    connected.connections.retain(|it| it.id.starts_with(&cluster));
    let told = ConnectionsTold {
        ask_id: ask.ask_id,
        answer: Some(connected),
    };
    GatewayFrame {
        frame: Some(Up::Connections(told)),
    }
}

impl FakeGateway {
    /// Dials the lane of the agent whose state is in `state_dir`, and says hello. With `obedient` it acknowledges every snapshot.
    ///
    /// # Errors
    /// When the lane does not take it.
    pub async fn attach(
        state_dir: &Path,
        lane_port: u16,
        gateway_id: &str,
        boot: u64,
        obedient: bool,
    ) -> anyhow::Result<Self> {
        let channel = dial(state_dir, lane_port).await?;
        let (up, frames) = mpsc::channel(16);
        let hello = GatewayHello {
            gateway_id: gateway_id.to_owned(),
            boot,
            held_version: 0,
        };
        up.send(GatewayFrame {
            frame: Some(Up::Hello(hello)),
        })
        .await?;
        let mut down = LaneClient::new(channel)
            .max_decoding_message_size(64 * 1024 * 1024)
            .attach(ReceiverStream::new(frames))
            .await?
            .into_inner();
        let (seen, snapshots) = watch::channel(None);
        let (acknowledged, acknowledgements) = mpsc::channel(64);
        let (leased, leases) = watch::channel(None);
        let (resulted, results) = mpsc::channel(64);
        let (stored, storage) = watch::channel(StorageUse::default());
        let (connected, connections) = watch::channel(ConnectionsAnswer::default());
        let answer = up.clone();
        let task = tokio::spawn(async move {
            while let Ok(Some(frame)) = down.message().await {
                match frame.frame {
                    Some(Down::Snapshot(snapshot)) => {
                        let version = snapshot.version;
                        seen.send_replace(Some(snapshot));
                        let applied = GatewayFrame {
                            frame: Some(Up::Applied(Applied { version })),
                        };
                        if obedient && answer.send(applied).await.is_err() {
                            return;
                        }
                    }
                    Some(Down::CountersAck(ack)) => {
                        let _nobody_waits = acknowledged.send(ack).await;
                    }
                    Some(Down::Leases(leases)) => {
                        leased.send_replace(Some(leases));
                    }
                    Some(Down::IntentResult(result)) => {
                        let _nobody_waits = resulted.send(result).await;
                    }
                    Some(Down::Connections(ask)) => {
                        let told = told(ask, connections.borrow().clone());
                        if answer.send(told).await.is_err() {
                            return;
                        }
                    }
                    Some(Down::Storage(told)) => {
                        stored.send_replace(told);
                    }
                    None => {}
                }
            }
        });
        Ok(Self {
            up,
            snapshots,
            acknowledgements,
            leases,
            results,
            storage,
            connected,
            task,
        })
    }

    /// The newest snapshot, once it fits.
    ///
    /// # Errors
    /// When none comes that fits within `limit`.
    pub async fn snapshot(
        &mut self,
        limit: Duration,
        fits: impl FnMut(&Snapshot) -> bool,
    ) -> anyhow::Result<Snapshot> {
        let mut fits = fits;
        let wanted = self
            .snapshots
            .wait_for(|snapshot| snapshot.as_ref().is_some_and(&mut fits));
        let found = tokio::time::timeout(limit, wanted).await??.clone();
        found.ok_or_else(|| anyhow::anyhow!("no snapshot"))
    }

    /// Who is connected; the ids of a cluster's connections begin with the cluster's.
    pub fn set_connected(&self, connected: ConnectionsAnswer) {
        self.connected.send_replace(connected);
    }

    /// What clusters hold, once it fits.
    ///
    /// # Errors
    /// When nothing comes that fits within `limit`.
    pub async fn storage(
        &mut self,
        limit: Duration,
        fits: impl FnMut(&StorageUse) -> bool,
    ) -> anyhow::Result<StorageUse> {
        let wanted = self.storage.wait_for(fits);
        Ok(tokio::time::timeout(limit, wanted).await??.clone())
    }

    /// Acknowledges a version by hand.
    ///
    /// # Errors
    /// When the lane ended.
    pub async fn acknowledge(&self, version: u64) -> anyhow::Result<()> {
        let frame = Some(Up::Applied(Applied { version }));
        Ok(self.up.send(GatewayFrame { frame }).await?)
    }

    /// Asks for parts of budgets, again and again until they are lent.
    ///
    /// # Errors
    /// When none are within ten seconds.
    pub async fn lease(&mut self, gateways: u32, needs: Vec<BudgetNeed>) -> anyhow::Result<Leases> {
        let asking = async {
            for sequence in 1.. {
                let request = LeaseRequest {
                    sequence,
                    seen: 0,
                    gateways,
                    needs: needs.clone(),
                };
                let frame = Some(Up::LeaseRequest(request));
                self.up.send(GatewayFrame { frame }).await?;
                let lent = tokio::time::timeout(Duration::from_millis(200), self.leases.changed()).await;
                if let Ok(changed) = lent {
                    changed?;
                    break;
                }
            }
            let lent = self.leases.borrow_and_update().clone();
            lent.ok_or_else(|| anyhow::anyhow!("no leases"))
        };
        tokio::time::timeout(Duration::from_secs(10), asking).await?
    }

    /// Takes no new clients from now on.
    ///
    /// # Errors
    /// When the lane ended.
    pub async fn drain(&self) -> anyhow::Result<()> {
        let frame = Some(Up::Draining(Draining {}));
        Ok(self.up.send(GatewayFrame { frame }).await?)
    }

    /// Tells what quotas were used for.
    ///
    /// # Errors
    /// When the lane ended.
    pub async fn report(&self, report: QuotaReport) -> anyhow::Result<()> {
        let window = QuotaWindow { report: Some(report) };
        let frame = Some(Up::QuotaWindow(window));
        Ok(self.up.send(GatewayFrame { frame }).await?)
    }

    /// Tells what was judged of topics with a contract.
    ///
    /// # Errors
    /// When the lane ended.
    pub async fn judged(&self, window: ContractWindow) -> anyhow::Result<()> {
        let frame = Some(Up::Contracts(window));
        Ok(self.up.send(GatewayFrame { frame }).await?)
    }

    /// Sends a client's administrative wish.
    ///
    /// # Errors
    /// When the lane ended.
    pub async fn intend(&self, intent: Intent) -> anyhow::Result<()> {
        let frame = Some(Up::Intent(intent));
        Ok(self.up.send(GatewayFrame { frame }).await?)
    }

    /// The next result of a wish.
    ///
    /// # Errors
    /// When none comes within `limit`.
    pub async fn result(&mut self, limit: Duration) -> anyhow::Result<IntentResult> {
        let result = tokio::time::timeout(limit, self.results.recv()).await?;
        result.ok_or_else(|| anyhow::anyhow!("the lane ended"))
    }

    /// Hands a window over and waits until the agent has it on disk.
    ///
    /// # Errors
    /// When it is not acknowledged within ten seconds.
    pub async fn hand_over(&mut self, window: UsageWindow) -> anyhow::Result<CountersAck> {
        let frame = Some(Up::Counters(Counters { window: Some(window) }));
        self.up.send(GatewayFrame { frame }).await?;
        let acknowledged =
            tokio::time::timeout(Duration::from_secs(10), self.acknowledgements.recv()).await?;
        acknowledged.ok_or_else(|| anyhow::anyhow!("the lane ended"))
    }
}
