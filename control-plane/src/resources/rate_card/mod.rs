//! A price list: what meters cost, in which currency, from when on, and for whom. Once it is in force it stays as it
//! is: another one takes its place from a later moment.

mod api;
mod model;
mod price;
mod routes;
mod service;
mod store;

pub use model::{RateCard, RateCardId, RateCardSpec};
pub use price::{Meter, Model, Price, Tier, Unit};
pub use routes::router;
pub use store::all;
