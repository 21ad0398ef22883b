//! Ring 3: a control plane and a real agent in one process, over real TLS and a real PostgreSQL, with fakes for Kafka and processes.
//! Either side is killed between steps, and what must hold still holds.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking; helpers are not marked as tests"
)]

mod adoption;
mod circle;
mod groups;
mod lag;
mod native;
mod planes;
mod quotas;
mod wishes;

#[expect(
    dead_code,
    reason = "shared with the control plane's own tests, which use the rest"
)]
#[path = "../../../control-plane/tests/it/harness/caller.rs"]
mod caller;
#[path = "../../../control-plane/tests/it/harness/database.rs"]
mod database;
