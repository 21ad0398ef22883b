//! Composition: the one place that knows every room.

pub mod admin;
mod console;
mod errors;
mod health;
pub mod openapi;
pub mod rest;
pub mod serve;
mod slow;
mod tasks;
