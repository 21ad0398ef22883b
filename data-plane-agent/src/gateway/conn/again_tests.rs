//! Logging in by token, and again, on real connections.

use kafka_protocol::messages::{
    DescribeUserScramCredentialsRequest, SaslAuthenticateRequest, SaslAuthenticateResponse,
    SaslHandshakeRequest,
};
use kafka_protocol::protocol::StrBytes;
use weir_kafka_wire::{CallError, Connection};

use super::quota_tests::World;
use crate::gateway::view::tests::{A, B};
use crate::gateway::view::{now_unix_seconds, token_sample};

fn token(key: &str, principal: &str, seconds: i64) -> Vec<u8> {
    let end = now_unix_seconds() + seconds;
    let claims = token_sample::claims(key, principal, &format!("cluster_{A}"), end);
    format!("n,,\u{1}auth=Bearer {}\u{1}\u{1}", token_sample::sign(&claims)).into_bytes()
}

async fn handshake(client: &mut Connection, mechanism: &'static str) -> Result<i16, CallError> {
    let request = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    Ok(client.call(&request, 1).await?.error_code)
}

async fn authenticate(
    client: &mut Connection,
    token: Vec<u8>,
) -> Result<SaslAuthenticateResponse, CallError> {
    let request = SaslAuthenticateRequest::default().with_auth_bytes(token.into());
    client.call(&request, 2).await
}

async fn login(world: &World, token: Vec<u8>) -> (Connection, SaslAuthenticateResponse) {
    let mut client = Connection::connect("127.0.0.1", world.port).await.unwrap();
    assert_eq!(handshake(&mut client, "OAUTHBEARER").await.unwrap(), 0);
    let answer = authenticate(&mut client, token).await.unwrap();
    (client, answer)
}

/// Something that the gateway answers for anybody.
async fn works(client: &mut Connection) -> bool {
    let request = DescribeUserScramCredentialsRequest::default();
    client.call(&request, 0).await.is_ok()
}

#[tokio::test]
async fn a_token_logs_in_and_its_lifetime_is_told() {
    let world = World::begin(Vec::new()).await;
    let (mut client, answer) = login(&world, token("key_writer", "writer", 60)).await;
    assert_eq!((answer.error_code, answer.auth_bytes.len()), (0, 0));
    assert!(
        (58_000..=60_000).contains(&answer.session_lifetime_ms),
        "{answer:?}"
    );
    assert!(works(&mut client).await);
}

#[tokio::test]
async fn a_refused_token_is_told_before_the_login_fails() {
    let world = World::begin(Vec::new()).await;
    let (mut client, answer) = login(&world, token("key_writer", "reader", 60)).await;
    assert_eq!(
        (answer.error_code, &answer.auth_bytes[..]),
        (0, &br#"{"status":"invalid_token"}"#[..])
    );
    let answer = authenticate(&mut client, vec![1]).await.unwrap();
    assert_eq!(answer.error_code, 58);
    assert!(!works(&mut client).await);
}

#[tokio::test]
async fn a_login_goes_on_when_the_client_logs_in_again_and_ends_when_it_does_not() {
    let world = World::begin(Vec::new()).await;
    let (mut idle, _answer) = login(&world, token("key_writer", "writer", 2)).await;
    let (mut client, _answer) = login(&world, token("key_writer", "writer", 2)).await;
    assert!(works(&mut client).await && works(&mut idle).await);
    assert_eq!(handshake(&mut client, "OAUTHBEARER").await.unwrap(), 0);
    let answer = authenticate(&mut client, token("key_writer", "writer", 60))
        .await
        .unwrap();
    assert!(answer.error_code == 0 && answer.session_lifetime_ms > 50_000);
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    assert!(works(&mut client).await);
    assert!(!works(&mut idle).await, "its login has ended");
}

#[tokio::test]
async fn a_login_that_ended_may_still_be_renewed() {
    let world = World::begin(Vec::new()).await;
    let (mut client, _answer) = login(&world, token("key_writer", "writer", 1)).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(handshake(&mut client, "OAUTHBEARER").await.unwrap(), 0);
    let answer = authenticate(&mut client, token("key_writer", "writer", 60))
        .await
        .unwrap();
    assert_eq!(answer.error_code, 0);
    assert!(works(&mut client).await);
}

#[tokio::test]
async fn a_connection_never_changes_hands() {
    let world = World::begin(Vec::new()).await;
    let again = [
        ("OAUTHBEARER", token("key_reader", "reader", 60)),
        ("PLAIN", b"\0key_writer\0key_writer".to_vec()),
    ];
    for (mechanism, shown) in again {
        let (mut client, _answer) = login(&world, token("key_writer", "writer", 60)).await;
        assert_eq!(handshake(&mut client, mechanism).await.unwrap(), 0);
        let answer = authenticate(&mut client, shown).await.unwrap();
        assert_eq!(answer.error_code, 58, "{mechanism}");
        assert!(!works(&mut client).await);
    }
    let mut client = world.client().await.unwrap();
    assert_eq!(handshake(&mut client, "GSSAPI").await.unwrap(), 33);
    assert!(!works(&mut client).await);
    let mut client = world.client().await.unwrap();
    assert!(
        authenticate(&mut client, Vec::new()).await.is_err(),
        "without a handshake"
    );
}

#[tokio::test]
async fn a_key_of_another_cluster_than_the_named_one_is_refused() {
    let world = World::begin(Vec::new()).await;
    for (suffix, opens) in [(A, true), (B, false)] {
        let port = world.named(suffix).await;
        let mut client = Connection::connect("127.0.0.1", port).await.unwrap();
        let entered = client.login_plain("key_writer", "key_writer").await.is_ok();
        assert_eq!(entered, opens, "by secret");
        assert_eq!(entered && works(&mut client).await, opens);
        let mut client = Connection::connect("127.0.0.1", port).await.unwrap();
        handshake(&mut client, "OAUTHBEARER").await.unwrap();
        let answer = authenticate(&mut client, token("key_writer", "writer", 60))
            .await
            .unwrap();
        assert_eq!(answer.error_code == 0, opens, "by token");
    }
}

#[tokio::test]
async fn a_revoked_key_ends_its_tokens_connections() {
    let world = World::begin(Vec::new()).await;
    let (mut client, _answer) = login(&world, token("key_writer", "writer", 60)).await;
    assert!(works(&mut client).await);
    world.install_changed(2, |it| it.api_keys.retain(|key| key.id != "key_writer"));
    tokio::time::timeout(std::time::Duration::from_secs(1), world.gateway.live.obey(2))
        .await
        .unwrap();
    assert!(!works(&mut client).await);
    let (mut client, _answer) = login(&world, token("key_reader", "reader", 60)).await;
    world.install_changed(3, |it| it.token_issuers.clear());
    tokio::time::timeout(std::time::Duration::from_secs(1), world.gateway.live.obey(3))
        .await
        .unwrap();
    assert!(!works(&mut client).await, "its issuer is believed no longer");
}
