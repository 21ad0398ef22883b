//! Connections through a balancer and by TLS, on real sockets.

use std::net::Ipv4Addr;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use super::*;
use crate::gateway::conn::quota_tests::World;
use crate::gateway::tls::{Certificate, tests::write};
use crate::gateway::view::tests::{A, B};

const HEADER: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x01\x02\x03\x04";

/// What a door that trusts these networks makes of a connection that says this.
async fn address_of(trusted: &[&str], said: &[u8]) -> Result<IpAddr, ProxyError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut stream, peer) = listener.accept().await.unwrap();
    client.write_all(said).await.unwrap();
    let door = Door {
        node: None,
        tls: None,
        domain: None,
        crew: Arc::new(Crew::start().unwrap()),
        proxy_from: trusted.iter().map(|it| it.parse().unwrap()).collect(),
    };
    carried(&mut stream, peer.ip(), &door, Duration::from_millis(300)).await
}

#[tokio::test]
async fn only_a_trusted_balancer_says_whose_connection_it_is() {
    let own = IpAddr::from(Ipv4Addr::LOCALHOST);
    let carried = IpAddr::from([192, 0, 2, 7]);
    assert_eq!(address_of(&["127.0.0.0/8"], HEADER).await.unwrap(), carried);
    assert_eq!(address_of(&["10.0.0.0/8"], HEADER).await.unwrap(), own);
    assert_eq!(address_of(&[], HEADER).await.unwrap(), own);
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    assert_eq!(address_of(&["127.0.0.1"], local).await.unwrap(), own);
    for none in [
        &b"\0\0\0\x10"[..],
        b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n",
        &HEADER[..20],
        b"",
    ] {
        assert!(address_of(&["127.0.0.1"], none).await.is_err());
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], body].concat()
}

/// SASL/PLAIN with the writer's key by TLS under this name; the error code of the answer.
async fn login_at(port: u16, folder: &std::path::Path, name: &str) -> i16 {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in super::super::identity::certificates(&folder.join("chain.pem")).unwrap() {
        roots.add(certificate).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, socket).await.unwrap();
    let token = b"\0key_writer\0key_writer";
    let length = [0, 0, 0, u8::try_from(token.len()).unwrap()];
    let authenticate = [&[0, 36, 0, 1, 0, 0, 0, 2, 0xff, 0xff], &length[..], token].concat();
    let handshake = framed(b"\x00\x11\x00\x01\x00\x00\x00\x01\xff\xff\x00\x05PLAIN");
    stream.write_all(&handshake).await.unwrap();
    let told = stream.read_u32().await.unwrap();
    let mut answer = vec![0; told as usize];
    stream.read_exact(&mut answer).await.unwrap();
    stream.write_all(&framed(&authenticate)).await.unwrap();
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).await.unwrap();
    i16::from_be_bytes([answer[8], answer[9]])
}

#[tokio::test]
async fn a_name_means_its_cluster_and_no_other() {
    let world = World::begin(Vec::new()).await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let certificate =
        Certificate::load(&folder.path().join("chain.pem"), &folder.path().join("key.pem")).unwrap();
    let door = Door {
        node: None,
        tls: Some(Tls::new(&Arc::new(certificate)).unwrap()),
        proxy_from: [].into(),
        domain: Some(Arc::new("kafka.test".parse().unwrap())),
        crew: Arc::new(Crew::start().unwrap()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepting = tokio::spawn(accept(Arc::clone(&world.gateway), listener, door));
    let own = format!("{A}.kafka.test");
    assert_eq!(login_at(port, folder.path(), &own).await, 0);
    assert_eq!(login_at(port, folder.path(), &format!("b1-{own}")).await, 0);
    assert_eq!(
        login_at(port, folder.path(), "gateway.kafka.test").await,
        0,
        "the key says which"
    );
    assert_eq!(
        login_at(port, folder.path(), &format!("{B}.kafka.test")).await,
        58
    );
    accepting.abort();
}

/// Of each connection, for as long as it lives: its future, which holds room for its deepest call. Sockets and buffers come besides.
const ROOM: usize = 7 * 1024;

#[tokio::test]
async fn a_connection_takes_little_room() {
    let world = World::begin(Vec::new()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, peer) = listener.accept().await.unwrap();
    let gateway = Arc::clone(&world.gateway);
    let crew = Arc::new(Crew::start().unwrap());
    let door = Door {
        node: None,
        tls: None,
        domain: None,
        crew: Arc::clone(&crew),
        proxy_from: Arc::default(),
    };
    let permit = Arc::clone(&gateway.room).try_acquire_owned().unwrap();
    let mut room = 0;
    crew.serve(|place| {
        let serving = serve(
            gateway,
            stream.into_std().unwrap(),
            peer.ip(),
            door,
            (permit, place),
        );
        room = size_of_val(&serving);
        serving
    });
    println!("{room} bytes");
    assert!(room <= ROOM, "{room}");
}
