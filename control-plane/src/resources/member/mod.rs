//! A member: a person of a tenant, of an organization above its tenants, or an operator of the installation.

mod store;

pub use store::bootstrap;
