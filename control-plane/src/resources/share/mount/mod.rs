//! The topics that show shared ones: what became of a share in its recipient's cluster, and how much was read there.

mod store;

pub use store::{Read, begin, end, of_shares, reads};
