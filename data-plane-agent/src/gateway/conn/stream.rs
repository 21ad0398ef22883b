//! A client's socket, plain or TLS, in two halves; and how frames are written to any.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::server::TlsStream;

use super::buffers::{Charge, Short};
use crate::upstream::ReadSide;

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

impl Source for ReadSide {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        Self::readable(self)
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl Source for &[u8] {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
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
/// So little is copied into one buffer rather than written from many.
const SMALL: usize = 16 * 1024;

/// Writes pieces of frames: what is small together, what is large as it lies, in as few calls as may be.
pub async fn put<W: AsyncWrite + Unpin>(write: &mut W, pieces: &mut Vec<Bytes>) -> io::Result<()> {
    let total: usize = pieces.iter().map(Bytes::len).sum();
    if pieces.len() > 1 && total <= SMALL {
        let mut together = BytesMut::with_capacity(total);
        pieces.drain(..).for_each(|it| together.extend_from_slice(&it));
        write.write_all(&together).await?;
    } else {
        write.write_all_buf(&mut Row(pieces.drain(..).collect())).await?;
    }
    write.flush().await
}

/// What was held did not get out.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The socket failed.
    #[error(transparent)]
    Socket(#[from] io::Error),
    /// Others needed the room that it held.
    #[error(transparent)]
    Short(#[from] Short),
}

/// The same, as long as nobody needs the room that the pieces hold while the other side does not read.
pub async fn put_held<W: AsyncWrite + Unpin>(
    charge: &mut Charge,
    write: &mut W,
    pieces: &mut Vec<Bytes>,
) -> Result<(), PutError> {
    if !charge.holds() {
        return Ok(put(write, pieces).await?);
    }
    charge.begin();
    let mut row = Row(pieces.drain(..).collect());
    while row.has_remaining() {
        let written = tokio::select! {
            biased;
            written = write.write_buf(&mut row) => written?,
            short = charge.stuck() => return Err(short.into()),
        };
        if written == 0 {
            return Err(io::Error::from(io::ErrorKind::WriteZero).into());
        }
        charge.moved(written);
    }
    tokio::select! {
        biased;
        flushed = write.flush() => Ok(flushed?),
        short = charge.stuck() => Err(short.into()),
    }
}

/// Pieces one behind the other.
struct Row(VecDeque<Bytes>);

impl Buf for Row {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.iter().find(|it| !it.is_empty()).map_or(&[], |it| it)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let full = self.0.iter().filter(|it| !it.is_empty());
        let mut filled = 0;
        for (slice, piece) in slices.iter_mut().zip(full) {
            *slice = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(first) = self.0.front_mut() {
            if first.len() > count {
                return first.advance(count);
            }
            count -= first.len();
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pieces_arrive_in_their_order_whatever_their_size() {
        for size in [0, 1, 10, SMALL, 100_000] {
            let pieces = [vec![1; 4], vec![2; size], Vec::new(), vec![3; size], vec![4; 3]];
            let expected = pieces.concat();
            let mut pieces: Vec<Bytes> = pieces.into_iter().map(Bytes::from).collect();
            let (mut near, mut far) = tokio::io::duplex(777);
            let mut arrived = vec![0; expected.len()];
            let (written, read) = tokio::join!(
                put(&mut near, &mut pieces),
                tokio::io::AsyncReadExt::read_exact(&mut far, &mut arrived)
            );
            written.unwrap();
            read.unwrap();
            assert_eq!(arrived, expected);
            assert!(pieces.is_empty());
        }
    }

    #[test]
    fn a_row_advances_over_its_pieces() {
        let mut row = Row(["ab", "", "cde", "f"].map(|it| Bytes::from(it.as_bytes())).into());
        row.advance(3);
        assert_eq!((row.remaining(), row.chunk()), (3, &b"de"[..]));
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(row.chunks_vectored(&mut slices), 2);
        row.advance(3);
        assert!(!row.has_remaining());
    }
}
