//! The endpoint inside the network, over its own TLS.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use weir_agent::local_tls::Identity;

use crate::harness::{Harness, POOL, wish};
use weir_proto::agent::v1::Phase;

#[tokio::test(flavor = "multi_thread")]
async fn what_left_this_network_is_shown_inside_it() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let plane = &harness.control_plane;
    plane.wish(plane.seal(1, 1, &wish(vec![]))).await;
    harness.phase(POOL, Phase::Ready).await;
    let body = get(&harness, "/v1/ledger?limit=1").await;
    let view: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(view["verified"], true);
    assert_eq!(view["summary"]["kinds"]["enroll"]["entries"], 1);
    assert!(view["summary"]["kinds"]["status"]["entries"].as_u64().unwrap() > 0);
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_steps_are_tried_on_records_and_nothing_of_it_goes_home() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let plane = &harness.control_plane;
    let state = crate::jobs::with(vec![crate::jobs::job("job_01a", 0, 1)], 1);
    plane.wish(plane.seal(1, 1, &state)).await;
    harness.status("job_01a", |_any| true).await;
    let token = std::fs::read_to_string(harness.state_dir().join("inside-token")).unwrap();
    let asked = r#"{"job": "job_01a", "samples": [{"value": {"amount": 5}}, {"value": {"amount": 500, "card": "4111-secret"}}]}"#;
    let request = format!(
        "POST /v1/job-previews HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{asked}",
        token.trim(),
        asked.len()
    );
    let said: serde_json::Value = serde_json::from_str(&ask(&harness, &request).await).unwrap();
    let outcomes: Vec<&str> = said["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["FILTERED", "PASSED"], "{said}");
    let ledger = get(&harness, "/v1/ledger?limit=500").await;
    assert!(!ledger.contains("4111-secret"));
    agent.shutdown().await.unwrap();
}

/// What the endpoint answers.
pub async fn get(harness: &Harness, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ask(harness, &request).await
}

async fn ask(harness: &Harness, request: &str) -> String {
    let answer = ask_at(&harness.state_dir(), harness.ports.inside(), request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("default-src 'none'"));
    body.to_owned()
}

/// All that the endpoint of an agent with this state folder answers.
pub async fn ask_at(state_dir: &Path, port: u16, request: &str) -> String {
    // Any identity of the local authority: its root is what is believed.
    let identity = Identity::read(&state_dir.join("inside")).unwrap();
    let mut config = identity.mutual_client().unwrap();
    config.alpn_protocols.clear();
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
