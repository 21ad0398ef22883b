//! SQL jobs, the pure part: which statements are let through to Flink, and the tables and models that they see.
//!
//! Control plane and agent call the same functions, so that what the one accepted the other runs. Nothing here reads a file, a
//! clock or the network.

pub mod avro;
pub mod columns;
mod ddl;
pub mod fence;
mod inside;
pub mod model;
mod parts;
mod problem;
pub mod select;
pub mod settings;
pub mod table;
#[cfg(test)]
mod tests;
mod token;

pub use fence::{Fenced, Known, fence};
pub use model::{Model, Relay};
pub use problem::{Place, Problem, ProblemCode};
