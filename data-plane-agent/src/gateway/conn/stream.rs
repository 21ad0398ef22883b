//! A client's socket, plain or TLS, in two halves; and how frames are written to any.

use std::future::Future;
use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
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

/// Frames are written together up to so many bytes.
pub const TOGETHER: usize = 64 * 1024;

/// Writes frames: small ones as one, large ones as they are.
pub async fn put<W: AsyncWrite + Unpin>(write: &mut W, frames: &mut Vec<Bytes>) -> io::Result<()> {
    let total: usize = frames.iter().map(Bytes::len).sum();
    if frames.len() > 1 && total <= 2 * TOGETHER {
        let mut together = BytesMut::with_capacity(total);
        frames.iter().for_each(|it| together.extend_from_slice(it));
        write.write_all(&together).await?;
    } else {
        for frame in frames.iter() {
            write.write_all(frame).await?;
        }
    }
    frames.clear();
    write.flush().await
}
