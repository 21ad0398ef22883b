//! A client's socket, plain or TLS, in two halves.

use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::server::TlsStream;

/// A half that is read.
pub trait Source: AsyncRead + Unpin + Send {
    /// Waits until a read would not wait, where the socket can tell: no buffer need be held meanwhile.
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;
}

impl Source for OwnedReadHalf {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        Self::readable(self)
    }
}

impl Source for ReadHalf<TlsStream<TcpStream>> {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        // The TLS layer may hold what the socket has given already.
        std::future::ready(Ok(()))
    }
}

/// A socket that splits.
pub trait Client: Send {
    /// What is read.
    type Read: Source;
    /// What is written.
    type Write: AsyncWrite + Unpin + Send;
    /// Splits it.
    fn halves(self) -> (Self::Read, Self::Write);
}

impl Client for TcpStream {
    type Read = OwnedReadHalf;
    type Write = OwnedWriteHalf;
    fn halves(self) -> (Self::Read, Self::Write) {
        self.into_split()
    }
}

impl Client for TlsStream<TcpStream> {
    type Read = ReadHalf<Self>;
    type Write = WriteHalf<Self>;
    fn halves(self) -> (Self::Read, Self::Write) {
        tokio::io::split(self)
    }
}
