//! Kafka's wire protocol, bounded: what stands between a socket and the `kafka-protocol` crate.
//!
//! - [`frame`]: length-prefixed frames with a limit.
//! - [`shape`]: the shape of every message of every version, read from Kafka's own classes.
//! - [`bounds`]: walks a message by its shape before anything decodes it; what passes cannot make the decoder
//!   allocate out of proportion. `kafka-protocol` trusts array lengths, so nothing is decoded unchecked.
//! - [`header`]: request headers.
//! - [`message`]: checked decoding and framed encoding of typed messages.
//! - [`pieces`]: frames written around their record batches.
//! - [`sample`]: messages made from shapes, for tests.
//! - [`throttle`]: where an encoded answer has its `throttle_time_ms`.
//! - [`Connection`]: a small asynchronous client.

pub mod bounds;
mod connection;
pub mod frame;
pub mod header;
pub mod message;
pub mod pieces;
pub mod sample;
pub mod shape;
pub mod throttle;

pub use connection::{CallError, Connection, Options};
pub use kafka_protocol;
