//! The agent against a control plane that is a fake of ours: enrolment, session, wishes, refusals, usage; with fakes of Kafka
//! and processes, and once with the real ones.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod contracts;
mod control_plane;
mod harness;
mod hostile;
mod inside;
mod jobs;
mod lane;
mod real_cluster_link;
mod real_cluster_link_scene;
mod real_isolation;
mod real_jobs;
mod real_kafka;
mod real_kills;
mod real_native;
mod real_reaction;
mod real_scaling;
mod real_shares;
mod real_shares_encrypted;
mod real_sql_frames;
mod real_sql_isolation;
mod real_sql_jobs;
mod real_sql_models;
mod real_sql_scaling;
mod real_sql_selects;
mod real_sql_state_s3;
mod session;
mod tidy;
mod verdicts;
