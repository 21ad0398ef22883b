//! Token buckets: how often an address may try to enrol, how fast a session may talk.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses remembered at once; beyond that, the ones that have recovered are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// A bucket that fills steadily and is emptied by use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    tokens: f64,
    filled_at: Instant,
    capacity: f64,
    per_second: f64,
}

impl Bucket {
    pub(super) fn full(capacity: f64, per_second: f64, now: Instant) -> Self {
        Self {
            tokens: capacity,
            filled_at: now,
            capacity,
            per_second,
        }
    }

    /// Takes one token, or says how long until there is one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.fill(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / self.per_second))
    }

    /// Puts a token back.
    fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.capacity);
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.capacity);
        self.filled_at = now;
    }

    fn recovered(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.tokens >= self.capacity
    }
}

/// One bucket for each address.
#[derive(Debug)]
pub(super) struct Addresses {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
    capacity: f64,
    per_second: f64,
}

impl Addresses {
    pub(super) fn new(capacity: f64, per_second: f64) -> Self {
        Self {
            buckets: Mutex::default(),
            capacity,
            per_second,
        }
    }

    /// Takes one of the address's tokens, or says how long until there is one.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= ADDRESSES_MAX && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| !bucket.recovered(now));
            if buckets.len() >= ADDRESSES_MAX {
                return Err(Duration::from_secs_f64(1.0 / self.per_second));
            }
        }
        let full = Bucket::full(self.capacity, self.per_second, now);
        buckets.entry(address).or_insert(full).take(now)
    }

    /// Puts the token of an attempt back that succeeded: many agents may come from one address.
    pub(super) fn give_back(&self, address: IpAddr) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(&address) {
            bucket.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let start = Instant::now();
        let mut bucket = Bucket::full(2.0, 0.5, start);
        assert_eq!(bucket.take(start), Ok(()));
        assert_eq!(bucket.take(start), Ok(()));
        assert_eq!(bucket.take(start), Err(Duration::from_secs(2)));
        assert_eq!(bucket.take(start + Duration::from_secs(2)), Ok(()));
        assert!(bucket.take(start + Duration::from_secs(3)).is_err());
        assert!(bucket.recovered(start + Duration::from_secs(60)));
    }

    #[test]
    fn addresses_do_not_share_and_the_table_is_bounded() {
        let start = Instant::now();
        let addresses = Addresses::new(1.0, 0.1);
        let address = |bits: u32| IpAddr::V4(Ipv4Addr::from_bits(bits));
        assert_eq!(addresses.take(address(1), start), Ok(()));
        assert!(addresses.take(address(1), start).is_err());
        addresses.give_back(address(1));
        assert_eq!(addresses.take(address(1), start), Ok(()));
        assert!(addresses.take(address(1), start).is_err());
        for bits in 2..=10_000 {
            assert_eq!(addresses.take(address(bits), start), Ok(()));
        }
        assert!(addresses.take(address(99_999), start).is_err());
        assert_eq!(
            addresses.take(address(99_999), start + Duration::from_secs(10)),
            Ok(())
        );
    }
}
