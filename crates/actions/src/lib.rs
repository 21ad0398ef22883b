//! What an ACTION job does with one record: filter, project, rename, mask, cast, set, flatten, route, deduplicate, validate, call.
//!
//! An [`ActionSpec`] is compiled with what is known of its records into a [`Plan`], or into everything that is wrong with it.
//! A plan takes a record and says what comes of it: [`Outcome::Emit`], [`Outcome::Dropped`], [`Outcome::DeadLetter`], or first
//! [`Next::Call`]: a request that the caller makes and whose answer it hands back. Nothing here reads a clock, a file or the
//! network, and the same record has the same outcome everywhere. Time and memory that a record takes are bounded ([`limits`]).

mod call;
mod compile;
mod frozen;
mod known;
pub mod limits;
mod path;
mod plan;
mod problem;
mod run;
mod schema;
mod seen;
mod spec;
mod tree;

#[cfg(test)]
mod tests;

pub use call::{Answer, Failure, Request};
pub use known::{Column, Known};
pub use plan::{Input, KeyForm, Plan, ValueForm};
pub use problem::{Problem, ProblemCode};
pub use run::{DeadLetterCode, Header, Next, Outcome, OwnedHeader, Part, Record, Suspended};
pub use schema::{Host, Registered};
pub use seen::Seen;
pub use spec::{
    ActionSpec, Call, CallShape, CastType, Deduplicate, DropFields, Encoding, Filter, Flatten, Mask, MaskHow, Message,
    Method, NullValues, Project, Rename, Role, Route, RouteRule, SecretUse, Set, Sink, Step, Validate,
};
