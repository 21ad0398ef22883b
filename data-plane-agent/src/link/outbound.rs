//! The one way out: ledger first, then the wire.

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tokio::sync::mpsc;
use weir_proto::agent::v1::AgentFrame;
use weir_proto::agent::v1::agent_frame::Frame;

use super::ledger::{Form, Ledger};

/// A peer that reads nothing for this long has left.
const SEND_MAX: Duration = Duration::from_secs(20);

/// Why a frame did not go out.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// The ledger could not be written: then nothing may leave.
    #[error("write the ledger")]
    Ledger(#[from] std::io::Error),
    /// The session ended or its peer reads nothing.
    #[error("the session takes no more frames")]
    Closed,
}

/// Sends the frames of one session.
pub(super) struct Outbound {
    ledger: Arc<Ledger>,
    wire: mpsc::Sender<AgentFrame>,
}

impl Outbound {
    pub(super) fn new(ledger: Arc<Ledger>, wire: mpsc::Sender<AgentFrame>) -> Self {
        Self { ledger, wire }
    }

    /// Writes the frame to the ledger, waits until it is durable, then hands it to the wire.
    pub(super) async fn send(&self, frame: Frame) -> Result<(), Unsent> {
        let frame = AgentFrame { frame: Some(frame) };
        note(&self.ledger, Form::AgentFrame, frame.encode_to_vec()).await?;
        match tokio::time::timeout(SEND_MAX, self.wire.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Unsent::Closed),
        }
    }
}

/// Writes one message to the ledger without blocking the runtime.
pub(super) async fn note(ledger: &Arc<Ledger>, form: Form, bytes: Vec<u8>) -> std::io::Result<()> {
    let ledger = Arc::clone(ledger);
    tokio::task::spawn_blocking(move || ledger.append(form, &bytes))
        .await
        .map_err(std::io::Error::other)?
        .map(drop)
}
