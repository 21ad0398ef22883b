//! A Kafka client that sends any bytes it likes: frames by hand, so that they can be wrong.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stack;

const PATIENCE: Duration = Duration::from_secs(20);

/// Kafka's API keys (protocol guide, "API keys").
pub const METADATA: i16 = 3;
pub const SASL_HANDSHAKE: i16 = 17;
pub const API_VERSIONS: i16 = 18;
pub const SASL_AUTHENTICATE: i16 = 36;

/// SASL_AUTHENTICATION_FAILED.
pub const AUTHENTICATION_FAILED: i16 = 58;

/// One connection to the gateway.
pub struct Client {
    stream: TcpStream,
}

/// A Kafka string: length, bytes.
pub fn string(text: &str) -> Vec<u8> {
    let length = i16::try_from(text.len()).expect("a short string");
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

/// A request header of version 1 and a body.
pub fn request(api_key: i16, api_version: i16, body: &[u8]) -> Vec<u8> {
    let client = string("hostile");
    [
        &api_key.to_be_bytes()[..],
        &api_version.to_be_bytes(),
        &7_i32.to_be_bytes(),
        &client,
        body,
    ]
    .concat()
}

impl Client {
    pub async fn connect() -> Self {
        let bootstrap = stack::text("/kafka/payments/bootstrap");
        Self {
            stream: TcpStream::connect(bootstrap)
                .await
                .expect("connect to the gateway"),
        }
    }

    /// Sends raw bytes; a gateway that closed already is not an error here.
    pub async fn raw(&mut self, bytes: &[u8]) {
        let _closed_is_fine = self.stream.write_all(bytes).await;
    }

    /// Sends a frame with a right length.
    pub async fn frame(&mut self, frame: &[u8]) {
        let length = i32::try_from(frame.len()).expect("a frame below 2 GiB");
        self.raw(&[&length.to_be_bytes()[..], frame].concat()).await;
    }

    /// Says nothing more.
    pub async fn hang_up(mut self) {
        self.stream.shutdown().await.expect("half-close");
    }

    /// The next answer after its correlation id; `None` when the gateway closed the connection.
    pub async fn answer(&mut self) -> Option<Vec<u8>> {
        let read = async {
            let length = self.stream.read_i32().await.ok()?;
            let mut frame = vec![0_u8; usize::try_from(length).ok()?];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(frame.split_off(4))
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the gateway answers or closes in time")
    }

    /// SASL/OAUTHBEARER; true when the token opens.
    pub async fn login_by_token(&mut self, token: &str) -> bool {
        self.frame(&request(SASL_HANDSHAKE, 1, &string("OAUTHBEARER")))
            .await;
        let Some(answer) = self.answer().await else {
            return false;
        };
        assert_eq!(answer[..2], [0, 0], "OAUTHBEARER is offered");
        let token = format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}");
        let length = i32::try_from(token.len()).expect("a short token");
        let body = [&length.to_be_bytes()[..], token.as_bytes()].concat();
        self.frame(&request(SASL_AUTHENTICATE, 0, &body)).await;
        // An error code, a message, and the status of a refusal, which is not empty.
        let opened = |it: Vec<u8>| it.starts_with(&[0, 0]) && it.ends_with(&[0; 4]);
        self.answer().await.is_some_and(opened)
    }

    /// SASL/PLAIN; the error code of the answer, or `None` when closed.
    pub async fn login(&mut self, username: &str, password: &str) -> Option<i16> {
        self.frame(&request(SASL_HANDSHAKE, 1, &string("PLAIN"))).await;
        let answer = self.answer().await?;
        assert_eq!(answer[..2], [0, 0], "PLAIN is offered");
        let token = format!("\0{username}\0{password}");
        let length = i32::try_from(token.len()).expect("a short token");
        let body = [&length.to_be_bytes()[..], token.as_bytes()].concat();
        self.frame(&request(SASL_AUTHENTICATE, 0, &body)).await;
        let answer = self.answer().await?;
        Some(i16::from_be_bytes([answer[0], answer[1]]))
    }
}

/// The gateway still serves a client that behaves.
pub async fn assert_serving() {
    let mut client = Client::connect().await;
    client.frame(&request(API_VERSIONS, 0, &[])).await;
    let answer = client.answer().await.expect("an answer to ApiVersions");
    assert_eq!(answer[..2], [0, 0], "ApiVersions succeeds");
    let user = (
        stack::text("/kafka/payments/username"),
        stack::text("/kafka/payments/password"),
    );
    assert_eq!(
        client.login(&user.0, &user.1).await,
        Some(0),
        "the right password opens"
    );
}
