//! Encrypted values of shared topics: what is produced is encrypted before a broker has it, what is fetched decrypted for
//! those who may read it.
//!
//! A [`Ring`] has the data keys of a topic, as the agent told them; [`encrypted`] makes of a producer's batch what the broker
//! gets; what a reader gets is made where records are looked through (`share`). docs/sharing-gateway.md says what follows.

mod batch;
mod frame;
mod ring;

pub use batch::{NotEncrypted, encrypted};
pub use frame::{Opened, Opener};
pub use ring::{Ring, Writes};

#[cfg(test)]
pub mod tests;
