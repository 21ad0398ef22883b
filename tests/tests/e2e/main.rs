//! Bad input on the real stack: what hostile or broken clients send to the gateway and the API, and that it hurts only them.
//!
//! `cargo xtask test --ring e2e` starts the stack and names it in `WEIR_E2E_CONNECTION`.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking; helpers are not marked as tests"
)]

mod administration;
mod api;
mod hostile;
mod kafka;
mod keys;
mod stack;
