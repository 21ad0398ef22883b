//! A lint rule: what a tenant asks of its contracts beside their schemas, in one environment or in all of them. The room
//! `contract` asks it at every registration.

mod api;
mod judge;
mod model;
mod routes;
mod service;
mod store;

pub use judge::{Finding, Rule, rules_of};
pub use model::{ContractLintRuleId, LintMode};
pub use routes::router;
