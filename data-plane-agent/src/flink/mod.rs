//! SQL jobs: a Flink of its own for each compute pool that has some, as child processes of the agent.
//!
//! A pool's Flink is one JobManager, TaskManagers and an SQL gateway, all on this machine, with folders and ports of their own.
//! They speak TLS with each other and with the agent, and with nobody who has no key of this pool. What is asked of them goes
//! through two clients with bounded answers; what a job may say to them stands in `crates/sql`.

pub mod beginning;
pub mod bucket;
pub mod configuration;
mod counts;
mod crew;
mod fitting;
pub mod handle;
pub mod job_manager;
pub mod keeper;
pub mod keys;
pub mod launch;
pub mod reading;
pub mod recovery;
pub mod rest;
mod room;
pub mod select;
pub mod session;
pub mod shape;
pub mod sizes;
pub mod sql_gateway;
pub mod sql_job;
pub mod store;
pub mod told;
