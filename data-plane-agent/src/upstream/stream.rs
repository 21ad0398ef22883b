//! A connection to a broker, plain or TLS, whole or in two halves.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::client::TlsStream;

/// A whole one.
#[derive(Debug)]
pub enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// Within TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// What is read.
#[derive(Debug)]
pub enum ReadSide {
    /// As it is.
    Plain(OwnedReadHalf),
    /// Within TLS.
    Tls(ReadHalf<Box<TlsStream<TcpStream>>>),
}

/// What is written.
#[derive(Debug)]
pub enum WriteSide {
    /// As it is.
    Plain(OwnedWriteHalf),
    /// Within TLS.
    Tls(WriteHalf<Box<TlsStream<TcpStream>>>),
}

impl Stream {
    /// Splits it.
    #[must_use]
    pub fn halves(self) -> (ReadSide, WriteSide) {
        match self {
            Self::Plain(socket) => {
                let (read, write) = socket.into_split();
                (ReadSide::Plain(read), WriteSide::Plain(write))
            }
            Self::Tls(stream) => {
                let (read, write) = tokio::io::split(stream);
                (ReadSide::Tls(read), WriteSide::Tls(write))
            }
        }
    }
}

impl ReadSide {
    /// Waits until a read would not wait, where the socket can tell.
    ///
    /// # Errors
    /// As the socket says.
    pub async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Plain(read) => read.readable().await,
            // The TLS layer may hold what the socket has given already.
            Self::Tls(_read) => Ok(()),
        }
    }
}

impl AsyncRead for ReadSide {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(read) => Pin::new(read).poll_read(cx, buf),
            Self::Tls(read) => Pin::new(read).poll_read(cx, buf),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

macro_rules! writes {
    ($name:ident) => {
        impl AsyncWrite for $name {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Plain(it) => Pin::new(it).poll_write(cx, buf),
                    Self::Tls(it) => Pin::new(it).poll_write(cx, buf),
                }
            }
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Plain(it) => Pin::new(it).poll_write_vectored(cx, slices),
                    Self::Tls(it) => Pin::new(it).poll_write_vectored(cx, slices),
                }
            }
            fn is_write_vectored(&self) -> bool {
                match self {
                    Self::Plain(it) => it.is_write_vectored(),
                    Self::Tls(it) => it.is_write_vectored(),
                }
            }
            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(it) => Pin::new(it).poll_flush(cx),
                    Self::Tls(it) => Pin::new(it).poll_flush(cx),
                }
            }
            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(it) => Pin::new(it).poll_shutdown(cx),
                    Self::Tls(it) => Pin::new(it).poll_shutdown(cx),
                }
            }
        }
    };
}
writes!(Stream);
writes!(WriteSide);
