//! Jobs: programs that run beside a cluster, as workers of the agent's own. Observe: children and what they write; diff and
//! status: pure; act: children.

mod decided;
pub mod framed;
mod going;
mod identity;
mod program;
mod room;
pub mod scaling;
pub mod sleep;
pub mod sql;
pub mod sql_status;
mod status;
mod told;

pub use decided::{decided, dozed};
pub use going::Edges;
pub use identity::Identity;
pub use program::{Place, Refused, Runnable, program};
pub use room::{Hand, Room, Workers};
pub use status::{Seen, Stage, stage, status};
