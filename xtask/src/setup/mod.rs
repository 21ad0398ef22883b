//! What a fresh Debian machine lacks, and how it gets there: system packages, wheels, Kafka, stock clients, the two builds.

pub mod build;
pub mod clients;
mod disk;
pub mod kafka;
pub mod needs;
pub mod peers;
pub mod wheels;

pub use needs::{Need, Tools, ensure};
