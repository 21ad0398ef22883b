//! A service level: what the newest version of a topic's value subject promises of freshness, completeness and availability,
//! measured once a minute from what agents report. Nothing is asked of records, and no one writes a promise here.

mod api;
mod budget;
pub mod evaluate;
mod judge;
mod model;
mod routes;
mod store;
mod told;

pub use api::SharedServiceLevel;
pub use routes::{router, shared};
pub use store::{Scraped, scraped};
