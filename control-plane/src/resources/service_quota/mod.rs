//! Service quotas: how many objects of a kind a tenant may have. Checked inside the write, before the effect. Operators
//! raise and lower them, tenant by tenant.

mod model;
mod routes;
mod service;
mod store;

pub use model::Quota;
pub use routes::router;
pub use store::{ContractRoom, Used, check, check_more, contract_room};
