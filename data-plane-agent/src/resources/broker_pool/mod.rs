//! Broker pools: Kafka brokers that the agent runs on this machine, one Java process each, controller and broker in one.

mod attached;
mod diff;
mod launch;
mod properties;
mod room;
mod seat;
mod status;

pub use diff::{Action, Seen, diff};
pub use launch::java_class_path;
pub use properties::{BrokerSettings, NativeListener, log4j2_properties, server_properties};
pub use room::{Room, STOP_PATIENCE, Workshop};
pub use seat::Seat;
pub use status::status;
