//! Reads frames: as much memory as arrived and a chunk, none while idle, charged to all connections' bound.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use tokio::io::AsyncReadExt as _;
use weir_kafka_wire::frame::{self, FrameError};

use super::buffers::{Buffers, Charge, Short};
use super::stream::Source;

/// The bytes that tell a frame's length.
const LENGTH: usize = 4;
/// Reserved at least for a read.
const CHUNK: usize = 64 * 1024;
/// Reserved at most for what a frame announces, or as much again as arrived of it.
const LARGEST_CHUNK: usize = 1024 * 1024;
/// Reserved at most because earlier frames were as long.
const USUAL_MOST: usize = 4 * 1024 * 1024;

/// One direction's frames.
#[derive(Debug)]
pub struct Intake<S> {
    source: S,
    buffer: BytesMut,
    limit: usize,
    /// How long frames were of late: one that fits into what was reserved is not moved when the rest of it comes.
    usual: usize,
    /// Taken already, and given back.
    returned: Option<Bytes>,
    charge: Charge,
}

/// The stream ended or cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Closed by the other side.
    #[error("the stream ended")]
    Ended,
    /// The socket failed.
    #[error("the socket failed")]
    Socket(#[from] io::Error),
    /// A frame out of bounds.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Others needed the room.
    #[error(transparent)]
    Short(#[from] Short),
}

impl<S: Source> Intake<S> {
    /// Reads from `source`; `buffer` was read already.
    pub fn new(source: S, buffer: BytesMut, limit: usize, buffers: &Arc<Buffers>) -> Self {
        Self {
            source,
            buffer,
            limit,
            usual: CHUNK,
            returned: None,
            charge: buffers.charge(),
        }
    }

    /// What is held for what was read, until it is written on.
    pub fn charge(&mut self) -> &mut Charge {
        &mut self.charge
    }

    /// Gives a frame back: it is the next one.
    pub fn give_back(&mut self, frame: Bytes) {
        self.returned = Some(frame);
    }

    /// Another limit from now on.
    pub fn limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The next frame that is whole already.
    ///
    /// # Errors
    /// When a frame is out of bounds.
    pub fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        if let Some(frame) = self.returned.take() {
            return Ok(Some(frame));
        }
        let frame = frame::next(&mut self.buffer, self.limit)?;
        if let Some(frame) = &frame {
            // Short ones in between (heartbeats, commits) do not change what is usual at once.
            self.usual = (frame.len() + LENGTH).max(self.usual - self.usual / 16);
        }
        Ok(frame)
    }

    /// Reads and forgets.
    ///
    /// # Errors
    /// When the stream ended or failed.
    pub async fn discard(&mut self) -> Result<(), IntakeError> {
        self.buffer.clear();
        self.buffer.reserve(CHUNK);
        if self.source.read_buf(&mut self.buffer).await? == 0 {
            return Err(IntakeError::Ended);
        }
        Ok(())
    }

    /// Reads some more. Safe to drop while it waits.
    ///
    /// # Errors
    /// When the stream ended or failed, or a frame is out of bounds.
    pub async fn fill(&mut self) -> Result<(), IntakeError> {
        if self.buffer.is_empty() {
            match self.source.readable().now_or_never() {
                Some(ready) => ready?,
                None => {
                    self.buffer = BytesMut::new();
                    self.charge.shrink(0);
                    self.source.readable().await?;
                }
            }
        }
        let held = self.buffer.len();
        let chunk = match frame::missing(&self.buffer, self.limit)? {
            Some(missing) => {
                self.charge.hold(held + missing.max(CHUNK)).await?;
                missing.clamp(CHUNK, LARGEST_CHUNK.max(held))
            }
            None => {
                // A guess is worth no wait.
                let usual = self.usual.clamp(CHUNK, USUAL_MOST);
                if self.charge.try_hold(held + usual) {
                    usual
                } else {
                    CHUNK
                }
            }
        };
        self.buffer.reserve(chunk.min(self.limit));
        let read = tokio::select! {
            biased;
            read = self.source.read_buf(&mut self.buffer) => read?,
            short = self.charge.stuck() => return Err(short.into()),
        };
        if read == 0 {
            return Err(IntakeError::Ended);
        }
        self.charge.moved(read);
        Ok(())
    }
}
