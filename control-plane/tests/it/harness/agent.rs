//! A fake agent: enrols, keeps a session, verifies what it is sent, and says what a test wants it to say. Speaks to
//! the real gRPC server over real mutual TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use prost::Message as _;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};
use uuid::Uuid;
use weir_control_plane::kernel::{DataPlaneId, Id, kind};
use weir_control_plane::link::ca::Ca;
use weir_control_plane::link::{self, Keys};
use weir_control_plane::runtime::App;
use weir_credentials::{Secret, SecretKind};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::enrollment_client::EnrollmentClient;
use weir_proto::agent::v1::link_client::LinkClient;
use weir_proto::agent::v1::{
    AgentFrame, ControlFrame, DesiredFrame, DesiredState, EnrollRequest, EnrollResponse, Generation, Hello,
    RenewRequest, UsageAck, UsageReport, UsageWindow, Welcome,
};

use super::database::{Database, TenantIds};
use super::{Bench, Caller};

/// Nothing in these tests takes so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

impl Bench {
    /// The agents' door of this control plane, with its wake-ups running.
    pub async fn door(&self) -> Door {
        Door::open(&self.app).await
    }

    /// An operator.
    pub async fn operator(&self) -> Caller {
        let token = self.database.member(None, "OPERATOR").await;
        Caller::new(self.router.clone(), Some(token))
    }
}

/// A running agents' door.
pub struct Door {
    pub address: SocketAddr,
    ca: CertificateDer<'static>,
    authority: Arc<Ca>,
    dialled: Arc<AtomicUsize>,
    _keys: tempfile::TempDir,
    _stop: tokio_util::sync::DropGuard,
}

impl Door {
    pub async fn open(app: &App) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let keys = Keys::load_or_create(directory.path(), vec!["127.0.0.1".into()]).expect("keys");
        let (ca, authority) = (keys.ca.certificate(), Arc::clone(&keys.ca));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        tokio::spawn(app.wake.clone().run(app.db.clone(), stop.clone()));
        tokio::spawn(link::serve(app.clone(), keys, listener, stop.clone()));
        Self {
            address,
            ca,
            authority,
            dialled: Arc::default(),
            _keys: directory,
            _stop: stop.drop_guard(),
        }
    }

    /// A connection that shows this identity, or none.
    pub async fn connect(&self, identity: Option<&Identity>) -> Result<Channel, tonic::transport::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).expect("the authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let chain = CertificateDer::pem_slice_iter(identity.certificate_pem.as_bytes());
                let chain = chain.collect::<Result<_, _>>().expect("certificates");
                let key: PrivateKeyDer<'static> =
                    PrivatePkcs8KeyDer::from(identity.key.serialize_der()).into();
                config.with_client_auth_cert(chain, key).expect("a key that fits")
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let (address, dialled) = (self.address, Arc::clone(&self.dialled));
        let connect = tower::service_fn(move |_uri: http::Uri| {
            let connector = connector.clone();
            dialled.fetch_add(1, Ordering::Relaxed);
            async move {
                let socket = TcpStream::connect(address).await?;
                let name = ServerName::IpAddress(address.ip().into());
                Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, socket).await?))
            }
        });
        Endpoint::from_static("http://door")
            .connect_with_connector(connect)
            .await
    }

    /// How many connections were begun.
    pub fn dialled(&self) -> usize {
        self.dialled.load(Ordering::Relaxed)
    }

    pub async fn enroll(&self, token: &str) -> Result<Identity, Status> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        self.enroll_with(token, key).await
    }

    pub async fn enroll_with(&self, token: &str, key: KeyPair) -> Result<Identity, Status> {
        let request = EnrollRequest {
            token: token.to_owned(),
            csr_pem: csr(&key),
        };
        let channel = self.connect(None).await.expect("connect");
        let response = EnrollmentClient::new(channel).enroll(request).await?;
        Ok(Identity::of(key, response.into_inner()))
    }

    /// The identity as it would be had its certificate been issued that long ago.
    pub fn aged(&self, identity: &Identity, by: chrono::TimeDelta) -> Identity {
        let then = chrono::Utc::now() - by;
        let issued = self
            .authority
            .issue(&csr(&identity.key), &identity.data_plane, then);
        Identity {
            key: KeyPair::from_pem(&identity.key.serialize_pem()).expect("the key"),
            certificate_pem: issued.expect("a certificate").chain_pem,
            data_plane: identity.data_plane.clone(),
            signing_key: identity.signing_key.clone(),
        }
    }

    /// Renews with a certificate, or by proof of the key alone; `fresh` makes a new key.
    pub async fn renew(
        &self,
        identity: &Identity,
        with_certificate: bool,
        fresh: bool,
    ) -> Result<Identity, Status> {
        let pem = identity.key.serialize_pem();
        let key = if fresh {
            KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
        } else {
            KeyPair::from_pem(&pem).expect("the key")
        };
        let channel = self
            .connect(with_certificate.then_some(identity))
            .await
            .expect("connect");
        let response = LinkClient::new(channel)
            .renew(RenewRequest { csr_pem: csr(&key) })
            .await?;
        Ok(Identity::of(key, response.into_inner()))
    }

    pub fn hello(instance: u64, accepted: Generation) -> Up {
        Up::Hello(Hello {
            agent_version: "0.1.0".into(),
            instance,
            accepted: Some(accepted),
            kafka_version: "4.3.1".into(),
            ..Hello::default()
        })
    }

    /// Opens a session and says hello.
    pub async fn session(
        &self,
        identity: &Identity,
        instance: u64,
        accepted: Generation,
    ) -> Result<Session, Status> {
        self.session_with(identity, Self::hello(instance, accepted)).await
    }

    /// Opens a session and begins with this frame.
    pub async fn session_with(&self, identity: &Identity, first: Up) -> Result<Session, Status> {
        let channel = self.connect(Some(identity)).await.expect("connect");
        open(channel, first, identity.signing_key.clone()).await
    }

    /// Opens a session without a certificate.
    pub async fn anonymous_session(&self) -> Result<Session, Status> {
        let channel = self.connect(None).await.expect("connect");
        open(channel, Self::hello(1, Generation::default()), Vec::new()).await
    }
}

async fn open(channel: Channel, first: Up, signing_key: Vec<u8>) -> Result<Session, Status> {
    let (up, frames) = mpsc::channel(64);
    up.send(AgentFrame { frame: Some(first) })
        .await
        .expect("a channel");
    let mut client = LinkClient::new(channel.clone()).max_decoding_message_size(32 * 1024 * 1024);
    let down = client.session(ReceiverStream::new(frames)).await?.into_inner();
    Ok(Session {
        channel,
        up,
        down,
        signing_key,
    })
}

fn csr(key: &KeyPair) -> String {
    CertificateParams::default()
        .serialize_request(key)
        .expect("a request")
        .pem()
        .expect("PEM")
}

/// What an agent holds after it enrolled.
pub struct Identity {
    pub key: KeyPair,
    pub certificate_pem: String,
    pub data_plane: String,
    pub signing_key: Vec<u8>,
}

impl Identity {
    fn of(key: KeyPair, response: EnrollResponse) -> Self {
        Self {
            key,
            certificate_pem: response.certificate_pem,
            data_plane: response.data_plane_id,
            signing_key: response.signing_public_key,
        }
    }
}

/// A session of the fake agent.
pub struct Session {
    channel: Channel,
    up: mpsc::Sender<AgentFrame>,
    down: Streaming<ControlFrame>,
    signing_key: Vec<u8>,
}

impl Session {
    pub async fn say(&self, frame: Up) {
        self.up
            .send(AgentFrame { frame: Some(frame) })
            .await
            .expect("an open session");
    }

    /// Asks for a new certificate over the session's own connection.
    pub async fn renew(&self, identity: &Identity) -> Result<EnrollResponse, Status> {
        let request = RenewRequest {
            csr_pem: csr(&identity.key),
        };
        let response = LinkClient::new(self.channel.clone()).renew(request).await?;
        Ok(response.into_inner())
    }

    /// The next frame, or how the session ended.
    pub async fn hear(&mut self) -> Result<Down, Status> {
        let next = tokio::time::timeout(PATIENCE, self.down.message())
            .await
            .expect("a frame in time");
        match next? {
            Some(frame) => Ok(frame.frame.expect("content")),
            None => Err(Status::ok("the session was closed")),
        }
    }

    pub async fn welcome(&mut self) -> Welcome {
        match self.hear().await.expect("a welcome") {
            Down::Welcome(welcome) => welcome,
            other => panic!("expected a welcome, got {other:?}"),
        }
    }

    /// The next desired state, verified against the pinned key.
    pub async fn desired(&mut self) -> (DesiredFrame, DesiredState) {
        match self.hear().await.expect("a desired state") {
            Down::Desired(frame) => {
                weir_proto::desired::verify(&self.signing_key, &frame).expect("a frame that verifies");
                let state = DesiredState::decode(frame.body.clone()).expect("a desired state");
                (frame, state)
            }
            other => panic!("expected a desired state, got {other:?}"),
        }
    }

    /// Reports windows and waits until they are acknowledged.
    pub async fn count(&mut self, windows: Vec<UsageWindow>) -> UsageAck {
        self.say(Up::Usage(UsageReport { windows })).await;
        loop {
            match self.hear().await.expect("an acknowledgement") {
                Down::UsageAck(ack) => return ack,
                Down::Desired(_) => {}
                other => panic!("expected an acknowledgement, got {other:?}"),
            }
        }
    }

    /// How the session ends.
    pub async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.hear().await {
                return status;
            }
        }
    }
}

/// Rows of a data plane with one cluster, put there without the API.
#[derive(Debug, Clone, Copy)]
pub struct Served {
    pub data_plane: DataPlaneId,
    pub pool: Uuid,
    pub cluster: Id<kind::Cluster>,
    pub environment: Id<kind::Environment>,
    pub account: Id<kind::ServiceAccount>,
    pub tenant: TenantIds,
}

impl Database {
    /// A data plane of the tenant, a pool on it, and a cluster of the tenant.
    pub async fn serve(&self, tenant: TenantIds) -> Served {
        let (data_plane, pool) = (DataPlaneId::generate(), Uuid::now_v7());
        for statement in [
            "INSERT INTO data_plane (id, tenant_id, name) VALUES ($1, $2, 'plane')",
            "INSERT INTO data_plane_generation (data_plane_id, n) SELECT $1, 1 WHERE $2::uuid IS NOT NULL",
        ] {
            let query = sqlx::query(statement)
                .bind(data_plane.uuid())
                .bind(tenant.tenant.uuid());
            query
                .execute(&mut self.owner().await)
                .await
                .expect("a data plane");
        }
        sqlx::query("INSERT INTO broker_pool (id, tenant_id, data_plane_id, name, brokers) VALUES ($1, $2, $3, 'main', 1)")
            .bind(pool)
            .bind(tenant.tenant.uuid())
            .bind(data_plane.uuid())
            .execute(&mut self.owner().await)
            .await
            .expect("a pool");
        let served = Served {
            data_plane,
            pool,
            cluster: Id::generate(),
            environment: Id::generate(),
            account: Id::generate(),
            tenant,
        };
        self.cluster(&served).await;
        served
    }

    /// A cluster of another tenant on the same pool.
    pub async fn guest(&self, host: &Served, tenant: TenantIds) -> Served {
        let guest = Served {
            cluster: Id::generate(),
            environment: Id::generate(),
            account: Id::generate(),
            tenant,
            ..*host
        };
        self.cluster(&guest).await;
        guest
    }

    async fn cluster(&self, served: &Served) {
        let tenant = served.tenant.tenant.uuid();
        let mut owner = self.owner().await;
        sqlx::query("INSERT INTO environment (id, tenant_id, name) VALUES ($1, $2, 'prod')")
            .bind(served.environment.uuid())
            .bind(tenant)
            .execute(&mut owner)
            .await
            .expect("an environment");
        sqlx::query("INSERT INTO service_account (id, tenant_id, name) VALUES ($1, $2, 'billing')")
            .bind(served.account.uuid())
            .bind(tenant)
            .execute(&mut owner)
            .await
            .expect("a service account");
        sqlx::query(
            "INSERT INTO cluster (id, tenant_id, environment_id, broker_pool_id, data_plane_id, name, kafka_cluster_id)
             VALUES ($1, $2, $3, $4, $5, 'cards', $6)",
        )
        .bind(served.cluster.uuid())
        .bind(tenant)
        .bind(served.environment.uuid())
        .bind(served.pool)
        .bind(served.data_plane.uuid())
        .bind(&served.cluster.suffix()[..22])
        .execute(&mut owner)
        .await
        .expect("a cluster");
    }

    /// A topic, and with it the next generation.
    pub async fn topic(&self, served: &Served, name: &str) -> Id<kind::Topic> {
        let id = Id::generate();
        let mut owner = self.owner().await;
        sqlx::query(
            "INSERT INTO topic (id, tenant_id, cluster_id, data_plane_id, name, partitions, retention_ms, retention_bytes,
                 cleanup_policy, max_message_bytes) VALUES ($1, $2, $3, $4, $5, 3, 1000, -1, 'DELETE', 1000)",
        )
        .bind(id.uuid())
        .bind(served.tenant.tenant.uuid())
        .bind(served.cluster.uuid())
        .bind(served.data_plane.uuid())
        .bind(name)
        .execute(&mut owner)
        .await
        .expect("a topic");
        self.bump(served).await;
        id
    }

    pub async fn bump(&self, served: &Served) {
        sqlx::query("UPDATE data_plane_generation SET n = n + 1 WHERE data_plane_id = $1")
            .bind(served.data_plane.uuid())
            .execute(&mut self.owner().await)
            .await
            .expect("a generation");
    }

    /// An enrolment token that is valid for this long.
    pub async fn token(&self, served: &Served, minutes: i32) -> String {
        let token = Secret::generate(SecretKind::Enrollment).expect("random numbers");
        sqlx::query(
            "INSERT INTO enrollment_token (id, tenant_id, data_plane_id, token_sha256, expires_at)
             VALUES ($1, $2, $3, $4, now() + make_interval(mins => $5))",
        )
        .bind(Uuid::now_v7())
        .bind(served.tenant.tenant.uuid())
        .bind(served.data_plane.uuid())
        .bind(token.sha256().as_slice())
        .bind(minutes)
        .execute(&mut self.owner().await)
        .await
        .expect("a token");
        token.reveal().to_owned()
    }

    /// Runs one statement with the data plane's id as $1.
    pub async fn behind(&self, served: &Served, statement: &'static str) {
        sqlx::query(statement)
            .bind(served.data_plane.uuid())
            .execute(&mut self.owner().await)
            .await
            .expect("a statement behind the API");
    }
}
