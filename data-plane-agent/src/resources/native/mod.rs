//! Clusters in native mode: Kafka's own users, access rules and client quotas, written as role bindings, keys and quotas wish
//! (docs/native.md, docs/decisions/0019).
//!
//! Each key is a SCRAM user of Kafka. The first rule that a user gets is its mark: it says whose the user is, and keeps nothing
//! from anybody. What does not bear the mark of this cluster is never changed, whatever it is called.

mod act;
mod diff;
mod rules;
mod status;
mod wish;
mod written;

pub use act::{Acted, Hands, act, reason};
pub use diff::{Action, Plan, diff};
pub use status::{Served, key_status, quota_status};
pub use wish::{USER_PREFIX, User, Wish, is_user, wish};
pub use written::Written;
