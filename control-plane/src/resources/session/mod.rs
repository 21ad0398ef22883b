//! A session: a person signs in with e-mail and password, and gets a token for the API and a cookie for the console.

mod api;
mod limit;
mod routes;
mod service;
mod store;

pub use routes::router;
