//! How brokers are reached, by the agent and by the gateway: TCP or TLS, and which login.

mod pinned;
mod scram;
mod stream;

use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use weir_credentials::Mechanism as Scram;
use weir_kafka_wire::{CallError, Connection, Options};

pub use pinned::{Peer, Shown};
pub use stream::{ReadSide, Stream, WriteSide};

/// Certificates of one trust file.
const AUTHORITIES_MAX: usize = 64;

/// How a login is made.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// None is asked for.
    Anonymous,
    /// SASL/PLAIN.
    #[default]
    Plain,
    /// SASL/SCRAM-SHA-256.
    ScramSha256,
    /// SASL/SCRAM-SHA-512.
    ScramSha512,
}

/// Whose certificates are believed.
#[derive(Clone)]
pub struct Trust {
    pem: Arc<str>,
    config: Arc<ClientConfig>,
}

impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        self.pem == other.pem
    }
}
impl Eq for Trust {}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trust(..)")
    }
}

/// Why certificates cannot be believed.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The text is no PEM.
    #[error("read the authorities' certificates")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// A certificate cannot be used.
    #[error("use the authorities' certificates")]
    Use(#[from] rustls::Error),
    /// There is none, or there are too many.
    #[error("one to 64 certificates of authorities are needed")]
    Count,
}

impl Trust {
    /// Believes the authorities whose certificates stand in `pem`.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub fn of(pem: &str) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()).take(AUTHORITIES_MAX + 1) {
            roots.add(certificate?)?;
        }
        if roots.is_empty() || roots.len() > AUTHORITIES_MAX {
            return Err(TrustError::Count);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            pem: pem.into(),
            config: Arc::new(config),
        })
    }

    /// The certificates.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

/// How a pool's brokers want to be spoken to. The brokers that an agent runs: no TLS, SASL/PLAIN on this machine only.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Security {
    /// TLS, if any.
    pub trust: Option<Trust>,
    /// The login.
    pub mechanism: Mechanism,
    /// Known by its key instead, and shown a certificate of ours.
    pub peer: Option<Peer>,
}

/// Connects and logs in.
///
/// # Errors
/// [`CallError`]: of the socket, of TLS (as I/O), or [`CallError::Login`].
pub async fn connect(
    (host, port): (&str, u16),
    security: &Security,
    (username, password): (&str, &str),
    options: Options,
) -> Result<Connection<Stream>, CallError> {
    let dialled = timeout(options.timeout, dial(host, port, security));
    let stream = dialled.await.map_err(|_elapsed| CallError::Timeout)??;
    let mut connection = Connection::over(stream, options);
    match security.mechanism {
        Mechanism::Anonymous => {}
        Mechanism::Plain if username.is_empty() => {}
        Mechanism::Plain => connection.login_plain(username, password).await?,
        Mechanism::ScramSha256 => scram::login(&mut connection, Scram::Sha256, username, password).await?,
        Mechanism::ScramSha512 => scram::login(&mut connection, Scram::Sha512, username, password).await?,
    }
    Ok(connection)
}

async fn dial(host: &str, port: u16, security: &Security) -> io::Result<Stream> {
    let peer = security.peer.as_ref();
    let via = peer.and_then(|it| it.via.as_ref());
    let (at, port) = via.map_or((host, port), |(host, port)| (host.as_str(), *port));
    let socket = TcpStream::connect((at, port)).await?;
    socket.set_nodelay(true)?;
    let config = match (peer, &security.trust) {
        (Some(peer), _any) => Arc::clone(&peer.config),
        (None, Some(trust)) => Arc::clone(&trust.config),
        (None, None) => return Ok(Stream::Plain(socket)),
    };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(config);
    Ok(Stream::Tls(Box::new(connector.connect(name, socket).await?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_needs_a_certificate() {
        assert!(matches!(Trust::of(""), Err(TrustError::Count)));
        assert!(Trust::of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
    }
}
