//! A further gateway of the stack: with TLS, with names, and whatever else a test asks for.

use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::stock::Person;
use crate::stack;

pub const DOMAIN: &str = "kafka.test";
const PATIENCE: Duration = Duration::from_secs(60);

/// It runs until [`Further::end`].
pub struct Further {
    child: Child,
    pub base: u16,
    pub folder: PathBuf,
    _folder: tempfile::TempDir,
}

/// Where a client goes.
pub struct Address {
    /// `name:port`.
    pub bootstrap: String,
    /// A hosts(5) file in which the names are.
    pub hosts: PathBuf,
    /// The authority of the gateway's certificate.
    pub authority: PathBuf,
    name: String,
    at: IpAddr,
    port: u16,
}

/// Ports in a row that nobody has: bootstrap and three brokers.
fn free_base() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..200_u16)
        .map(|turn| 31_000 + turn * 10)
        .find(|base| (*base..*base + 4).all(free))
        .expect("free ports")
}

impl Further {
    pub async fn begin(more: &[&str]) -> Self {
        let holder = tempfile::tempdir().expect("a folder");
        let folder = holder.path().to_owned();
        let key = KeyPair::generate().expect("a key");
        let names = vec![format!("*.{DOMAIN}")];
        let params = CertificateParams::new(names).expect("parameters");
        let certificate = params.self_signed(&key).expect("a certificate");
        std::fs::write(folder.join("chain.pem"), certificate.pem()).expect("write the certificate");
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).expect("write the key");
        let (program, shared) = stack::gateway_program(&["--lane", "--lane-identity", "--usage-window"]);
        let base = free_base();
        let log = std::fs::File::create(folder.join("gateway.log")).expect("a log");
        let child = Command::new(program)
            .arg("gateway")
            .arg("--state-dir")
            .arg(folder.join("state"))
            .args(shared)
            .args(["--port-base", &base.to_string(), "--sni-domain", DOMAIN])
            .arg("--tls-cert")
            .arg(folder.join("chain.pem"))
            .arg("--tls-key")
            .arg(folder.join("key.pem"))
            .args(more)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the same log"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("start a gateway");
        let further = Self {
            child,
            base,
            folder,
            _folder: holder,
        };
        // A broker's port opens once the gateway knows its clusters.
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", base + 1)).await.is_err() {
            assert!(Instant::now() < end, "no snapshot: {}", further.said());
            sleep(Duration::from_millis(100)).await;
        }
        further
    }

    /// What it wrote.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.join("gateway.log")).unwrap_or_default()
    }

    /// The cluster of this label, and its brokers, by names that mean this address.
    pub fn address(&self, at: &str, label: &str) -> Address {
        let name = format!("{label}.{DOMAIN}");
        let brokers = (1..=9).map(|node| format!("b{node}-{name}"));
        let all: Vec<String> = std::iter::once(name.clone()).chain(brokers).collect();
        let hosts = self.folder.join(format!("hosts-{at}-{label}"));
        let text = format!("127.0.0.1 localhost\n{at} {}\n", all.join(" "));
        std::fs::write(&hosts, text).expect("write the names");
        Address {
            bootstrap: format!("{name}:{}", self.base),
            hosts,
            authority: self.folder.join("chain.pem"),
            name,
            at: at.parse().expect("an address"),
            port: self.base,
        }
    }

    /// A connection that stays, by certificate alone.
    pub async fn held(&self, address: &Address, client: &Person) -> Held {
        let stream = address.connect(None, Some(client)).await.expect("a connection");
        // Enters when it is known that it does not log in.
        sleep(Duration::from_secs(6)).await;
        Held(stream)
    }

    /// Asks it to stop, and waits.
    pub async fn end(mut self) {
        let pid = self.child.id().expect("it runs").to_string();
        let asked = Command::new("kill").arg(&pid).status().await.expect("kill");
        assert!(asked.success(), "{}", self.said());
        let status = timeout(PATIENCE, self.child.wait()).await.expect("in time");
        assert!(status.expect("its end").success(), "{}", self.said());
    }
}

/// A live connection.
pub struct Held(TlsStream<TcpStream>);

impl Held {
    /// The gateway closes it.
    pub async fn ends(mut self) {
        let mut rest = Vec::new();
        let read = timeout(Duration::from_secs(20), self.0.read_to_end(&mut rest)).await;
        let _how = read.expect("the gateway closes it");
    }
}

impl Address {
    /// A TLS connection from this address of ours, with a client's certificate or without.
    pub async fn connect(
        &self,
        from: Option<&str>,
        client: Option<&Person>,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(&self.authority).expect("the authority");
        roots.add(authority).expect("trust it");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let chain = vec![CertificateDer::from_pem_file(client.chain()).expect("a certificate")];
                let key = PrivateKeyDer::from_pem_file(client.key()).expect("a key");
                builder.with_client_auth_cert(chain, key).expect("an identity")
            }
        };
        let socket = TcpSocket::new_v4()?;
        if let Some(from) = from {
            socket.bind(format!("{from}:0").parse().expect("an address"))?;
        }
        let stream = socket.connect((self.at, self.port).into()).await?;
        let name = ServerName::try_from(self.name.clone()).expect("a name");
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        timeout(Duration::from_secs(10), connecting).await?
    }
}

/// Where a program's file is, as its settings say it.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
