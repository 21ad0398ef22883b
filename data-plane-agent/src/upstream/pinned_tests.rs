//! Whom a pin lets through, over real handshakes.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PublicKeyData as _, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::gateway::client_certificate::Possession;

struct Server {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn hash(key: &KeyPair) -> PublicKeyHash {
    PublicKeyHash::of(&key.subject_public_key_info())
}

fn shown() -> Shown {
    let key = KeyPair::generate().unwrap();
    let made = CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    Shown {
        certificate: made.der().clone(),
        public_key: hash(&key),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    }
}

fn alone(year: i32) -> Server {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["elsewhere.test".to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    let chain = vec![params.self_signed(&key).unwrap().der().clone()];
    Server { chain, key }
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn below(authority: &Issuer, name: &str, year: i32) -> Server {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    let leaf = params.signed_by(&key, authority).unwrap();
    Server {
        chain: vec![leaf.der().clone(), authority.der().clone()],
        key,
    }
}

/// Whether we go through with it, and which key the server saw.
async fn met(server: &Server, pin: PublicKeyHash) -> (bool, Option<PublicKeyHash>) {
    let ours = shown();
    let peer = Peer::new(&ours, pin, None).unwrap();
    let provider = Arc::new(ring::default_provider());
    let key = PrivateKeyDer::try_from(server.key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(Possession::new(provider)))
        .with_single_cert(server.chain.clone(), key)
        .unwrap();
    let (near, far) = duplex(64 * 1024);
    let accepted = tokio::spawn(async move {
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(far).await.ok()?;
        let seen = stream.get_ref().1.peer_certificates()?.first()?.clone();
        stream.write_all(b"!").await.ok()?;
        let parsed = ParsedCertificate::try_from(&seen).ok()?;
        Some(PublicKeyHash::of(parsed.subject_public_key_info().as_ref()))
    });
    let name = ServerName::try_from("b1-label.kafka.test").unwrap();
    let through = async {
        let mut stream = TlsConnector::from(peer.config).connect(name, near).await.ok()?;
        stream.read_u8().await.ok()
    };
    let through = tokio::time::timeout(Duration::from_secs(10), through)
        .await
        .unwrap();
    let seen = accepted.await.unwrap();
    assert!(seen.is_none_or(|it| it == ours.public_key));
    (through.is_some(), seen)
}

#[tokio::test]
async fn only_the_pinned_key_is_spoken_to_and_sees_ours() {
    let server = alone(2090);
    let (through, seen) = met(&server, hash(&server.key)).await;
    assert!(through && seen.is_some());
    let stranger = KeyPair::generate().unwrap();
    assert_eq!(met(&server, hash(&stranger)).await, (false, None));
    let ended = alone(2020);
    assert!(!met(&ended, hash(&ended.key)).await.0, "its dates count");
}

#[tokio::test]
async fn below_a_pinned_authority_chain_name_and_dates_have_to_be_sound() {
    let (ours, other) = (authority(), authority());
    let pin = hash(ours.key());
    assert!(met(&below(&ours, "*.kafka.test", 2090), pin).await.0);
    assert!(
        !met(&below(&ours, "*.kafka.example", 2090), pin).await.0,
        "another name"
    );
    assert!(!met(&below(&ours, "*.kafka.test", 2020), pin).await.0, "ended");
    assert!(
        !met(&below(&other, "*.kafka.test", 2090), pin).await.0,
        "another authority"
    );
    // The pinned one is shown, but signed nothing here.
    let mut forged = below(&other, "*.kafka.test", 2090);
    forged.chain.insert(1, ours.der().clone());
    assert!(!met(&forged, pin).await.0, "shown, and not above it");
    let mut alone = alone(2090);
    alone.chain.push(ours.der().clone());
    assert!(!met(&alone, pin).await.0, "shown beside a stranger");
}
