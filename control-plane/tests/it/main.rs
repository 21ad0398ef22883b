//! Ring 2: the router in process, a database of its own for every test.

mod environments;
mod events;
mod harness;
mod streams;
