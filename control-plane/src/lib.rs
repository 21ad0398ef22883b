//! The control plane of Weir. Modules in reading order; each may use those before it, never those after
//! (a test ranks them): kernel, runtime, auth, rest, resources, registry, link, server.

pub mod auth;
pub mod config;
pub mod kernel;
pub mod link;
pub mod registry;
pub mod resources;
pub mod rest;
pub mod runtime;
pub mod server;
