//! The end of a key: past its time or revoked, it opens nothing, and live connections end.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::api::{Person, access_token};
use crate::kafka::{AUTHENTICATION_FAILED, Client};
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(30);

async fn new_key(person: &Person, expires_at: Option<String>) -> (String, String, String) {
    let spec = json!({
        "service_account": stack::text("/ids/payments.principal"),
        "cluster": stack::text("/ids/payments.cluster"),
        "description": "of a test",
        "expires_at": expires_at,
    });
    let (status, key) = person
        .call("POST", "/v1/api-keys?wait=30s", &json!({"spec": spec}))
        .await;
    assert_eq!(status, 201, "{key:#}");
    assert_eq!(key["status"]["phase"], "READY", "{key:#}");
    let text = |pointer: &str| {
        key.pointer(pointer)
            .and_then(|it| it.as_str())
            .expect("a text")
            .to_owned()
    };
    (text("/id"), text("/secret/username"), text("/secret/password"))
}

/// Logs in again and again until it is refused.
async fn until_refused(username: &str, password: &str) {
    let end = Instant::now() + PATIENCE;
    let mut again = tokio::time::interval(Duration::from_millis(200));
    loop {
        again.tick().await;
        let mut client = Client::connect().await;
        if client.login(username, password).await == Some(AUTHENTICATION_FAILED) {
            return;
        }
        assert!(Instant::now() < end, "the key still opens after {PATIENCE:?}");
    }
}

#[tokio::test]
async fn a_ready_key_opens_at_once_and_a_revoked_one_loses_its_connections() {
    let person = Person::sign_in("payments").await;
    let (id, username, password) = new_key(&person, None).await;
    let mut live = Client::connect().await;
    // READY means enforced everywhere: no retry here.
    assert_eq!(live.login(&username, &password).await, Some(0));
    let (status, _) = person
        .call("DELETE", &format!("/v1/api-keys/{id}"), &json!({}))
        .await;
    assert!(matches!(status, 202 | 204), "{status}");
    assert_eq!(live.answer().await, None, "the live connection ends");
    until_refused(&username, &password).await;
}

#[tokio::test]
async fn an_expired_key_opens_nothing() {
    let person = Person::sign_in("payments").await;
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(8);
    let (_, username, password) = new_key(&person, Some(soon.to_rfc3339())).await;
    let mut client = Client::connect().await;
    assert_eq!(client.login(&username, &password).await, Some(0));
    assert_eq!(
        client.answer().await,
        None,
        "the live connection ends with the key"
    );
    until_refused(&username, &password).await;
}

#[tokio::test]
async fn a_token_opens_what_its_key_opens_and_ends_with_it() {
    let person = Person::sign_in("payments").await;
    let (id, username, password) = new_key(&person, None).await;
    let token = access_token(&username, &password).await;
    let mut live = Client::connect().await;
    assert!(live.login_by_token(&token).await);
    let (head, _signature) = token.rsplit_once('.').expect("three parts");
    let forged = format!("{head}.{}", "A".repeat(86));
    assert!(!Client::connect().await.login_by_token(&forged).await);
    let (status, _) = person
        .call("DELETE", &format!("/v1/api-keys/{id}"), &json!({}))
        .await;
    assert!(matches!(status, 202 | 204), "{status}");
    assert_eq!(live.answer().await, None, "the live connection ends");
    let end = Instant::now() + PATIENCE;
    while Client::connect().await.login_by_token(&token).await {
        assert!(Instant::now() < end, "the token still opens after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
