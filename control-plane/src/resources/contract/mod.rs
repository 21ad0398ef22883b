//! A contract: the promise about a stream. What producers and consumers agree on is a subject with versions; each version is a
//! schema with its metadata and rules. The Schema Registry API of `/registry` is another face of this room.

mod api;
mod compare;
mod config;
mod content;
mod delete;
mod input;
mod kept;
mod lifecycle;
mod linting;
mod look_up;
mod model;
mod newest;
mod plan;
mod problem;
pub mod promise;
mod read;
mod reference;
mod refusal;
mod register;
mod routes;
mod schema;
mod service;
mod settings;
mod size;
mod standing;
mod store;
mod verdict;
mod version;
mod wish;
mod writing;

pub use config::{Config, Mode};
pub use delete::{delete_subject, delete_version};
pub use kept::{by_id, kept};
pub use look_up::{Verdict, judge, look_up};
pub use model::{Asker, Context, ContextName, Lookup, Registered, Schema, SchemaReference, Subject, Window};
pub use newest::{Newest, has_value_version, newest_value};
pub use read::{
    Search, by_guid, context, contexts, find, home_of, ids_of_guid, latest_with_metadata, max_id, named,
    placed, referenced_by, search, subjects, used_by, versions,
};
pub use refusal::{Failure, Outcome, Refusal};
pub use register::{Registration, register};
pub use routes::router;
pub use settings::{change_config, change_mode, config_of, mode_of, remove_config, remove_mode};
pub use verdict::{TYPES, shown_as};
pub use version::sources_of;
pub use wish::{Metadata, SchemaEntity, SchemaTags, Wish};
