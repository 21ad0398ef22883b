//! What an ACTION job does with one record: filter, project, rename, mask, cast, set, flatten, route, deduplicate, validate, call.
//!
//! An [`ActionSpec`] is compiled with what is known of its records into a [`Plan`], or into everything that is wrong with it.
//! A plan takes a record and says what comes of it: [`Outcome::Emit`], [`Outcome::Dropped`], [`Outcome::DeadLetter`], or first
//! [`Next::Call`]: a request that the caller makes and whose answer it hands back. Nothing here reads a clock, a file or the
//! network, and the same record has the same outcome everywhere. Time and memory that a record takes are bounded ([`limits`]).
//!
//! Whoever runs a plan keeps a [`Seen`] for each partition, and does for each record
//! ```text
//! let mut next = plan.begin(&record, seen, &host);
//! let outcome = loop {
//!     match next {
//!         Next::Done(outcome) => break outcome,
//!         Next::Call(request, waiting) => {
//!             let answer = ...; // wait request.wait_ms, add the secret, send, read no more than RESPONSE_BYTES_MAX
//!             next = waiting.resume(&answer, &host);
//!         }
//!     }
//! };
//! ```
//! and after each transaction `seen.settle()` if it was committed, `seen.undo()` if it was aborted. Calls of several records may wait at the
//! same time ([`Plan::concurrency`]); records go out in the order in which they came. After a start, [`Plan::learn`] is told the window
//! again ([`Plan::window_ms`]).

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
    ActionSpec, Call, CallShape, CastType, Deduplicate, DropFields, Encoding, Filter, Flatten, Mask, MaskHow,
    Message, Method, NullValues, Project, Rename, Role, Route, RouteRule, SecretUse, Set, Sink, Step,
    Validate,
};
