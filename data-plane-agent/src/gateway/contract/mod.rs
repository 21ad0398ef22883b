//! Data contracts at the gateway: what producers send is judged before the broker sees it, and only counts leave.
//!
//! Schemas are compiled once, when a snapshot first names them ([`Schemas`]), and bound to topics ([`TopicContract`]). A
//! produce request to such a topic becomes [`Work`]: a little of it is done at once, the rest beside the clients. What
//! was found goes to the request (docs/contracts-gateway.md says what follows) and to the [`Counts`].

mod bind;
mod counts;
mod found;
pub mod gap;
mod judge;
pub mod mark;
mod pace;
pub mod records;
#[cfg(any(test, feature = "fuzzing"))]
pub mod samples;
pub mod sift;
pub mod unpack;
mod withhold;
mod work;
pub mod write;

pub(crate) use bind::schema_of;
pub use bind::{Schemas, TopicContract};
pub use counts::Counts;
pub use found::{Barred, Refused};
pub use judge::{Breach, first as first_breach};
pub use pace::{Pace, Pause};
pub use withhold::withhold;
pub use work::{BATCH_MAX, Ended, Part, Progress, Work};

#[cfg(test)]
pub mod tests;
