//! A topic: a named, partitioned log in one cluster. Born by POST, dies when an agent reports it gone.
//!
//! The service writes the spec; link/report writes what was observed, in a table of its own.

mod administer;
mod adopt;
mod api;
mod config;
mod contract;
mod extent;
mod jobs;
pub mod mirror;
mod model;
pub mod mount;
mod routes;
mod service;
mod settings;
mod store;
mod violations;

pub use administer::{Creation, Done, Settled, Wisher};
pub use adopt::{adopt, release};
pub use contract::{
    Enforcement, PartContract, SubjectStrategy, Taking, TopicContract, Unframed, behind_subject, taking,
    tell_of_subject, until_judged,
};
pub use jobs::{JobPart, JobUse, jobs_of};
pub use model::{NAME_RULE, Topic, TopicId, TopicSpec, is_name, validate};
pub use routes::router;
pub use settings::{
    apply as apply_settings, default_spec, is_named as is_named_setting, of_spec as kafka_settings,
};
pub use store::{adopted_names, by_id, names};
