//! TLS inside the network: the agent's own authority, the certificates it issues, and a bounded way to accept connections.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use time::{Duration as Span, OffsetDateTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::disk;

/// What goes wrong with certificates.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("handle a certificate file")]
    File(#[from] io::Error),
    /// A certificate could not be made.
    #[error("make a certificate")]
    Make(#[from] rcgen::Error),
    /// A stored certificate or key cannot be used.
    #[error("use a certificate")]
    Use(#[from] rustls::Error),
    /// A file is not PEM.
    #[error("read PEM")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The authority cannot check clients.
    #[error("check client certificates")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// Names of the lane's two ends, in the URI SAN of their certificates.
pub const LANE_AGENT: &str = "weir://lane/agent";
/// The gateway's end of the lane.
pub const LANE_GATEWAY: &str = "weir://lane/gateway";

const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// An identity on disk: `ca.pem`, `client.pem` (leaf, then authority) and `client.key` in one folder, readable by the owner only.
pub struct Identity {
    authority: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads the three files of `folder`.
    ///
    /// # Errors
    /// When one is missing or is not PEM.
    pub fn read(folder: &Path) -> Result<Self, TlsError> {
        let authority = CertificateDer::from_pem_file(folder.join("ca.pem"))?;
        let chain =
            CertificateDer::pem_file_iter(folder.join("client.pem"))?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(folder.join("client.key"))?;
        Ok(Self {
            authority,
            chain,
            key,
        })
    }

    /// Does it hold for another month?
    fn lasts(&self) -> bool {
        let month = (OffsetDateTime::now_utc() + Span::days(30)).unix_timestamp();
        self.chain.first().is_some_and(|leaf| {
            x509_parser::parse_x509_certificate(leaf)
                .is_ok_and(|(_rest, parsed)| parsed.validity().not_after.timestamp() > month)
        })
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone())?;
        Ok(roots)
    }

    /// A server that only speaks to holders of a certificate of the same authority.
    ///
    /// # Errors
    /// When the identity cannot be used.
    pub fn mutual_server(&self) -> Result<ServerConfig, TlsError> {
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()?), provider()).build()?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }

    /// A server for browsers: no client certificate.
    ///
    /// # Errors
    /// When the identity cannot be used.
    pub fn server(&self) -> Result<ServerConfig, TlsError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// A client that shows this identity and believes servers of the same authority.
    ///
    /// # Errors
    /// When the identity cannot be used.
    pub fn mutual_client(&self) -> Result<ClientConfig, TlsError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots()?)
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

/// The one provider of cryptography, always passed by hand: no process default.
#[must_use]
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The agent's own authority. It signs for the lane and for the inside endpoint, nothing else.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// Opens the authority of `folder`, making it at the first start.
    ///
    /// # Errors
    /// As the file system and the certificates say.
    pub fn open(folder: &Path) -> Result<Self, TlsError> {
        disk::private_folder(folder)?;
        let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        if !(certificate.exists() && key.exists()) {
            let fresh = KeyPair::generate()?;
            let mut parameters = CertificateParams::default();
            parameters
                .distinguished_name
                .push(DnType::CommonName, "Weir agent local authority");
            parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            parameters.not_before = OffsetDateTime::now_utc() - Span::hours(1);
            parameters.not_after = OffsetDateTime::now_utc() + Span::days(3650);
            let made = parameters.self_signed(&fresh)?;
            disk::write_atomic(&key, fresh.serialize_pem().as_bytes())?;
            disk::write_atomic(&certificate, made.pem().as_bytes())?;
        }
        let pem = std::fs::read_to_string(&certificate)?;
        let signing = KeyPair::from_pem(&std::fs::read_to_string(&key)?)?;
        let issuer = Issuer::from_ca_cert_pem(&pem, signing)?;
        Ok(Self { issuer, pem })
    }

    /// Writes a fresh identity into `folder`: certificates of the lane and the inside endpoint are renewed at every start.
    ///
    /// # Errors
    /// As the file system and the certificates say.
    pub fn issue(&self, folder: &Path, uri: Option<&str>, hosts: &[&str]) -> Result<Identity, TlsError> {
        disk::private_folder(folder)?;
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        names.extend(
            hosts
                .iter()
                .map(|host| (*host).to_owned())
                .filter(|host| host != "127.0.0.1" && host != "localhost"),
        );
        let mut parameters = CertificateParams::new(names)?;
        if let Some(uri) = uri {
            parameters.subject_alt_names.push(SanType::URI(uri.try_into()?));
        }
        parameters
            .distinguished_name
            .push(DnType::CommonName, uri.unwrap_or("Weir agent"));
        parameters.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        parameters.not_before = OffsetDateTime::now_utc() - Span::hours(1);
        parameters.not_after = OffsetDateTime::now_utc() + Span::days(825);
        let key = KeyPair::generate()?;
        let leaf = parameters.signed_by(&key, &self.issuer)?;
        disk::write_atomic(&folder.join("client.key"), key.serialize_pem().as_bytes())?;
        disk::write_atomic(
            &folder.join("client.pem"),
            format!("{}{}", leaf.pem(), self.pem).as_bytes(),
        )?;
        disk::write_atomic(&folder.join("ca.pem"), self.pem.as_bytes())?;
        Identity::read(folder)
    }

    /// As [`Authority::issue`], but an identity already there is kept, so that a running process of ours stays believed.
    ///
    /// # Errors
    /// As the file system and the certificates say.
    pub fn keep(&self, folder: &Path, uri: &str) -> Result<Identity, TlsError> {
        match Identity::read(folder) {
            Ok(identity) if identity.lasts() && self.made(&identity) => Ok(identity),
            Ok(_) | Err(_) => self.issue(folder, Some(uri), &[]),
        }
    }
}

impl Authority {
    fn made(&self, identity: &Identity) -> bool {
        CertificateDer::from_pem_slice(self.pem.as_bytes()).is_ok_and(|ours| ours == identity.authority)
    }
}

/// The URI names of a certificate.
#[must_use]
pub fn uri_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    use x509_parser::extensions::GeneralName;
    let Ok((_rest, parsed)) = x509_parser::parse_x509_certificate(certificate) else {
        return Vec::new();
    };
    let Ok(Some(names)) = parsed.subject_alternative_name() else {
        return Vec::new();
    };
    let uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _other => None,
    });
    uris.collect()
}

/// An accepted connection after its handshake; its place is given back when it is dropped.
pub struct Accepted {
    stream: TlsStream<TcpStream>,
    peer: SocketAddr,
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl Accepted {
    /// Who dialled.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn carries(&self, uri: &str) -> bool {
        let (_io, session) = self.stream.get_ref();
        session
            .peer_certificates()
            .and_then(<[_]>::first)
            .is_some_and(|leaf| uri_names(leaf).iter().any(|name| name == uri))
    }
}

impl tonic::transport::server::Connected for Accepted {
    type ConnectInfo = SocketAddr;

    fn connect_info(&self) -> SocketAddr {
        self.peer
    }
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Accepts connections of `listener`, at most `places` at a time, each handshake in a task and a time of its own.
/// With `uri`, only peers whose certificate carries it are let in. Ends when the receiver is dropped.
pub fn incoming(
    listener: TcpListener,
    config: ServerConfig,
    uri: Option<&'static str>,
    places: usize,
) -> mpsc::Receiver<io::Result<Accepted>> {
    let (accepted, receiver) = mpsc::channel(16);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let semaphore = Arc::new(Semaphore::new(places));
    tokio::spawn(async move {
        loop {
            let Ok(place) = Arc::clone(&semaphore).acquire_owned().await else {
                return;
            };
            let (tcp, peer) = tokio::select! {
                () = accepted.closed() => return,
                dialled = listener.accept() => match dialled {
                    Ok(dialled) => dialled,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
            tokio::spawn(async move {
                let _best_effort = tcp.set_nodelay(true);
                let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(tcp)).await else {
                    tracing::debug!(%peer, "a handshake failed");
                    return;
                };
                let connection = Accepted {
                    stream,
                    peer,
                    _place: place,
                };
                if uri.is_none_or(|uri| connection.carries(uri)) {
                    let _receiver_gone = accepted.send(Ok(connection)).await;
                }
            });
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_made_once_and_its_identities_carry_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Authority::open(&folder.path().join("authority")).unwrap();
        let identity = open().keep(&folder.path().join("gateway"), LANE_GATEWAY).unwrap();
        assert_eq!(uri_names(&identity.chain[0]), [LANE_GATEWAY]);
        let again = open().keep(&folder.path().join("gateway"), LANE_GATEWAY).unwrap();
        assert_eq!(again.chain, identity.chain, "a running gateway stays believed");
        let other = Authority::open(&folder.path().join("other")).unwrap();
        let anew = other.keep(&folder.path().join("gateway"), LANE_GATEWAY).unwrap();
        assert_ne!(anew.chain, identity.chain, "one of a lost authority is not kept");
        identity.mutual_client().unwrap();
        identity.mutual_server().unwrap();
    }
}
