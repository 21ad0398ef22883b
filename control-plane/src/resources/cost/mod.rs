//! What usage costs.
pub mod rating;
