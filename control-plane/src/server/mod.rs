//! Composition: the one place that knows every room.

pub mod admin;
pub mod openapi;
pub mod rest;
pub mod serve;
mod tasks;
