//! The lane's server: gateways dial it on this machine, both sides show certificates of the agent's own authority.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use weir_proto::agent::v1::{Intent, IntentOutcome, UsageWindow};
use weir_proto::lane::v1::agent_lane_frame::Frame as Down;
use weir_proto::lane::v1::gateway_frame::Frame as Up;
use weir_proto::lane::v1::lane_server::{Lane, LaneServer as LaneService};
use weir_proto::lane::v1::{AgentLaneFrame, CountersAck, GatewayFrame, GatewayHello, Snapshot, StorageUse};

use super::budgets::Budgets;
use super::gateways::{Attached, Gateways};
use super::questions::Questions;
use crate::contract_counts::ContractCounts;
use crate::intents::{Intents, own_result};
use crate::local_tls::{Identity, LANE_GATEWAY, TlsError, incoming};
use crate::metering::{Refused, Store};
use crate::quota_uses::QuotaUses;

const HELLO_MAX: Duration = Duration::from_secs(10);
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
const CONNECTIONS_MAX: usize = 64;
/// Administrative wishes of one gateway that are under way.
const INTENTS_MAX: usize = 1024;

/// What the lane serves from.
#[derive(Clone)]
pub struct LaneServer {
    /// Who is attached.
    pub gateways: Arc<Gateways>,
    /// Where usage windows go.
    pub usage: Arc<Store>,
    /// The newest snapshot.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// Who lends parts of budgets.
    pub budgets: Arc<Budgets>,
    /// Where use of quotas goes.
    pub uses: Arc<QuotaUses>,
    /// Where counts of what was judged go.
    pub contracts: Arc<ContractCounts>,
    /// Clients' administrative wishes on their way home.
    pub intents: Arc<Intents>,
    /// What clusters hold, whenever it was measured.
    pub storage: watch::Receiver<Arc<StorageUse>>,
    /// Questions to gateways.
    pub questions: Arc<Questions>,
}

/// Serves the lane on `listener` until `stop`.
///
/// # Errors
/// When the identity cannot be used.
pub fn serve(
    lane: LaneServer,
    listener: TcpListener,
    identity_folder: &Path,
    stop: CancellationToken,
) -> Result<tokio::task::JoinHandle<()>, TlsError> {
    let config = Identity::read(identity_folder)?.mutual_server()?;
    let connections = incoming(listener, config, Some(LANE_GATEWAY), CONNECTIONS_MAX);
    let service = LaneService::new(lane).max_decoding_message_size(FRAME_BYTES_MAX);
    let server = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(5)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .add_service(service);
    Ok(tokio::spawn(async move {
        let serving = server.serve_with_incoming(ReceiverStream::new(connections));
        tokio::select! {
            // Attached gateways never end their stream by themselves: dropping the server ends them.
            () = stop.cancelled() => {}
            served = serving => if let Err(error) = served {
                tracing::error!(%error, "the lane ended");
            }
        }
    }))
}

#[tonic::async_trait]
impl Lane for LaneServer {
    type AttachStream = Pin<Box<dyn Stream<Item = Result<AgentLaneFrame, Status>> + Send>>;

    async fn attach(
        &self,
        request: Request<Streaming<GatewayFrame>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let (down, frames) = mpsc::channel(16);
        let (lane, up) = (self.clone(), request.into_inner());
        tokio::spawn(async move {
            let told = down.clone();
            if let Err(status) = lane.session(up, down).await {
                tracing::info!(code = ?status.code(), "a gateway's session ended");
                let _gone = told.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(frames))))
    }
}

type DownSender = mpsc::Sender<Result<AgentLaneFrame, Status>>;

impl LaneServer {
    async fn session(&self, mut up: Streaming<GatewayFrame>, down: DownSender) -> Result<(), Status> {
        let first = tokio::time::timeout(HELLO_MAX, up.message())
            .await
            .map_err(|_late| Status::deadline_exceeded("no hello"))??;
        let Some(GatewayFrame {
            frame: Some(Up::Hello(hello)),
        }) = first
        else {
            return Err(Status::invalid_argument("the first frame is a hello"));
        };
        let attached = self.gateways.attach(&hello.gateway_id, hello.held_version);
        tracing::info!(
            gateway = hello.gateway_id,
            boot = hello.boot,
            "a gateway is attached"
        );
        let mut leaving = false;
        let ended = self
            .converse(&mut up, &hello, &attached, &down, &mut leaving)
            .await;
        if leaving {
            // It ended in order: what it had is for others.
            self.budgets.leave(&hello.gateway_id).await;
        }
        ended
    }

    async fn converse(
        &self,
        up: &mut Streaming<GatewayFrame>,
        hello: &GatewayHello,
        attached: &Attached,
        down: &DownSender,
        leaving: &mut bool,
    ) -> Result<(), Status> {
        let mut snapshots = self.snapshot.clone();
        snapshots.mark_changed();
        let mut storage = self.storage.clone();
        storage.mark_changed();
        let mut listener = self.questions.attach();
        // They end with the session: the gateway asks again when it is back.
        let mut intents = JoinSet::new();
        loop {
            tokio::select! {
                changed = snapshots.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    let snapshot = Arc::clone(&snapshots.borrow_and_update());
                    // Version 0 is nothing at all: not even an empty snapshot.
                    if snapshot.version > 0 {
                        tell(down, Down::Snapshot((*snapshot).clone())).await?;
                    }
                }
                Some(ask) = listener.next() => tell(down, Down::Connections(ask)).await?,
                Ok(()) = storage.changed() => {
                    let told = Arc::clone(&storage.borrow_and_update());
                    tell(down, Down::Storage((*told).clone())).await?;
                }
                frame = up.message() => match frame? {
                    None => return Ok(()),
                    Some(GatewayFrame { frame: Some(Up::Intent(intent)) }) => {
                        self.carry(intent, hello, &mut intents, down).await?;
                    }
                    Some(GatewayFrame { frame: Some(Up::Connections(told)) }) => listener.told(told),
                    Some(frame) => self.take(frame, hello, attached, down, leaving).await?,
                },
                Some(_told) = intents.join_next() => {}
            }
        }
    }

    async fn take(
        &self,
        frame: GatewayFrame,
        hello: &GatewayHello,
        attached: &Attached,
        down: &DownSender,
        leaving: &mut bool,
    ) -> Result<(), Status> {
        match frame.frame {
            Some(Up::Applied(applied)) => attached.applied(applied.version),
            Some(Up::Draining(_)) => {
                attached.draining();
                *leaving = true;
            }
            Some(Up::Counters(counters)) => {
                let window = counters
                    .window
                    .ok_or_else(|| Status::invalid_argument("no window"))?;
                if window.gateway_id != hello.gateway_id {
                    return Err(Status::permission_denied("a window of another gateway"));
                }
                let ack = CountersAck {
                    boot: window.boot,
                    sequence: window.sequence,
                };
                self.store(window).await?;
                tell(down, Down::CountersAck(ack)).await?;
            }
            Some(Up::LeaseRequest(request)) => {
                if let Some(leases) = self.budgets.answer(&hello.gateway_id, &request).await {
                    tell(down, Down::Leases(leases)).await?;
                }
            }
            Some(Up::QuotaWindow(window)) => self.uses.add(window.report.unwrap_or_default()),
            Some(Up::Contracts(window)) => self.contracts.add(window),
            Some(Up::Hello(_) | Up::Intent(_) | Up::Connections(_)) | None => {
                return Err(Status::invalid_argument("an unexpected frame"));
            }
        }
        Ok(())
    }

    /// Sends a wish home; its result goes to the gateway whenever it comes.
    async fn carry(
        &self,
        intent: Intent,
        hello: &GatewayHello,
        under_way: &mut JoinSet<()>,
        down: &DownSender,
    ) -> Result<(), Status> {
        if (&intent.gateway_id, intent.gateway_boot) != (&hello.gateway_id, hello.boot) {
            return Err(Status::permission_denied("a wish of another gateway"));
        }
        if under_way.len() >= INTENTS_MAX {
            let detail = "Too many administrative requests are under way; try again.";
            let full = own_result(&intent, IntentOutcome::Unavailable, detail);
            return tell(down, Down::IntentResult(full)).await;
        }
        let (intents, down) = (Arc::clone(&self.intents), down.clone());
        under_way.spawn(async move {
            let result = intents.carry(intent).await;
            let _gone = tell(&down, Down::IntentResult(result)).await;
        });
        Ok(())
    }

    /// On disk before it is acknowledged.
    async fn store(&self, window: UsageWindow) -> Result<(), Status> {
        let store = Arc::clone(&self.usage);
        let stored = tokio::task::spawn_blocking(move || store.put(&window))
            .await
            .map_err(|_panicked| Status::internal("the window was not stored"))?;
        match stored {
            Ok(_new) => Ok(()),
            Err(error @ (Refused::Form | Refused::Full | Refused::File(_))) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a usage window was not stored; its gateway keeps it"
                );
                Err(Status::resource_exhausted("the window was not stored"))
            }
        }
    }
}

async fn tell(down: &DownSender, frame: Down) -> Result<(), Status> {
    down.send(Ok(AgentLaneFrame { frame: Some(frame) }))
        .await
        .map_err(|_gone| Status::cancelled("the gateway left"))
}
