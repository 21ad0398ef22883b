//! The HTTP toolkit: problem documents, extractors, objects and pages, the one write wrapper, waiting for readiness.

mod extract;
mod idempotency;
mod layers;
mod object;
mod problem;
mod wait;
mod write;

pub use extract::{
    Call, CallHeaders, CallQuery, Empty, Listed, Mutation, PageQuery, PathId, Queried, bad_field,
};
pub use layers::{REQUEST_ID, RequestId, detached, no_route, panicked, request_id, wrong_method};
pub use object::{
    List, ListMetadata, Metadata, Object, ObjectInput, PatchInput, Phase, Resource, Served, merged,
};
pub use problem::{Failed, Problem};
pub use wait::{until, until_ready, until_settled};
pub use write::{Answer, Begun, Write, note};
