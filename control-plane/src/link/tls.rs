//! The TLS acceptor of the agents' door: client certificates optional, handshakes bounded, connections that can be cut.
//!
//! A certificate is asked for, not required: an agent that enrols has none yet. Whether a call needs one is
//! decided inside the call, where a refusal can carry a code. Session tickets are off: each connection shows
//! its certificate anew.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::ca::{Ca, CaError};
use super::identity::Leaf;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HANDSHAKES_MAX: usize = 512;
/// Each takes a descriptor and about 44 KiB.
const CONNECTIONS_MAX: usize = 20_000;
/// Connections without a certificate at a time: however many there are, agents still find a place.
const STRANGERS_MAX: usize = 1_000;
/// A connection without a certificate is for one enrolment or renewal.
const STRANGER_STAY: Duration = Duration::from_secs(60);
/// After a failed accept (descriptors exhausted), the listener rests.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The server's certificate cannot be read or made.
    #[error("prepare the server certificate")]
    Certificate(#[from] CaError),
    /// rustls refuses the authority's certificate.
    #[error("trust the authority's certificate")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// rustls refuses the configuration.
    #[error("configure TLS")]
    Config(#[from] rustls::Error),
}

/// Whom a client certificate names. It was verified against the authority during the handshake; it may have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The data plane's TypeID, as the certificate has it.
    pub data_plane: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// The certificate's end.
    pub not_after: DateTime<Utc>,
    /// SHA-256 of the public key.
    pub key_sha256: [u8; 32],
}

/// The other side of a connection; found in the extensions of each call.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where the connection comes from.
    pub address: SocketAddr,
    /// `None` when no certificate was shown.
    pub identity: Option<Identity>,
    /// Cancelling it breaks the connection under every stream that it carries.
    pub cut: CancellationToken,
}

/// The TLS configuration that new connections meet; replaced when the server certificate is renewed.
pub struct DoorTls {
    ca: Arc<Ca>,
    hosts: Vec<String>,
    config: RwLock<Arc<ServerConfig>>,
}

impl std::fmt::Debug for DoorTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DoorTls")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl DoorTls {
    /// Prepares TLS for a server that is reached under `hosts`.
    ///
    /// # Errors
    /// [`TlsError`] when the certificate or the configuration cannot be made.
    pub fn new(ca: Arc<Ca>, hosts: Vec<String>, now: DateTime<Utc>) -> Result<Self, TlsError> {
        let config = RwLock::new(server_config(&ca, &hosts, now)?);
        Ok(Self { ca, hosts, config })
    }

    /// Signs the server certificate anew when it nears its end. Call it a few times a day.
    ///
    /// # Errors
    /// [`TlsError`] when that fails; the old one goes on serving.
    pub fn refresh(&self, now: DateTime<Utc>) -> Result<(), TlsError> {
        let fresh = server_config(&self.ca, &self.hosts, now)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }
}

fn server_config(ca: &Ca, hosts: &[String], now: DateTime<Utc>) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()?;
    let verifier = Arc::new(LateComers(verifier));
    let identity = ca.server_identity(hosts, now)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Lets certificates in that have ended: an agent that was away renews with what it has, by proof of its key. The
/// calls decide what such a certificate is still good for; a session it is not.
#[derive(Debug)]
struct LateComers(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for LateComers {
    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let end = Leaf::parse(end_entity).and_then(|leaf| u64::try_from(leaf.not_after.timestamp()).ok());
        let end = end.ok_or(rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let at = now.as_secs().min(end);
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
        self.0.verify_client_cert(end_entity, intermediates, at)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The connections of a listener, after their handshakes, until `shutdown`.
#[must_use]
pub fn incoming(
    listener: TcpListener,
    tls: Arc<DoorTls>,
    shutdown: CancellationToken,
) -> ReceiverStream<io::Result<DoorStream>> {
    let (ready, connections) = mpsc::channel(64);
    tokio::spawn(async move {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let strangers = Arc::new(Semaphore::new(STRANGERS_MAX));
        loop {
            // Waiting for a free handshake leaves newcomers in the kernel's queue.
            let next = async {
                let handshake = Arc::clone(&handshakes).acquire_owned().await;
                (handshake, listener.accept().await)
            };
            let (handshake, accepted) = tokio::select! {
                () = shutdown.cancelled() => return,
                next = next => next,
            };
            let (socket, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the agents' door could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                tracing::warn!(%address, limit = CONNECTIONS_MAX, "the agents' door is full: connection refused");
                continue;
            };
            let (acceptor, ready, strangers) = (tls.acceptor(), ready.clone(), Arc::clone(&strangers));
            tokio::spawn(async move {
                let stream = handshake_of(&acceptor, socket, address, slot, &strangers).await;
                drop(handshake);
                if let Some(stream) = stream {
                    // The server is gone when nobody receives: the connection ends here.
                    let _closing = ready.send(Ok(stream)).await;
                }
            });
        }
    });
    ReceiverStream::new(connections)
}

async fn handshake_of(
    acceptor: &TlsAcceptor,
    socket: TcpStream,
    address: SocketAddr,
    slot: OwnedSemaphorePermit,
    strangers: &Arc<Semaphore>,
) -> Option<DoorStream> {
    // Nagle's delay would only slow small frames; a socket that refuses the option still works.
    let _best_effort = socket.set_nodelay(true);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await {
        Ok(Ok(inner)) => {
            let mut stream = DoorStream::new(inner, address, slot);
            if stream.peer.identity.is_none() {
                let Ok(place) = Arc::clone(strangers).try_acquire_owned() else {
                    tracing::warn!(%address, limit = STRANGERS_MAX, "too many connections without a certificate");
                    return None;
                };
                stream._stranger = Some(place);
                let cut = stream.peer.cut.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(STRANGER_STAY).await;
                    cut.cancel();
                });
            }
            Some(stream)
        }
        Ok(Err(error)) => {
            tracing::debug!(%address, %error, "TLS handshake failed at the agents' door");
            None
        }
        Err(_elapsed) => {
            tracing::debug!(%address, "TLS handshake timed out at the agents' door");
            None
        }
    }
}

/// An accepted connection. Reads and writes fail once [`Peer::cut`] is cancelled.
pub struct DoorStream {
    inner: TlsStream<TcpStream>,
    peer: Peer,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _slot: OwnedSemaphorePermit,
    _stranger: Option<OwnedSemaphorePermit>,
}

impl DoorStream {
    fn new(inner: TlsStream<TcpStream>, address: SocketAddr, slot: OwnedSemaphorePermit) -> Self {
        let leaf = inner
            .get_ref()
            .1
            .peer_certificates()
            .and_then(<[_]>::first)
            .and_then(Leaf::parse);
        let identity = leaf.and_then(|leaf| {
            Some(Identity {
                data_plane: leaf.data_plane()?.to_owned(),
                serial: leaf.serial,
                not_after: leaf.not_after,
                key_sha256: leaf.key_sha256,
            })
        });
        let cut = CancellationToken::new();
        Self {
            inner,
            cut: Box::pin(cut.clone().cancelled_owned()),
            peer: Peer {
                address,
                identity,
                cut,
            },
            _slot: slot,
            _stranger: None,
        }
    }

    fn poll_cut(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the connection was cut by the control plane",
            )),
            Poll::Pending => Ok(()),
        }
    }
}

impl Connected for DoorStream {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for DoorStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(context)?;
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for DoorStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(context)?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(context)?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(context)?;
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
