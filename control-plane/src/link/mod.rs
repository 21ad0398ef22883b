//! The agents' door: enrolment, sessions, desired state down, reports and usage up.

pub mod ca;
mod cluster_link;
mod desired;
mod enroll;
mod identity;
mod intent;
mod job;
mod judged;
mod lag;
mod limit;
mod quota;
mod report;
mod session;
pub mod signing;
pub mod tls;
mod usage;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::Stream;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use weir_proto::agent::v1::enrollment_server::{Enrollment, EnrollmentServer};
use weir_proto::agent::v1::link_server::{Link, LinkServer};
use weir_proto::agent::v1::{AgentFrame, ControlFrame, EnrollRequest, EnrollResponse, RenewRequest};

use self::ca::Ca;
use self::limit::Addresses;
use self::session::standing::Standings;
use self::signing::SigningKey;
use self::tls::{DoorTls, Peer};
use crate::kernel::{Error, ErrorKind};
use crate::runtime::App;

/// The largest frame from an agent.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Failed enrolments of one address: this many at once, then one every six seconds.
const ENROLMENTS_AT_ONCE: f64 = 10.0;
const ENROLMENTS_PER_SECOND: f64 = 1.0 / 6.0;
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
const CERTIFICATE_CHECK: Duration = Duration::from_secs(6 * 3600);

/// What all sessions share.
struct Door {
    app: App,
    ca: Arc<Ca>,
    signing: SigningKey,
    standings: Standings,
    enrolments: Addresses,
    stop: CancellationToken,
}

/// The keys behind the door, from the state directory.
#[derive(Debug)]
pub struct Keys {
    /// Signs agents' certificates.
    pub ca: Arc<Ca>,
    /// Signs desired states.
    pub signing: SigningKey,
    /// What connections meet.
    pub tls: Arc<DoorTls>,
}

impl Keys {
    /// Reads the keys, or makes them. `hosts` are the names and addresses that the server is reached under.
    ///
    /// # Errors
    /// When a file cannot be read, made or understood.
    pub fn load_or_create(state_dir: &std::path::Path, hosts: Vec<String>) -> anyhow::Result<Self> {
        let now = Utc::now();
        let ca = Arc::new(Ca::load_or_create(state_dir, now)?);
        let signing = SigningKey::load_or_create(state_dir)?;
        let tls = Arc::new(DoorTls::new(Arc::clone(&ca), hosts, now)?);
        Ok(Self { ca, signing, tls })
    }
}

/// Serves agents until `stop`.
///
/// # Errors
/// When the server fails.
pub async fn serve(
    app: App,
    keys: Keys,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let Keys { ca, signing, tls } = keys;
    let door = Arc::new(Door {
        app: app.clone(),
        ca,
        signing,
        standings: Standings::default(),
        enrolments: Addresses::new(ENROLMENTS_AT_ONCE, ENROLMENTS_PER_SECOND),
        stop: stop.clone(),
    });
    let standings = tokio::spawn(door.standings.clone().keep(app, stop.clone()));
    let certificates = tokio::spawn(keep_certificate(Arc::clone(&tls), stop.clone()));
    let incoming = tls::incoming(listener, tls, stop.clone());
    let enrollment = EnrollmentServer::new(Services(Arc::clone(&door))).max_decoding_message_size(64 * 1024);
    let link = LinkServer::new(Services(door))
        .max_decoding_message_size(FRAME_BYTES_MAX)
        .max_encoding_message_size(weir_proto::desired::BODY_BYTES_MAX + 64 * 1024);
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(8)
        .http2_max_header_list_size(8 * 1024)
        .add_service(enrollment)
        .add_service(link)
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await?;
    standings.await?;
    certificates.await?;
    Ok(())
}

async fn keep_certificate(tls: Arc<DoorTls>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(CERTIFICATE_CHECK) => {}
        }
        if let Err(error) = tls.refresh(Utc::now()) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "renew the certificate of the agents' door"
            );
        }
    }
}

/// The two gRPC services.
struct Services(Arc<Door>);

fn peer_of<T>(request: &Request<T>) -> Result<Peer, Status> {
    let peer = request.extensions().get::<Peer>().cloned();
    peer.ok_or_else(|| Status::internal("the connection is unknown"))
}

/// Runs to its end also when the caller goes away meanwhile.
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Status>> + Send + 'static,
) -> Result<T, Status> {
    tokio::spawn(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a call of the agents' door died");
        Err(Status::internal("the control plane failed"))
    })
}

#[tonic::async_trait]
impl Enrollment for Services {
    async fn enroll(&self, request: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        let peer = peer_of(&request)?;
        let door = Arc::clone(&self.0);
        let answer =
            detached(async move { enroll::enroll(&door, &peer, request.into_inner()).await }).await?;
        Ok(Response::new(answer))
    }
}

#[tonic::async_trait]
impl Link for Services {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<ControlFrame, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<AgentFrame>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let peer = peer_of(&request)?;
        let (out, frames) = mpsc::channel(16);
        session::open(&self.0, peer, request.into_inner(), out).await?;
        Ok(Response::new(Box::pin(ReceiverStream::new(frames))))
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<EnrollResponse>, Status> {
        let peer = peer_of(&request)?;
        let door = Arc::clone(&self.0);
        let RenewRequest { csr_pem } = request.into_inner();
        let answer = detached(async move { enroll::renew(&door, &peer, &csr_pem).await }).await?;
        Ok(Response::new(answer))
    }
}

/// An error as a gRPC status. What failed inside stays in the log.
fn refused(error: Error) -> Status {
    match error.kind {
        ErrorKind::Unavailable => Status::unavailable(error.detail),
        ErrorKind::Conflict => Status::already_exists(error.detail),
        ErrorKind::Internal => {
            tracing::error!(error = &error as &dyn std::error::Error, "serve an agent");
            Status::internal("the control plane failed; try again")
        }
        _other => Status::failed_precondition(error.detail),
    }
}
