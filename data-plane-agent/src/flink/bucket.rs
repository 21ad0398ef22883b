//! A bucket of the customer's (S3), as far as the agent looks into it: what lies below a prefix, and its end.
//!
//! Flink writes there by itself. The agent lists, bounded, and says that it does not know where it cannot.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rusty_s3::actions::{ListObjectsV2, S3Action as _};
use rusty_s3::{Bucket as Address, Credentials, UrlStyle};
use tower::util::BoxCloneSyncService;

use super::store::S3;
use crate::processor::roots::{self, Wire};

type Dial = BoxCloneSyncService<Uri, TokioIo<Wire>, io::Error>;

/// How long a signature holds.
const SIGNED: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(20);
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Pages of a thousand objects: what lies below the prefix of one job.
const PAGES_MAX: usize = 50;

/// What lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its whole key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, as the server says: to the second on some.
    pub at: SystemTime,
}

/// A bucket with who may look into it. `Debug` hides the secret.
#[derive(Clone)]
pub struct Bucket {
    client: Client<Dial, Full<Bytes>>,
    address: Address,
    login: Arc<Credentials>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bucket({})", self.address.name())
    }
}

impl Bucket {
    /// The customer's, with the secret key of its access key.
    ///
    /// # Errors
    /// When the address is none.
    pub fn open(s3: &S3, secret: &str) -> io::Result<Self> {
        let wrong = |_error| io::Error::new(io::ErrorKind::InvalidInput, "the endpoint is no address");
        let endpoint = s3.endpoint().parse().map_err(wrong)?;
        let style = if s3.path_style {
            UrlStyle::Path
        } else {
            UrlStyle::VirtualHost
        };
        let address = Address::new(endpoint, style, s3.bucket.clone(), s3.region.clone())
            .map_err(|_error| io::Error::new(io::ErrorKind::InvalidInput, "the bucket has no address"))?;
        let tls = roots::system_tls()?;
        let dial = tower::service_fn(move |uri: Uri| roots::connect(uri, tls.clone()));
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(BoxCloneSyncService::new(dial)),
            address,
            login: Arc::new(Credentials::new(&s3.access_key, secret)),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.address.name()
    }

    /// Everything below a prefix.
    ///
    /// # Errors
    /// When the bucket does not answer, or holds more there than is looked at: then nobody knows what there is.
    pub async fn list(&self, prefix: &str) -> io::Result<Vec<Object>> {
        let (mut found, mut next): (Vec<Object>, Option<String>) = (Vec::new(), None);
        for _page in 0..PAGES_MAX {
            let mut action = ListObjectsV2::new(&self.address, Some(&self.login));
            action.with_prefix(prefix.to_owned());
            if let Some(token) = next.take() {
                action.with_continuation_token(token);
            }
            let answer = self.call(Method::GET, action.sign(SIGNED).as_str()).await?;
            let page = std::str::from_utf8(&answer).ok();
            let page = page.and_then(|it| ListObjectsV2::parse_response(it).ok());
            let page = page.ok_or_else(|| odd("the bucket's list cannot be read"))?;
            for object in page.contents {
                let at = object.last_modified.as_deref();
                let at = at.and_then(|it| chrono::DateTime::parse_from_rfc3339(it).ok());
                let (Some(at), Some(bytes)) = (at, object.size) else {
                    return Err(odd("the bucket tells no time or no size"));
                };
                found.push(Object {
                    key: object.key,
                    bytes,
                    at: at.into(),
                });
            }
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(found);
            }
        }
        Err(io::Error::other("the bucket holds too much below a job's prefix"))
    }

    /// Takes an object away, if it is there.
    ///
    /// # Errors
    /// When the bucket does not answer, or says no.
    pub async fn delete(&self, key: &str) -> io::Result<()> {
        let action = self.address.delete_object(Some(&self.login), key);
        self.call(Method::DELETE, action.sign(SIGNED).as_str())
            .await
            .map(drop)
    }

    async fn call(&self, method: Method, url: &str) -> io::Result<Bytes> {
        let request = http::Request::builder()
            .method(method)
            .uri(url)
            .body(Full::new(Bytes::new()))
            .map_err(|_error| io::Error::from(io::ErrorKind::InvalidInput))?;
        let exchange = async {
            // The error would repeat the address, which is signed.
            let answer = self.client.request(request).await;
            let answer = answer.map_err(|_error| io::Error::other("the bucket cannot be reached"))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|_error| io::Error::other("the bucket's answer broke off"))?;
            if status.is_success() {
                Ok(body.to_bytes())
            } else {
                Err(io::Error::other(format!(
                    "the bucket answered with status {}",
                    status.as_u16()
                )))
            }
        };
        let answered = tokio::time::timeout(PATIENCE, exchange).await;
        answered.unwrap_or_else(|_late| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn odd(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
