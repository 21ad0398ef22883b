//! A control plane without a memory: an authority, a signing key, and a script of what to say.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use weir_agent::local_tls::{incoming, provider};
use weir_credentials::sha256;
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::enrollment_server::{Enrollment, EnrollmentServer};
use weir_proto::agent::v1::link_server::{Link, LinkServer};
use weir_proto::agent::v1::{
    AgentFrame, Ask, ControlFrame, DesiredFrame, DesiredState, EnrollRequest, EnrollResponse, Generation,
    RenewRequest, SignedAsk, Welcome,
};
use weir_proto::desired::seal;

pub const DATA_PLANE: &str = "data_plane_01test";
pub const TOKEN: &str = "weire_secret_canary_token";

/// Cloning shares it.
#[derive(Clone)]
pub struct ControlPlane {
    pub address: SocketAddr,
    pub ca_sha256: [u8; 32],
    inner: Arc<Inner>,
    server: Arc<Mutex<Option<tokio::task::JoinHandle<()>>>>,
}

struct Inner {
    authority: CertifiedIssuer<'static, KeyPair>,
    pub signing: Ed25519KeyPair,
    received: Arc<Mutex<Vec<AgentFrame>>>,
    arrived: Arc<Notify>,
    down: Mutex<Option<mpsc::Sender<Result<ControlFrame, Status>>>>,
    on_hello: Mutex<Option<DesiredFrame>>,
    certificate_life: Mutex<Duration>,
    renewals: Mutex<u32>,
}

pub fn signing_key() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
}

impl ControlPlane {
    pub async fn start() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let inner = Arc::new(Inner {
            authority,
            signing: signing_key(),
            received: Arc::default(),
            arrived: Arc::default(),
            down: Mutex::default(),
            on_hello: Mutex::default(),
            certificate_life: Mutex::new(Duration::from_secs(24 * 3600)),
            renewals: Mutex::default(),
        });
        let this = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ca_sha256: sha256(inner.authority.der()),
            inner,
            server: Arc::default(),
        };
        this.listen().await
    }

    async fn listen(mut self) -> Self {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let connections = incoming(listener, self.tls(), None, 64);
        let router = tonic::transport::Server::builder()
            .add_service(EnrollmentServer::from_arc(Arc::clone(&self.inner)))
            .add_service(LinkServer::from_arc(Arc::clone(&self.inner)));
        let task = tokio::spawn(async move {
            router
                .serve_with_incoming(ReceiverStream::new(connections))
                .await
                .unwrap();
        });
        *self.server.lock().unwrap() = Some(task);
        self
    }

    fn tls(&self) -> ServerConfig {
        let authority = &self.inner.authority;
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["control-plane".to_owned()])
            .unwrap()
            .signed_by(&key, authority)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .allow_unauthenticated()
            .build()
            .unwrap();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![leaf.der().clone(), authority.der().clone()],
                key.serialize_der().try_into().unwrap(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    /// Goes away: the listener closes and every session ends.
    pub fn vanish(&self) {
        self.inner.down.lock().unwrap().take();
        if let Some(server) = self.server.lock().unwrap().take() {
            server.abort();
        }
    }

    /// Comes back under the same address.
    pub async fn return_again(self) -> Self {
        self.listen().await
    }

    /// Seals a state with the real key.
    pub fn seal(&self, epoch: u64, n: u64, state: &DesiredState) -> DesiredFrame {
        use prost::Message;
        let expires = i64::try_from(weir_agent::link::ledger::unix_ms() / 1000).unwrap() + 3600;
        seal(
            &self.inner.signing,
            Generation { epoch, n },
            expires,
            state.encode_to_vec(),
        )
    }

    /// A question for the session that is open, signed by `key` or by the real one.
    pub fn ask(&self, ask_id: u64, question: Question, key: Option<&Ed25519KeyPair>) -> SignedAsk {
        let session = self.received().into_iter().rev().find_map(|it| match it.frame {
            Some(Up::Hello(hello)) => Some(hello.session),
            _other => None,
        });
        let ask = Ask {
            ask_id,
            deadline_ms: 5_000,
            data_plane_id: DATA_PLANE.to_owned(),
            session: session.unwrap(),
            expires_at_unix_seconds: i64::MAX,
            question: Some(question),
        };
        weir_proto::ask::seal(key.unwrap_or(&self.inner.signing), &ask)
    }

    /// Sends a frame now, and the same after every later hello.
    pub async fn wish(&self, frame: DesiredFrame) {
        *self.inner.on_hello.lock().unwrap() = Some(frame.clone());
        self.send(Down::Desired(frame)).await;
    }

    /// Sends any frame, if a session is open.
    pub async fn send(&self, frame: Down) {
        let down = self.inner.down.lock().unwrap().clone();
        if let Some(down) = down {
            let _ended = down.send(Ok(ControlFrame { frame: Some(frame) })).await;
        }
    }

    pub fn set_certificate_life(&self, life: Duration) {
        *self.inner.certificate_life.lock().unwrap() = life;
    }

    pub fn renewals(&self) -> u32 {
        *self.inner.renewals.lock().unwrap()
    }

    pub fn received(&self) -> Vec<AgentFrame> {
        self.inner.received.lock().unwrap().clone()
    }

    pub fn forget_received(&self) {
        self.inner.received.lock().unwrap().clear();
    }

    /// Waits until what has been received satisfies `look`.
    pub async fn until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&[AgentFrame]) -> Option<T>,
    ) -> T {
        let found = tokio::time::timeout(limit, async {
            loop {
                let arrived = self.inner.arrived.notified();
                tokio::pin!(arrived);
                arrived.as_mut().enable();
                if let Some(found) = look(&self.inner.received.lock().unwrap()) {
                    return found;
                }
                arrived.await;
            }
        });
        found.await.unwrap_or_else(|_late| {
            let received = self.received();
            let last = &received[received.len().saturating_sub(12)..];
            panic!("not in time: {what}; the last frames: {last:#?}")
        })
    }
}

impl Inner {
    fn certificate(&self, csr_pem: &str) -> Result<EnrollResponse, Status> {
        let mut request = CertificateSigningRequestParams::from_pem(csr_pem)
            .map_err(|_malformed| Status::invalid_argument("csr"))?;
        let life = *self.certificate_life.lock().unwrap();
        let now = time::OffsetDateTime::now_utc();
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = vec![SanType::URI(
            format!("weir://data-plane/{DATA_PLANE}").try_into().unwrap(),
        )];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        parameters.not_before = now;
        parameters.not_after = now + life;
        request.params = parameters;
        let leaf = request.signed_by(&self.authority).unwrap();
        Ok(EnrollResponse {
            data_plane_id: DATA_PLANE.to_owned(),
            certificate_pem: format!("{}{}", leaf.pem(), self.authority.pem()),
            signing_public_key: self.signing.public_key().as_ref().to_vec(),
            not_after_unix_seconds: (now + life).unix_timestamp(),
        })
    }
}

#[tonic::async_trait]
impl Enrollment for Inner {
    async fn enroll(&self, request: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        let request = request.into_inner();
        if request.token != TOKEN {
            return Err(Status::permission_denied("canary in a status text"));
        }
        self.certificate(&request.csr_pem).map(Response::new)
    }
}

#[tonic::async_trait]
impl Link for Inner {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<ControlFrame, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<AgentFrame>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let mut up = request.into_inner();
        let hello = up.next().await.ok_or_else(|| Status::aborted("no hello"))??;
        assert!(matches!(hello.frame, Some(Up::Hello(_))), "hello comes first");
        self.received.lock().unwrap().push(hello);
        let (down, frames) = mpsc::channel(64);
        *self.down.lock().unwrap() = Some(down.clone());
        let say = |frame| Ok(ControlFrame { frame: Some(frame) });
        let welcome = Welcome {
            heartbeat_interval_ms: 500,
        };
        down.send(say(Down::Welcome(welcome))).await.unwrap();
        let wish = self.on_hello.lock().unwrap().clone();
        if let Some(wish) = wish {
            down.send(say(Down::Desired(wish))).await.unwrap();
        }
        self.arrived.notify_waiters();
        let (received, arrived) = (Arc::clone(&self.received), Arc::clone(&self.arrived));
        tokio::spawn(async move {
            while let Some(Ok(frame)) = up.next().await {
                received.lock().unwrap().push(frame);
                arrived.notify_waiters();
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(frames))))
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<EnrollResponse>, Status> {
        *self.renewals.lock().unwrap() += 1;
        self.arrived.notify_waiters();
        self.certificate(&request.into_inner().csr_pem).map(Response::new)
    }
}
