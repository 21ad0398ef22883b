//! A small caller of the REST API.

use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::stack;

/// A signed-in person.
pub struct Person {
    token: String,
}

async fn send(method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let url = format!("{}{path}", stack::text("/url"));
    request(method, &url, token, body).await.expect("the API answers")
}

/// Calls somebody else's REST API; `None` while nobody answers there.
pub async fn plain(method: &str, url: &str, body: &Value) -> Option<(u16, Value)> {
    request(method, url, None, body).await
}

async fn request(method: &str, url: &str, token: Option<&str>, body: &Value) -> Option<(u16, Value)> {
    let mut request = http::Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = match body {
        Value::Null => bytes::Bytes::new(),
        body => bytes::Bytes::from(body.to_string()),
    };
    let request = request.body(Full::new(body)).expect("a request");
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.ok()?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
}

impl Person {
    pub async fn sign_in(name: &str) -> Self {
        let email = stack::text(&format!("/members/{name}/email"));
        let password = stack::text(&format!("/members/{name}/password"));
        let body = json!({"email": email, "password": password});
        let (status, session) = send("POST", "/v1/sessions", None, &body).await;
        assert_eq!(status, 201, "{session:#}");
        Self {
            token: session["token"].as_str().expect("a token").to_owned(),
        }
    }

    pub async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        send(method, path, Some(&self.token), body).await
    }
}

/// An access token for an API key.
pub async fn access_token(username: &str, password: &str) -> String {
    let form = format!("grant_type=client_credentials&client_id={username}&client_secret={password}");
    let request = http::Request::builder()
        .method("POST")
        .uri(format!("{}/v1/oauth/token", stack::text("/url")))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(bytes::Bytes::from(form)))
        .expect("a request");
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.expect("the API answers");
    assert_eq!(response.status().as_u16(), 200);
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
    answer["access_token"].as_str().expect("a token").to_owned()
}
