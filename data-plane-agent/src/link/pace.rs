//! When a session does what it does again.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::identity::Identity;

/// Windows that were sent but not acknowledged for this long are sent again.
pub(super) const RESEND: Duration = Duration::from_secs(30);

/// When the certificate is to be renewed; late ones soon.
pub(super) fn renewal(identity: &Identity) -> Instant {
    let left = identity.current().renew_at().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or(RESEND)
}

/// Ticks after each period, the first included.
pub(super) fn ticking(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
