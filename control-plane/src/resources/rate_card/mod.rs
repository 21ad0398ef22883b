//! Price lists.
pub mod model;
