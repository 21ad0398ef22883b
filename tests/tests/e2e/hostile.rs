//! Frames that no client should send: each costs its sender the connection, and nobody else anything.

use crate::kafka::{
    API_VERSIONS, AUTHENTICATION_FAILED, Client, METADATA, SASL_HANDSHAKE, assert_serving, request, string,
};
use crate::stack;

const MEMORY_SLACK_BYTES: u64 = 64 * 1024 * 1024;

#[tokio::test]
async fn a_wrong_password_is_refused_with_kafkas_own_error() {
    let user = stack::text("/kafka/payments/username");
    let mut client = Client::connect().await;
    assert_eq!(client.login(&user, "wrong").await, Some(AUTHENTICATION_FAILED));
    assert_eq!(client.answer().await, None, "the connection ends");
    // One tenant's password does not open another's key.
    let foreign = stack::text("/kafka/risk/password");
    let mut client = Client::connect().await;
    assert_eq!(client.login(&user, &foreign).await, Some(AUTHENTICATION_FAILED));
    assert_serving().await;
}

#[tokio::test]
async fn a_request_before_authentication_ends_the_connection() {
    let mut client = Client::connect().await;
    client.frame(&request(METADATA, 1, &(-1_i32).to_be_bytes())).await;
    assert_eq!(client.answer().await, None);
    assert_serving().await;
}

#[tokio::test]
async fn an_oversized_frame_is_not_waited_for() {
    let before = stack::gateway_memory_bytes();
    for length in [i32::MAX, -1, 0, 64 * 1024 + 1] {
        let mut client = Client::connect().await;
        client.raw(&length.to_be_bytes()).await;
        client.raw(&[0; 64]).await;
        assert_eq!(
            client.answer().await,
            None,
            "a frame of {length} bytes before authentication"
        );
    }
    assert!(stack::gateway_memory_bytes() < before + MEMORY_SLACK_BYTES);
    assert_serving().await;
}

#[tokio::test]
async fn a_truncated_frame_changes_nothing() {
    let mut client = Client::connect().await;
    client.raw(&1000_i32.to_be_bytes()).await;
    client.raw(&request(API_VERSIONS, 0, &[])[..5]).await;
    client.hang_up().await;
    let mut client = Client::connect().await;
    // A complete frame whose content ends too early.
    client
        .frame(&request(SASL_HANDSHAKE, 1, &string("PLAIN")[..3]))
        .await;
    assert_eq!(client.answer().await, None);
    assert_serving().await;
}

#[tokio::test]
async fn an_array_of_two_billion_elements_is_refused_before_it_is_decoded() {
    let user = (
        stack::text("/kafka/payments/username"),
        stack::text("/kafka/payments/password"),
    );
    let before = stack::gateway_memory_bytes();
    for version in [1, 4, 8] {
        let mut client = Client::connect().await;
        assert_eq!(client.login(&user.0, &user.1).await, Some(0));
        client
            .frame(&request(METADATA, version, &i32::MAX.to_be_bytes()))
            .await;
        assert_eq!(client.answer().await, None, "Metadata {version}");
    }
    // Before authentication, in the newer encoding: a string of two billion characters.
    let mut client = Client::connect().await;
    let body = [0, 0xff, 0xff, 0xff, 0xff, 0x07];
    client.frame(&request(API_VERSIONS, 3, &body)).await;
    assert_eq!(client.answer().await, None);
    assert!(stack::gateway_memory_bytes() < before + MEMORY_SLACK_BYTES);
    assert_serving().await;
}

#[tokio::test]
async fn an_api_that_is_not_offered_ends_the_connection() {
    let user = (
        stack::text("/kafka/payments/username"),
        stack::text("/kafka/payments/password"),
    );
    // WriteTxnMarkers, which only brokers send to each other, and a key that does not exist.
    for api_key in [27, 999] {
        let mut client = Client::connect().await;
        assert_eq!(client.login(&user.0, &user.1).await, Some(0));
        client.frame(&request(api_key, 0, &[0; 8])).await;
        assert_eq!(client.answer().await, None, "API key {api_key}");
    }
    assert_serving().await;
}
