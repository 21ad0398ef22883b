//! Topics of other tenants, shown in a cluster: read only, within their time, through what the share's view leaves of each record.
//!
//! A [`Mount`] says whether it stands; a [`Lens`] is its view, compiled once per change of the snapshot; [`through`] makes of
//! what a broker sent what a consumer gets; [`Kept`] keeps that, so that many consumers cost one evaluation.
//! docs/sharing-gateway.md says what follows for clients.

mod batch;
mod kept;
mod lens;
mod lenses;
mod mount;
mod surroundings;

pub use batch::{Look, through};
pub use kept::Kept;
pub use lens::Lens;
pub use lenses::{Lenses, Wire};
pub use mount::Mount;
#[cfg(test)]
pub use mount::Sight;

#[cfg(test)]
mod interference_tests;
#[cfg(test)]
mod keys_tests;
#[cfg(test)]
pub mod tests;
