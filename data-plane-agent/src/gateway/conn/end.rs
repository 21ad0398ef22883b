//! Why a connection ended.

use std::io;
use std::net::IpAddr;

use weir_kafka_wire::CallError;
use weir_kafka_wire::frame::FrameError;
use weir_kafka_wire::header::HeaderError;
use weir_kafka_wire::message::MessageError;

use super::buffers::Short;
use crate::gateway::rewrite::Refusal;
use crate::gateway::view::{Key, NotOpened};

/// A reason; none of them concerns another connection.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The client closed it.
    #[error("the client closed the connection")]
    Client,
    /// The client's socket failed.
    #[error("the client's socket failed")]
    ClientSocket(#[source] io::Error),
    /// The broker closed its connection, or its socket failed.
    #[error("the broker ended its connection")]
    Broker,
    /// No broker of the pool could be reached.
    #[error("no broker could be reached")]
    NoBroker(#[source] CallError),
    /// The pool, or the broker that the port stands for, is unknown.
    #[error("the snapshot names no such broker")]
    UnknownBroker,
    /// An answer that nobody asked for, or to another request.
    #[error("the broker answered out of turn")]
    OutOfTurn,
    /// A request that this gateway was to answer by itself got no answer.
    #[error("an administrative request was lost")]
    Lost,
    /// The system gave no thread to judge records on, or judging them failed.
    #[error("records could not be judged")]
    Unjudged(#[source] io::Error),
    /// The login failed.
    #[error("authentication failed")]
    Authentication,
    /// A certificate was shown that opens nothing, and no login came.
    #[error(transparent)]
    Certificate(#[from] NotOpened),
    /// A certificate's time is over.
    #[error("the client certificate has ended")]
    CertificateEnded,
    /// A token's time is over, and another request than one to log in again came.
    #[error("the login has ended, and the client did not log in again")]
    Outlived,
    /// A mechanism that is not offered.
    #[error("an unknown SASL mechanism was asked for")]
    Mechanism,
    /// Something else than a login, before one.
    #[error("request {0} of version {1} came before login")]
    Early(i16, i16),
    /// The login took too long.
    #[error("no login within the time allowed")]
    Slow,
    /// Nothing was heard for long.
    #[error("idle")]
    Idle,
    /// The key was revoked or changed, it expired, or its cluster is no longer served.
    #[error("the key does not stand any more")]
    Revoked,
    /// A quota allows no more connections.
    #[error("a quota allows no more connections")]
    NoSeat,
    /// The gateway stops.
    #[error("the gateway stops")]
    Draining,
    /// Others needed the room that it held.
    #[error(transparent)]
    Short(#[from] Short),
    /// A frame out of bounds.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A malformed or unknown header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A request that cannot pass.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An own answer that cannot be written.
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl End {
    /// One line for each connection that ended.
    pub fn log(&self, address: IpAddr, key: Option<&Key>) {
        let (key, cluster) = key.map_or(("", ""), |it| (it.id.as_str(), it.cluster.as_str()));
        match self {
            Self::Client | Self::ClientSocket(_) | Self::Idle | Self::Draining => {
                tracing::debug!(%address, key, cluster, reason = %self, "connection ended");
            }
            Self::Unjudged(source) => {
                tracing::error!(%address, key, cluster, reason = %self, %source, "connection ended");
            }
            Self::NoBroker(source) => {
                tracing::warn!(%address, key, cluster, reason = %self, %source, "connection ended");
            }
            Self::Broker
            | Self::UnknownBroker
            | Self::OutOfTurn
            | Self::Revoked
            | Self::NoSeat
            | Self::Authentication
            | Self::Outlived
            | Self::Certificate(_)
            | Self::CertificateEnded
            | Self::Slow
            | Self::Short(_) => {
                tracing::info!(%address, key, cluster, reason = %self, "connection ended");
            }
            _hostile => tracing::warn!(%address, key, cluster, reason = %self, "connection closed"),
        }
    }
}
