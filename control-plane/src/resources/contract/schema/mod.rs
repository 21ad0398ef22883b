//! Schemas under their ids.

mod store;

pub use store::{
    by_guid, by_id, find_or_make, forget_unused, ids_of_guid, insert, max_id, of_content, record_names, taken,
};
