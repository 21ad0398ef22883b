//! What lint rules found when a version was registered.

mod store;

pub use store::{KeptFinding, findings_of, keep_findings};
