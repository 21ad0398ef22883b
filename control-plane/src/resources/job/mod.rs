//! A job: a program of the tenant's that runs beside a cluster, in a compute pool, with the rights of a service account.
//! Spec and versions are written here; what runs is the agent's doing (link/job writes what it reports).

mod api;
mod decision;
mod model;
mod program;
mod progress;
mod routes;
mod scaling;
mod service;
mod sql;
mod sql_model;
mod store;
mod surroundings;
mod validate;
mod version;

pub use model::{
    AutoSuspend, Job, JobDesiredState, JobEncoding, JobId, JobNullValues, JobProgram, JobSink, JobSource,
    JobStart,
};
pub use routes::router;
pub use scaling::{JobExcludedPeriod, JobScaling, JobScalingMode, JobScalingPolicy};
pub use sql_model::{JobSqlColumn, JobSqlEventTime, JobSqlMode, JobSqlSink, JobSqlSource, JobSqlUnit};
pub use store::by_id;
