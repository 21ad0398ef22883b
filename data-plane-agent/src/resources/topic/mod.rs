//! Topics: made, grown, set and destroyed in Kafka under their physical names.

mod act;
mod diff;
mod records;
mod status;

pub use act::{Done, act, reason};
pub use diff::{Action, Names, Seen, diff};
pub use records::{Record, Records};
pub use status::{Outcome, status};
