//! Limits by address on connections that are not logged in, and on failed logins.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Connections of one address that are not logged in yet.
const WAITING: u32 = 256;
/// The first failure's delay; each further one adds as much.
const STEP: Duration = Duration::from_millis(100);
/// No failure waits longer.
const LONGEST: Duration = Duration::from_secs(3);
/// After this time a failure is forgotten by half.
const HALF_LIFE: Duration = Duration::from_secs(10);
/// Addresses remembered before the quiet ones are dropped.
const ADDRESSES: usize = 10_000;

/// Who is at the door.
#[derive(Debug, Default)]
pub struct Guard(Mutex<HashMap<IpAddr, Host>>);

#[derive(Debug)]
struct Host {
    waiting: u32,
    failures: f64,
    at: Instant,
}

impl Host {
    fn failures_now(&self) -> f64 {
        self.failures * (-self.at.elapsed().as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2()
    }
}

/// Counts as waiting until dropped.
#[derive(Debug)]
pub struct Waiting<'a> {
    guard: &'a Guard,
    address: IpAddr,
}

impl Guard {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in to log in; `None` when its address has too many that have not.
    pub fn admit(&self, address: IpAddr) -> Option<Waiting<'_>> {
        let mut hosts = self.lock();
        if hosts.len() >= ADDRESSES {
            hosts.retain(|_address, host| host.waiting > 0 || host.failures_now() > 0.5);
        }
        let host = hosts.entry(address).or_insert_with(|| Host {
            waiting: 0,
            failures: 0.0,
            at: Instant::now(),
        });
        if host.waiting >= WAITING {
            return None;
        }
        host.waiting += 1;
        Some(Waiting { guard: self, address })
    }

    /// Notes a failed login; returns how long its answer waits.
    pub fn failed(&self, address: IpAddr) -> Duration {
        let mut hosts = self.lock();
        let Some(host) = hosts.get_mut(&address) else {
            return STEP;
        };
        host.failures = host.failures_now() + 1.0;
        host.at = Instant::now();
        STEP.mul_f64(host.failures).min(LONGEST)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut hosts = self.guard.lock();
        if let Some(host) = hosts.get_mut(&self.address) {
            host.waiting = host.waiting.saturating_sub(1);
            if host.waiting == 0 && host.failures_now() < 0.5 {
                hosts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn one_address_cannot_crowd_out_another() {
        let guard = Guard::default();
        let mut held: Vec<_> = (0..WAITING).map(|_one| guard.admit(ONE).unwrap()).collect();
        assert!(guard.admit(ONE).is_none());
        assert!(guard.admit(OTHER).is_some());
        held.pop();
        assert!(guard.admit(ONE).is_some());
        drop(held);
        assert!(guard.lock().is_empty(), "quiet addresses are forgotten");
    }

    #[test]
    fn failures_wait_longer_and_longer_up_to_a_limit() {
        let guard = Guard::default();
        let _held = guard.admit(ONE).unwrap();
        let first = guard.failed(ONE);
        assert!(first <= STEP);
        assert!(guard.failed(ONE) > first);
        for _failure in 0..100 {
            guard.failed(ONE);
        }
        assert_eq!(guard.failed(ONE), LONGEST);
    }
}
