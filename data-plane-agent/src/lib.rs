//! The agent of one data plane.
//!
//! It dials out and listens to nobody outside its network. Wishes come down signed and numbered; what it reports is listed field
//! by field. One way: `main -> driver -> policy, resources -> platform`, `driver -> link, lane, desired`; `link` never reaches
//! `platform`.

pub mod agent;
mod answers;
pub mod backoff;
pub mod cli;
pub mod cluster_links;
pub mod config;
pub mod contract_counts;
mod credentials;
mod data_keys;
pub mod dead_letters;
pub mod desired;
pub mod disk;
pub mod driver;
pub mod flink;
pub mod gateway;
pub mod gateway_certificate;
pub mod inside;
pub mod intents;
pub mod job_reports;
mod lag;
pub mod lane;
pub mod link;
pub mod link_reports;
pub mod local_tls;
pub mod log_ends;
pub mod metering;
pub mod models;
mod names;
pub mod network;
pub mod platform;
pub mod policy;
pub mod preview;
pub mod processor;
pub mod quota_uses;
pub mod resources;
mod sealing;
mod share_keys;
pub mod storage;
mod upstream;

pub use agent::Agent;
pub use config::AgentConfig;
pub use platform::Platform;
