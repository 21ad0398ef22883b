//! The certificate that Kafka clients meet: the customer's files, read again when they change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::time::interval;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::client_certificate::Possession;
use super::identity::{certificates, key};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// A chain and its key, as the files have them.
pub struct Certificate {
    chain_path: PathBuf,
    key_path: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("chain_path", &self.chain_path)
            .finish_non_exhaustive()
    }
}

fn read(chain_path: &Path, key_path: &Path) -> anyhow::Result<CertifiedKey> {
    let certified = CertifiedKey::from_der(
        certificates(chain_path)?,
        key(key_path)?,
        &ring::default_provider(),
    );
    certified.context("use the certificate for clients")
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When a file is missing, does not hold what it should, or the key is another certificate's.
    pub fn load(chain_path: &Path, key_path: &Path) -> anyhow::Result<Self> {
        let current = ArcSwap::from_pointee(read(chain_path, key_path)?);
        Ok(Self {
            chain_path: chain_path.to_owned(),
            key_path: key_path.to_owned(),
            current,
        })
    }

    /// Takes what the files hold now, if it is new and sound. New connections meet it; live ones go on.
    fn look(&self) {
        match read(&self.chain_path, &self.key_path) {
            Ok(now) if now.cert == self.current.load().cert => {}
            Ok(now) => {
                self.current.store(Arc::new(now));
                tracing::info!("the certificate for clients was replaced");
            }
            // Half written, perhaps: the last good one serves.
            Err(error) => tracing::warn!("the certificate for clients cannot be read: {error:#}"),
        }
    }

    /// Looks again and again.
    pub async fn keep(self: Arc<Self>) {
        let mut ticks = interval(LOOK);
        loop {
            ticks.tick().await;
            self.look();
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// What accepts clients with it.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Asks for no certificate.
    plain: Arc<ServerConfig>,
    /// Asks for one.
    asking: Arc<ServerConfig>,
}

impl Tls {
    /// With this certificate.
    ///
    /// # Errors
    /// When TLS cannot be configured.
    pub fn new(certificate: &Arc<Certificate>) -> anyhow::Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let builder = || {
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()
        };
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Certificate>::clone(certificate);
        let plain = builder()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&resolver));
        let mut asking = builder()?
            .with_client_cert_verifier(Arc::new(Possession::new(Arc::clone(&provider))))
            .with_cert_resolver(resolver);
        // Whoever shows a certificate proves anew with each connection that he holds its key.
        asking.session_storage = Arc::new(NoServerSessionStorage {});
        asking.send_tls13_tickets = 0;
        Ok(Self {
            plain: Arc::new(plain),
            asking: Arc::new(asking),
        })
    }

    /// Shakes hands; `asks` says by the name that the client asks for whether a certificate is asked of it.
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn accept(
        &self,
        stream: TcpStream,
        asks: impl FnOnce(&str) -> bool,
    ) -> io::Result<TlsStream<TcpStream>> {
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let asked = begun.client_hello().server_name().is_some_and(asks);
        let config = if asked { &self.asking } else { &self.plain };
        begun.into_stream(Arc::clone(config)).await
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A certificate for `*.kafka.test` and its key, as files.
    pub fn write(folder: &Path) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["*.kafka.test".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.join("chain.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    }

    #[test]
    fn a_replaced_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        assert!(Certificate::load(&chain, &key).is_err());
        write(folder.path());
        let certificate = Certificate::load(&chain, &key).unwrap();
        let first = certificate.current.load_full();
        certificate.look();
        assert!(Arc::ptr_eq(&first, &certificate.current.load()), "nothing is new");
        write(folder.path());
        certificate.look();
        let second = certificate.current.load_full();
        assert!(first.cert != second.cert);
        let good = std::fs::read(&chain).unwrap();
        std::fs::write(&chain, &good[..good.len() / 2]).unwrap();
        certificate.look();
        let other = tempfile::tempdir().unwrap();
        write(other.path());
        std::fs::copy(other.path().join("chain.pem"), &chain).unwrap();
        certificate.look();
        assert!(
            Arc::ptr_eq(&second, &certificate.current.load()),
            "the last good one serves"
        );
    }
}
