//! Who comes by certificate: the first request that is none of a login says that no login will come (Kafka's `security.protocol=SSL`).
//! A client that begins a login is who the login says, and its certificate means nothing.

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::End;
use super::intake::Intake;
use super::login::Door;
use super::stream::Source;
use crate::gateway::sasl::Login;
use crate::gateway::view::{NotOpened, now_unix_seconds};

/// How those come who show a certificate and log in by no mechanism of SASL.
pub(super) const BY_CERTIFICATE: &str = "MTLS";

/// The next frame; `None` when a client says nothing until `patience` ends.
pub(super) async fn next_frame<S: Source>(
    read: &mut Intake<S>,
    patience: Option<Instant>,
) -> Result<Option<Bytes>, End> {
    loop {
        if let Some(frame) = read.next()? {
            return Ok(Some(frame));
        }
        match patience {
            None => read.fill().await?,
            Some(end) => match timeout_at(end, read.fill()).await {
                Ok(filled) => filled?,
                Err(_elapsed) => return Ok(None),
            },
        }
    }
}

impl Door<'_> {
    /// Who the certificate that was shown says that this is; `None` without one.
    pub(super) fn shown(&self) -> Option<Result<Login, NotOpened>> {
        let presented = self.arrival.presented.as_ref()?;
        let cluster = self.arrival.named.as_ref().map(|it| it.cluster.as_str());
        let view = self.gateway.view.load();
        let opened = view.opened(cluster, presented, now_unix_seconds());
        Some(opened.map(|key| Login::by_certificate(&key, *presented)))
    }

    pub(super) fn by_certificate(&self) -> Result<Login, End> {
        match self.shown() {
            Some(Ok(login)) => Ok(login),
            Some(Err(reason)) => {
                let public_key = self.arrival.presented.map(|it| it.public_key.to_string());
                tracing::info!(address = %self.arrival.address, public_key, %reason, "a client certificate opens nothing");
                Err(reason.into())
            }
            None => Err(End::Authentication),
        }
    }
}
