//! The agents' door: enrolment, sessions, desired state down, reports and usage up.

pub mod ca;
mod files;
mod identity;
pub mod signing;
pub mod tls;
