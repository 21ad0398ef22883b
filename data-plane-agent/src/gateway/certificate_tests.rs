//! Clients that show a certificate instead of logging in: real handshakes, real sockets, and a broker that says yes.

use std::sync::atomic::{AtomicBool, Ordering};

use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme, SupportedProtocolVersion, version};
use time::OffsetDateTime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use weir_credentials::PublicKeyHash;
use weir_kafka_wire::{Connection, Options};
use weir_proto::agent::v1::{ApiKey, ConnectionsQuestion, SignInMechanism};
use weir_proto::lane::v1::Snapshot;

use super::*;
use crate::gateway::conn::Limits;
use crate::gateway::conn::quota_tests::{PRODUCE, World, produce, produce_of};
use crate::gateway::tls::{Certificate, tests::write};
use crate::gateway::view::now_unix_seconds;
use crate::gateway::view::tests::{A, B};

type Client = Connection<TlsStream<TcpStream>>;

/// A gateway with TLS whose clusters have names.
struct Shop {
    world: World,
    port: u16,
    folder: tempfile::TempDir,
    accepting: JoinHandle<()>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shop {
    async fn begin(limits: Limits) -> Self {
        let world = World::within(Vec::new(), limits).await;
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        let certificate = Arc::new(Certificate::load(&chain, &key).unwrap());
        let door = Door {
            node: None,
            tls: Some(Tls::new(&certificate).unwrap()),
            proxy_from: [].into(),
            domain: Some(Arc::new("kafka.test".parse().unwrap())),
            crew: Arc::new(Crew::start().unwrap()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepting = tokio::spawn(accept(Arc::clone(&world.gateway), listener, door));
        Self {
            world,
            port,
            folder,
            accepting,
        }
    }

    /// Puts a snapshot in force whose further keys are these.
    async fn keys(&self, version: u64, keys: Vec<ApiKey>) {
        self.world
            .install_changed(version, |it: &mut Snapshot| it.api_keys.extend(keys));
        let obeyed = self.world.gateway.live.obey(version);
        timeout(Duration::from_secs(1), obeyed)
            .await
            .expect("within a second");
    }

    async fn connect(&self, name: &str, shows: Arc<Shows>) -> std::io::Result<Client> {
        self.connect_by(&version::TLS13, name, shows).await
    }

    /// Under no name when it is empty.
    async fn connect_by(
        &self,
        version: &'static SupportedProtocolVersion,
        name: &str,
        shows: Arc<Shows>,
    ) -> std::io::Result<Client> {
        let mut roots = rustls::RootCertStore::empty();
        for own in super::super::identity::certificates(&self.folder.path().join("chain.pem")).unwrap() {
            roots.add(own).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(shows);
        config.enable_sni = !name.is_empty();
        let host = format!("{}.kafka.test", if name.is_empty() { "any" } else { name });
        let socket = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector
            .connect(ServerName::try_from(host).unwrap(), socket)
            .await?;
        let options = Options {
            timeout: Duration::from_secs(8),
            ..Options::default()
        };
        Ok(Connection::over(stream, options))
    }

    /// Does a client that shows this get in under this name?
    async fn enters(&self, name: &str, shows: &Arc<Shows>) -> bool {
        match self.connect(name, Arc::clone(shows)).await {
            Ok(mut client) => works(&mut client).await,
            Err(_refused) => false,
        }
    }

    /// Who is connected to a cluster, and how.
    fn present(&self, suffix: &str) -> Vec<(String, SignInMechanism)> {
        let question = ConnectionsQuestion {
            cluster_id: format!("cluster_{suffix}"),
            limit: 100,
            ..ConnectionsQuestion::default()
        };
        let gateway = &self.world.gateway;
        let seen = gateway.roster.answer("g.1", &gateway.view.load(), &question);
        let each = seen.connections.iter();
        each.map(|it| (it.principal_id.clone(), it.mechanism())).collect()
    }
}

async fn works(client: &mut Client) -> bool {
    client.call(&produce(), PRODUCE).await.is_ok()
}

/// What a client shows when it is asked, and whether it was.
#[derive(Debug)]
struct Shows {
    certified: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.certified.clone()
    }

    fn has_certs(&self) -> bool {
        self.certified.is_some()
    }
}

impl Shows {
    fn nothing() -> Arc<Self> {
        Arc::new(Self {
            certified: None,
            asked: AtomicBool::new(false),
        })
    }

    /// A certificate that signs with this key, whether or not it is its own.
    fn signing(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<Self> {
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = rustls::crypto::ring::sign::any_supported_type(&der).unwrap();
        Arc::new(Self {
            certified: Some(Arc::new(CertifiedKey::new(vec![certificate], signing))),
            asked: AtomicBool::new(false),
        })
    }

    fn own(key: &KeyPair) -> Arc<Self> {
        Self::signing(certificate(key, |_params| {}), key)
    }
}

fn certificate(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec!["app".to_owned()]).unwrap();
    change(&mut params);
    params.self_signed(key).unwrap().der().clone()
}

/// An API key of this principal on this cluster, opened by that key pair.
fn opened_by(key: &KeyPair, principal: &str, suffix: &str) -> ApiKey {
    let hash = PublicKeyHash::of(&key.subject_public_key_info());
    ApiKey {
        id: format!("key_of_{principal}"),
        principal_id: principal.to_owned(),
        cluster_id: format!("cluster_{suffix}"),
        public_key_sha256: hash.as_bytes().to_vec(),
        ..ApiKey::default()
    }
}

#[tokio::test]
async fn who_holds_the_key_acts_without_a_login() {
    let shop = Shop::begin(Limits::default()).await;
    let key = KeyPair::generate().unwrap();
    shop.keys(2, vec![opened_by(&key, "writer", A)]).await;
    for version in [&version::TLS13, &version::TLS12] {
        let mut client = shop.connect_by(version, A, Shows::own(&key)).await.unwrap();
        // The very first frame may be longer than a stranger's.
        client.call(&produce_of(200_000), PRODUCE).await.unwrap();
        assert_eq!(
            shop.present(A),
            [("writer".to_owned(), SignInMechanism::Mtls)],
            "{version:?}"
        );
        drop(client);
        timeout(Duration::from_secs(5), async {
            while !shop.present(A).is_empty() {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    }
    // Versions first, as stock clients ask; then silence, as librdkafka keeps spare connections.
    let mut client = shop.connect(A, Shows::own(&key)).await.unwrap();
    client.api_versions().await.unwrap();
    assert!(works(&mut client).await);
}

#[tokio::test]
async fn a_certificate_without_its_key_is_refused() {
    let shop = Shop::begin(Limits::default()).await;
    let (key, thief) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    shop.keys(2, vec![opened_by(&key, "writer", A)]).await;
    let stolen = Shows::signing(certificate(&key, |_params| {}), &thief);
    for version in [&version::TLS13, &version::TLS12] {
        let entered = match shop.connect_by(version, A, Arc::clone(&stolen)).await {
            Ok(mut client) => works(&mut client).await,
            Err(_refused) => false,
        };
        assert!(!entered, "{version:?}");
    }
    assert!(stolen.asked.load(Ordering::Relaxed));
    assert_eq!(shop.present(A), []);
}

#[tokio::test]
async fn tenants_with_one_public_key_do_not_meet() {
    let shop = Shop::begin(Limits::default()).await;
    let key = KeyPair::generate().unwrap();
    let (ours, theirs) = (opened_by(&key, "writer", A), opened_by(&key, "other", B));
    shop.keys(2, vec![ours, theirs.clone()]).await;
    let shows = Shows::own(&key);
    let mut first = shop.connect(A, Arc::clone(&shows)).await.unwrap();
    let mut second = shop
        .connect(&format!("b1-{B}"), Arc::clone(&shows))
        .await
        .unwrap();
    assert!(works(&mut first).await && works(&mut second).await);
    assert_eq!(shop.present(A), [("writer".to_owned(), SignInMechanism::Mtls)]);
    assert_eq!(shop.present(B), [("other".to_owned(), SignInMechanism::Mtls)]);
    // Ours is revoked: the live connection ends, and theirs does not step in, by no name either.
    shop.keys(3, vec![theirs]).await;
    assert!(!works(&mut first).await && works(&mut second).await);
    for name in [A, "", "gateway"] {
        assert!(!shop.enters(name, &shows).await, "{name}");
    }
}

#[tokio::test]
async fn nobody_is_asked_for_a_certificate_that_could_open_nothing() {
    let shop = Shop::begin(Limits::default()).await;
    let key = KeyPair::generate().unwrap();
    shop.keys(2, vec![opened_by(&key, "other", B)]).await;
    for name in [A, "gateway", ""] {
        let shows = Shows::own(&key);
        let mut client = shop.connect(name, Arc::clone(&shows)).await.unwrap();
        client.login_plain("key_writer", "key_writer").await.unwrap();
        assert!(works(&mut client).await, "{name}");
        assert!(!shows.asked.load(Ordering::Relaxed), "{name}");
    }
    // Asked and without one, a client logs in as ever; without either it is nobody.
    let shows = Shows::nothing();
    let mut client = shop.connect(B, Arc::clone(&shows)).await.unwrap();
    client.login_plain("key_other", "key_other").await.unwrap();
    assert!(shows.asked.load(Ordering::Relaxed));
    assert!(!shop.enters(B, &shows).await);
}

#[tokio::test]
async fn a_login_counts_and_the_certificate_does_not() {
    let shop = Shop::begin(Limits::default()).await;
    let (key, ended) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    shop.keys(
        2,
        vec![opened_by(&key, "reader", A), opened_by(&ended, "writer", A)],
    )
    .await;
    let past = |it: &mut CertificateParams| it.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let shown = [
        Shows::own(&key),
        Shows::own(&KeyPair::generate().unwrap()),
        Shows::signing(certificate(&ended, past), &ended),
    ];
    for shows in shown {
        let mut client = shop.connect(A, Arc::clone(&shows)).await.unwrap();
        client.login_plain("key_writer", "key_writer").await.unwrap();
        assert!(works(&mut client).await);
        assert!(shows.asked.load(Ordering::Relaxed));
        assert_eq!(shop.present(A)[0], ("writer".to_owned(), SignInMechanism::Plain));
        drop(client);
        timeout(Duration::from_secs(5), async {
            while !shop.present(A).is_empty() {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    }
    // A login that fails is not made good by a certificate, nor does a connection change hands by a later login.
    let mut client = shop.connect(A, Shows::own(&key)).await.unwrap();
    assert!(client.login_plain("key_writer", "wrong").await.is_err());
    assert!(!works(&mut client).await);
    let mut client = shop.connect(A, Shows::own(&ended)).await.unwrap();
    assert!(works(&mut client).await);
    assert!(client.login_plain("key_writer", "key_writer").await.is_err());
}

#[tokio::test]
async fn what_ended_or_is_unknown_opens_nothing() {
    let shop = Shop::begin(Limits::default()).await;
    let [key, unknown, late] = [(); 3].map(|()| KeyPair::generate().unwrap());
    let expired = ApiKey {
        expires_at_unix_seconds: now_unix_seconds() - 1,
        ..opened_by(&late, "reader", A)
    };
    shop.keys(2, vec![opened_by(&key, "writer", A), expired]).await;
    assert!(shop.enters(A, &Shows::own(&key)).await);
    assert!(!shop.enters(A, &Shows::own(&unknown)).await);
    assert!(
        !shop.enters(A, &Shows::own(&late)).await,
        "the API key has expired"
    );
    let year = |from, until| {
        let of = |it: &mut CertificateParams| {
            it.not_before = rcgen::date_time_ymd(from, 1, 1);
            it.not_after = rcgen::date_time_ymd(until, 1, 1);
        };
        Shows::signing(certificate(&key, of), &key)
    };
    assert!(!shop.enters(A, &year(2019, 2020)).await);
    assert!(!shop.enters(A, &year(2990, 2991)).await);
    assert!(shop.enters(A, &year(2019, 2990)).await);
}

#[tokio::test]
async fn a_connection_ends_with_its_certificate_or_its_key_whichever_is_first() {
    let shop = Shop::begin(Limits::default()).await;
    let (short, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let end = now_unix_seconds() + 2;
    let expiring = ApiKey {
        expires_at_unix_seconds: end,
        ..opened_by(&key, "reader", A)
    };
    shop.keys(2, vec![opened_by(&short, "writer", A), expiring]).await;
    let until = |it: &mut CertificateParams| {
        it.not_after = OffsetDateTime::from_unix_timestamp(end).unwrap();
    };
    let shows = Shows::signing(certificate(&short, until), &short);
    let mut first = shop.connect(A, shows).await.unwrap();
    let mut second = shop.connect(A, Shows::own(&key)).await.unwrap();
    assert!(works(&mut first).await);
    second.api_versions().await.unwrap();
    // A reader may not produce, and is told so.
    assert!(works(&mut second).await);
    assert_eq!(shop.present(A).len(), 2);
    timeout(Duration::from_secs(6), async {
        while !shop.present(A).is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("both end");
    assert!(!works(&mut first).await);
}

#[tokio::test]
async fn a_client_that_says_nothing_yet_is_let_in_by_its_certificate() {
    let limits = Limits {
        login: Duration::from_secs(1),
        ..Limits::default()
    };
    let shop = Shop::begin(limits).await;
    let key = KeyPair::generate().unwrap();
    shop.keys(2, vec![opened_by(&key, "writer", A)]).await;
    let mut quiet = shop.connect(A, Shows::own(&key)).await.unwrap();
    let stranger = shop.connect(A, Shows::nothing()).await.unwrap();
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(shop.present(A), [("writer".to_owned(), SignInMechanism::Mtls)]);
    assert!(works(&mut quiet).await);
    drop(stranger);
}
