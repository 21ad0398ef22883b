//! Versions of subjects.

mod resolve;
mod store;

pub use resolve::{resolve, sources_of};
pub use store::{
    Numbered, delete, hold_versions, insert, last, last_with, mark_deleted, numbers, of, of_schema, of_text,
    search,
};
