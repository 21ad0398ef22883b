//! Usage: what was produced and fetched, by hour, day or month, and by whatever the caller groups by. The agents'
//! door counts; this room only reads.

mod api;
mod model;
mod routes;
mod store;

pub use api::ReportMetadata;
pub use model::{
    Bucket, Dimension, Direction, Filter, Granularity, Grouping, Reach, TimeRange, cut, month_end,
    month_start, offset,
};
pub use routes::{Report, ReportQuery, router};
pub use store::{HourPart, HourSum, LastUse, complete_until, hour_parts, hour_sums, last_uses, unmetered};
