//! HAProxy before the gateway, as docs/identity.md has it: TLS passed on by its name, one port for all, the client's address by PROXY headers.

use std::net::IpAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::gateway::{DOMAIN, Further};
use super::stock::{Person, java_consume, java_produce, kcat_consume, kcat_produce, sasl};
use super::{label, register, revoke};
use crate::clients::program::tool;
use crate::rights::Login;
use crate::scene::Scene;

/// Where clients find the balancer: the gateway's port on another address of this machine.
const BALANCER: &str = "127.0.0.2";

/// The text of docs/identity.md, with this machine's addresses.
fn configuration(port: u16) -> String {
    let page = include_str!("../../../../docs/identity.md");
    let (_before, rest) = page.split_once("```haproxy\n").expect("an example");
    let (example, _after) = rest.split_once("```").expect("its end");
    let servers: Vec<&str> = example
        .lines()
        .filter(|it| it.contains("server gateway-"))
        .collect();
    assert_eq!(servers.len(), 2, "{example}");
    example
        .replace("bind :9650", &format!("bind {BALANCER}:{port}"))
        .replace("kafka.example.com", DOMAIN)
        .replace("10.0.0.11:9650", &format!("127.0.0.1:{port}"))
        .replace(servers[1], "")
}

async fn haproxy(folder: &Path, port: u16) -> Child {
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, configuration(port)).expect("write its configuration");
    let log = std::fs::File::create(folder.join("haproxy.log")).expect("a log");
    let child = Command::new(tool("WEIR_HAPROXY"))
        .arg("-db")
        .arg("-f")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the same log"))
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .expect("start haproxy");
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect((BALANCER, port)).await.is_err() {
        let said = std::fs::read_to_string(folder.join("haproxy.log"));
        assert!(Instant::now() < end, "{said:?}");
        sleep(Duration::from_millis(50)).await;
    }
    child
}

#[tokio::test]
#[ignore = "needs haproxy: ring slow"]
async fn stock_clients_come_through_haproxy_by_name() {
    let scene = Scene::new("balancer").await;
    let gateway = Further::begin(&["--proxy-from", "127.0.0.1/32"]).await;
    let mut balancer = haproxy(&gateway.folder, gateway.base).await;
    let address = gateway.address(BALANCER, &label());
    let client = Person::new(&gateway.folder, "app");
    let key = register(&client).await;
    // By certificate and by password, both passed on as they are.
    kcat_produce(&address, &client.settings(), &scene.topic, &["one"])
        .await
        .expect("kcat produces by certificate");
    let by_password = sasl(&Login::of_story("payments"));
    kcat_produce(&address, &by_password, &scene.topic, &["two"])
        .await
        .expect("kcat produces by password");
    java_produce(&address, &client.properties(), &scene.topic, &["three"])
        .await
        .expect("Java produces");
    let mut read = kcat_consume(&address, &by_password, &scene.topic)
        .await
        .expect("kcat consumes");
    read.sort();
    assert_eq!(read, ["one", "three", "two"]);
    let read = java_consume(&address, &client.properties(), &scene.topic, 3).await;
    assert_eq!(read.expect("Java consumes").len(), 3);
    revoke(&key).await;
    balancer.kill().await.expect("stop haproxy");
    gateway.end().await;
    scene.clear().await;
}

#[tokio::test]
#[ignore = "needs haproxy: ring slow"]
async fn limits_go_by_the_address_that_the_balancer_carries() {
    let begun = Instant::now();
    let more = ["--proxy-from", "127.0.0.1/32", "--connections-per-second", "1"];
    let gateway = Further::begin(&more).await;
    let mut balancer = haproxy(&gateway.folder, gateway.base).await;
    let address = gateway.address(BALANCER, &label());
    // Ten at once, and one a second meanwhile.
    let mut let_in = 0_u64;
    for _connection in 0..60 {
        if address.connect(Some("127.0.0.7"), None).await.is_ok() {
            let_in += 1;
        }
    }
    let allowed = 10 + begun.elapsed().as_secs() + 1;
    assert!(
        (10..=allowed.min(59)).contains(&let_in),
        "{let_in} of 60, {allowed} allowed"
    );
    assert!(
        address.connect(Some("127.0.0.8"), None).await.is_ok(),
        "another client"
    );
    let said = gateway.said();
    assert!(
        said.contains("127.0.0.7") && said.contains("too many connections of one address"),
        "{said}"
    );
    // From where the balancer is, nothing comes without a header.
    let mut bare = TcpStream::connect(("127.0.0.1", gateway.base))
        .await
        .expect("a port");
    bare.write_all(b"\x16\x03\x01\x00\x10")
        .await
        .expect("to say hello");
    let closed = timeout(Duration::from_secs(5), bare.read(&mut [0; 16])).await;
    assert!(matches!(closed.expect("at once"), Ok(0) | Err(_)));
    let direct = gateway.address("127.0.0.1", &label());
    assert!(direct.connect(None, None).await.is_err());
    // Elsewhere nobody is the balancer, and a header is no TLS.
    let elsewhere: IpAddr = "127.0.0.9".parse().expect("an address");
    let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x01\x02\x03\x04";
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind((elsewhere, 0).into()).expect("an address of ours");
    let mut forged = socket
        .connect(([127, 0, 0, 1], gateway.base).into())
        .await
        .expect("a port");
    forged.write_all(header).await.expect("to forge");
    let closed = timeout(Duration::from_secs(15), forged.read_to_end(&mut Vec::new())).await;
    let _how = closed.expect("closed");
    balancer.kill().await.expect("stop haproxy");
    gateway.end().await;
}
