//! How far work on records goes while other clients of the same thread wait.

use std::time::{Duration, Instant};

/// What is unpacked between clients, at most; more is unpacked beside them.
const AT_ONCE_BYTES: usize = 64 * 1024;
/// For how long clients on the same thread may be kept waiting.
const AT_ONCE: Duration = Duration::from_millis(1);

/// How far to go without a pause.
pub struct Pace<'a> {
    /// What a batch is unpacked into at most.
    pub batch_bytes: usize,
    until: Option<Instant>,
    stopped: &'a dyn Fn() -> bool,
}

impl<'a> Pace<'a> {
    /// Between clients.
    #[must_use]
    pub fn at_once() -> Self {
        Self {
            batch_bytes: AT_ONCE_BYTES,
            until: Some(Instant::now() + AT_ONCE),
            stopped: &|| false,
        }
    }

    /// Beside the clients, until nobody waits for it.
    #[must_use]
    pub const fn aside(stopped: &'a dyn Fn() -> bool) -> Self {
        Self {
            batch_bytes: usize::MAX,
            until: None,
            stopped,
        }
    }

    /// Whether nobody else is kept waiting meanwhile.
    #[must_use]
    pub const fn may_wait(&self) -> bool {
        self.until.is_none()
    }

    /// When others have waited long enough; `None`: nobody does.
    pub(super) const fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether it is time for a pause.
    pub fn ends(&self) -> bool {
        self.until.is_some_and(|it| Instant::now() >= it) || (self.stopped)()
    }
}

/// It may not go on now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// The time is over, or nobody waits.
    Time,
    /// It is too much for between clients.
    Size,
}
