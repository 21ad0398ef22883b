//! Versions of subjects.

mod finding;
mod resolve;
mod store;

pub use finding::{KeptFinding, findings_of, keep_findings};
pub use resolve::{resolve, sources_of};
pub use store::{
    Numbered, delete, hold_versions, insert, last, last_lifecycle, last_with, mark_deleted, numbers, of,
    of_schema, of_text, search,
};
