//! Ring 2: the router in process, a database of its own for every test.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking; helpers are not marked as tests"
)]

mod alerts;
mod audit_events;
mod authz;
mod certificates;
mod cluster_links;
mod contracts;
mod costs;
mod directory;
mod environments;
mod events;
mod harness;
mod intents;
mod jobs;
mod lag;
mod lineage;
mod link;
mod metrics;
mod native;
mod openapi;
mod quotas;
mod registry;
mod rights;
mod rls;
mod service_levels;
mod service_quotas;
mod shares;
mod streams;
mod tidy;
mod tokens;
mod topic_contracts;
mod usage;
