//! Who is attached to the lane, and which version each obeys.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::resources::Served;

/// The attached gateways. Every change wakes the driver.
pub struct Gateways {
    inner: Mutex<Inner>,
    wake: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    next_session: u64,
    attached: BTreeMap<u64, Gateway>,
    held_unknown: u64,
}

struct Gateway {
    id: String,
    applied: u64,
    draining: bool,
}

impl Gateways {
    /// Nobody is attached yet.
    #[must_use]
    pub fn new(wake: Arc<Notify>) -> Self {
        Self {
            inner: Mutex::default(),
            wake,
        }
    }

    /// A gateway said hello. A session of its earlier life counts no more. Detached when the guard is dropped.
    #[must_use]
    pub fn attach(self: &Arc<Self>, id: &str, held_version: u64) -> Attached {
        let mut inner = self.inner();
        inner.next_session += 1;
        let session = inner.next_session;
        inner.attached.retain(|_session, gateway| gateway.id != id);
        let gateway = Gateway {
            id: id.to_owned(),
            applied: 0,
            draining: false,
        };
        inner.attached.insert(session, gateway);
        inner.held_unknown = inner.held_unknown.max(held_version);
        drop(inner);
        self.wake.notify_one();
        Attached {
            session,
            gateways: Arc::clone(self),
        }
    }

    /// The highest version that any gateway brought along.
    #[must_use]
    pub fn highest_held(&self) -> u64 {
        self.inner().held_unknown
    }

    /// How many are live: attached and not draining.
    #[must_use]
    pub fn live(&self) -> u32 {
        self.served(None).live()
    }

    /// Whether there are some that are live, and all of them obey this version.
    #[must_use]
    pub fn obeys(&self, version: u64) -> bool {
        let served = self.served(Some(version));
        served.live() > 0 && served.live() == served.acknowledged()
    }

    /// How many are live, and how many of them obey version `since` or a later one.
    #[must_use]
    pub fn served(&self, since: Option<u64>) -> Served {
        let inner = self.inner();
        let live = inner.attached.values().filter(|gateway| !gateway.draining);
        let (mut all, mut acknowledged) = (0_u32, 0_u32);
        for gateway in live {
            all += 1;
            acknowledged += u32::from(since.is_some_and(|since| gateway.applied >= since));
        }
        Served::Gateways {
            live: all,
            acknowledged,
        }
    }

    fn change(&self, session: u64, change: impl FnOnce(&mut Gateway)) {
        if let Some(gateway) = self.inner().attached.get_mut(&session) {
            change(gateway);
        }
        self.wake.notify_one();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attached gateway.
pub struct Attached {
    session: u64,
    gateways: Arc<Gateways>,
}

impl Attached {
    /// It obeys this version from now on.
    pub fn applied(&self, version: u64) {
        self.gateways.change(self.session, |gateway| {
            gateway.applied = gateway.applied.max(version)
        });
    }

    /// It takes no new clients: nobody waits for its acknowledgement any more.
    pub fn draining(&self) {
        self.gateways
            .change(self.session, |gateway| gateway.draining = true);
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.gateways.inner().attached.remove(&self.session);
        self.gateways.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_live_gateways_count_and_only_they() {
        let gateways = Arc::new(Gateways::new(Arc::default()));
        let served = |since| {
            let served = gateways.served(Some(since));
            (served.live(), served.acknowledged())
        };
        let one = gateways.attach("one", 0);
        let two = gateways.attach("two", 0);
        one.applied(5);
        one.applied(3);
        assert_eq!(served(4), (2, 1), "an acknowledgement is not taken back");
        two.applied(4);
        assert_eq!(served(4), (2, 2));
        assert_eq!(served(5), (2, 1), "an earlier version is not enough");
        assert!(gateways.obeys(4) && !gateways.obeys(5));
        assert_eq!(
            gateways.served(None).acknowledged(),
            0,
            "what is not published is not served"
        );
        let reborn = gateways.attach("two", 4);
        assert_eq!(
            served(4),
            (2, 1),
            "a restarted gateway starts over, its old session counts no more"
        );
        drop(two);
        assert_eq!(served(4), (2, 1));
        reborn.draining();
        assert_eq!(served(4), (1, 1));
        drop(one);
        assert_eq!(served(4), (0, 0));
        assert!(!gateways.obeys(4), "nobody says so");
    }
}
