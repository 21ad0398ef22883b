//! Against the real stack: what hostile or broken clients send and that it hurts only them; that no answer tells of
//! another tenant; stock clients.
//!
//! `cargo xtask test --ring e2e` starts the stack and names it in `WEIR_E2E_CONNECTION`.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking; helpers are not marked as tests"
)]

mod administration;
mod adoption;
mod api;
mod clients;
mod drain;
mod frameworks;
mod hostile;
mod isolation;
mod kafka;
mod keys;
mod marathon;
mod meters;
mod native;
mod principals;
mod quotas;
mod recovery;
mod rights;
mod scene;
mod stack;
mod victims;
