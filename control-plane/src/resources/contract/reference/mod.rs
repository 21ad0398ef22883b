//! References between versions: what stands on what, so that nothing that is needed goes.

mod store;

pub use store::{Target, hold_target, insert, referenced_by, refers};
