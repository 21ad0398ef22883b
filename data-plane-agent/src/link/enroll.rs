//! Enrolment, renewal, and the channel that both and the session use.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use prost::Message;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::Code;
use tonic::transport::{Channel, Endpoint, Uri};
use weir_proto::agent::v1::enrollment_client::EnrollmentClient;
use weir_proto::agent::v1::link_client::LinkClient;
use weir_proto::agent::v1::{EnrollRequest, RenewRequest};

use super::identity::{Identity, IdentityError, first_request};
use super::ledger::{Form, Ledger};
use super::outbound::note;
use super::tls;
use crate::backoff::Backoff;
use crate::config::Token;

const CONNECT_MAX: Duration = Duration::from_secs(10);
const CALL_MAX: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Why the control plane could not be asked, or said no.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The identity on disk.
    #[error("use the identity")]
    Identity(#[from] IdentityError),
    /// TLS settings.
    #[error("prepare TLS")]
    Tls(#[from] rustls::Error),
    /// The address is not `host:port`.
    #[error("the control plane's address is not host:port")]
    Address,
    /// Nobody answers there, or not the one that was pinned.
    #[error("reach the control plane")]
    Unreachable(#[from] tonic::transport::Error),
    /// The control plane answered with an error.
    #[error("the control plane refused ({code:?})")]
    Refused {
        /// gRPC's code.
        code: Code,
    },
    /// It did not answer in time.
    #[error("the control plane did not answer in time")]
    Late,
    /// Nothing leaves without the ledger.
    #[error("write the ledger")]
    Ledger(#[from] io::Error),
    /// The session's frames could not be sent.
    #[error("send a frame")]
    Unsent(#[from] super::outbound::Unsent),
    /// A session has a number that nobody can guess.
    #[error("get a random number")]
    NoRandomNumbers(#[source] io::Error),
    /// There is no identity and no token.
    #[error("not enrolled yet: an enrolment token is needed (--token)")]
    NoToken,
}

impl From<tonic::Status> for LinkError {
    /// The text of a status is not kept: it may hold anything.
    fn from(status: tonic::Status) -> Self {
        Self::Refused { code: status.code() }
    }
}

/// Where the control plane is, and what is pinned of it.
#[derive(Debug, Clone)]
pub struct Door {
    /// `host:port`.
    pub address: String,
    /// SHA-256 of its authority's certificate.
    pub ca_sha256: [u8; 32],
}

impl Door {
    /// Opens a connection; with an identity it is mutual.
    ///
    /// # Errors
    /// When it cannot be reached or is not the pinned one.
    pub async fn open(&self, identity: Option<&Identity>) -> Result<Channel, LinkError> {
        let shown = identity.map(Identity::shown).transpose()?;
        let connector = TlsConnector::from(Arc::new(tls::client(self.ca_sha256, shown)?));
        let (host, _port) = self.address.rsplit_once(':').ok_or(LinkError::Address)?;
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_no_name| LinkError::Address)?;
        let uri: Uri = format!("http://{}", self.address)
            .parse()
            .map_err(|_no_uri| LinkError::Address)?;
        let address = self.address.clone();
        let dial = tower::service_fn(move |_uri: Uri| {
            let (connector, name, address) = (connector.clone(), name.clone(), address.clone());
            async move {
                let tcp = TcpStream::connect(&address).await?;
                tcp.set_nodelay(true)?;
                Ok::<_, io::Error>(TokioIo::new(connector.connect(name, tcp).await?))
            }
        });
        let endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_MAX)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true);
        tokio::time::timeout(CONNECT_MAX, endpoint.connect_with_connector(dial))
            .await
            .map_err(|_late| LinkError::Late)?
            .map_err(LinkError::from)
    }

    /// TLS settings without an identity, for the preflight.
    ///
    /// # Errors
    /// When TLS cannot be prepared.
    pub fn anonymous_tls(&self) -> Result<ClientConfig, LinkError> {
        Ok(tls::client(self.ca_sha256, None)?)
    }
}

/// The identity of `folder`, enrolling first if there is none. Tries again while the control plane is away; a refusal ends it.
///
/// # Errors
/// When there is no token, the token is refused, or the identity cannot be kept.
pub async fn enrolled(
    folder: &Path,
    door: &Door,
    token: Option<&Token>,
    ledger: &Arc<Ledger>,
) -> Result<Identity, LinkError> {
    if let Some(identity) = Identity::open(folder, &door.ca_sha256)? {
        return Ok(identity);
    }
    let token = token.ok_or(LinkError::NoToken)?;
    let csr_pem = first_request(folder)?;
    let mut backoff = Backoff::new(Duration::from_millis(300), Duration::from_secs(20));
    loop {
        match enroll(folder, door, token, &csr_pem, ledger).await {
            Ok(identity) => {
                tracing::info!(data_plane = identity.pinned().data_plane_id, "enrolled");
                return Ok(identity);
            }
            Err(error @ (LinkError::Unreachable(_) | LinkError::Late)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "enrolment waits for the control plane"
                );
            }
            Err(LinkError::Refused { code })
                if matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Internal) =>
            {
                tracing::warn!(?code, "enrolment waits for the control plane");
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(backoff.next_pause()).await;
    }
}

async fn enroll(
    folder: &Path,
    door: &Door,
    token: &Token,
    csr_pem: &str,
    ledger: &Arc<Ledger>,
) -> Result<Identity, LinkError> {
    let channel = door.open(None).await?;
    let request = |token: &str| EnrollRequest {
        token: token.to_owned(),
        csr_pem: csr_pem.to_owned(),
    };
    // The token is a secret for half an hour: the ledger says that an enrolment was sent, not with which token.
    note(ledger, Form::Enroll, request("").encode_to_vec()).await?;
    let mut client = EnrollmentClient::new(channel);
    let answer = tokio::time::timeout(CALL_MAX, client.enroll(request(token.reveal())))
        .await
        .map_err(|_late| LinkError::Late)??
        .into_inner();
    Ok(Identity::enrolled(folder, &door.ca_sha256, &answer)?)
}

/// Asks for the next certificate with the present one, over `channel`.
///
/// # Errors
/// When the control plane refuses or is away.
pub async fn renew(identity: &Identity, channel: Channel, ledger: &Arc<Ledger>) -> Result<(), LinkError> {
    let request = RenewRequest {
        csr_pem: identity.request()?,
    };
    note(ledger, Form::Renew, request.encode_to_vec()).await?;
    let mut client = LinkClient::new(channel);
    let answer = tokio::time::timeout(CALL_MAX, client.renew(request))
        .await
        .map_err(|_late| LinkError::Late)??
        .into_inner();
    identity.renewed(&answer)?;
    tracing::info!("the certificate was renewed");
    Ok(())
}
