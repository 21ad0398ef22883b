//! What shares cost, from which hour on.

mod store;

pub use store::{newest, set};
