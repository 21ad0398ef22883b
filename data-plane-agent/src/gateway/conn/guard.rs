//! Limits by address, before anybody is known: connections in a second, connections that are not logged in, failed logins.
//!
//! An address of IPv6 counts by its first 64 bits, which is what one customer of a provider has. The table is bounded: when it is full of
//! addresses that are still of interest, those that come new share one place.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
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
/// With so many failures not yet forgotten, an address is not let in at all.
const FAILURES: f64 = 300.0;
/// An address may begin so many seconds' worth of connections at once.
const BURST_SECONDS: f64 = 10.0;
/// Addresses remembered.
const ADDRESSES: usize = 10_000;
/// Where new addresses are counted together while the table is full.
const REST: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Who is at the door.
#[derive(Debug)]
pub struct Guard {
    hosts: Mutex<HashMap<IpAddr, Host>>,
    connections_per_second: f64,
}

#[derive(Debug)]
struct Host {
    waiting: u32,
    failures: f64,
    /// When `failures` was right.
    failed_at: Instant,
    /// Connections that may begin now.
    left: f64,
    /// When `left` was right.
    counted_at: Instant,
}

impl Host {
    fn failures_at(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.failed_at);
        self.failures * (-since.as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2()
    }

    fn left_at(&self, now: Instant, per_second: f64) -> f64 {
        let since = now.saturating_duration_since(self.counted_at).as_secs_f64();
        (self.left + since * per_second).min(per_second * BURST_SECONDS)
    }

    fn is_quiet(&self, now: Instant, per_second: f64) -> bool {
        self.waiting == 0
            && self.failures_at(now) < 0.5
            && self.left_at(now, per_second) >= per_second * BURST_SECONDS
    }
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// Too many in a short time.
    #[error("too many connections of one address in a short time")]
    Often,
    /// Too many that are not logged in.
    #[error("too many connections of one address that are not logged in")]
    Waiting,
    /// Too many failed logins.
    #[error("too many failed logins of one address")]
    Failures,
}

/// Counts as waiting until dropped.
#[derive(Debug)]
pub struct Waiting<'a> {
    guard: &'a Guard,
    place: IpAddr,
}

/// Where an address is counted.
fn place_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => Ipv6Addr::from_bits(it.to_bits() & !u128::from(u64::MAX)).into(),
        it @ IpAddr::V4(_) => it,
    }
}

impl Guard {
    /// Each address may begin so many connections a second.
    #[must_use]
    pub fn new(connections_per_second: u32) -> Self {
        Self {
            hosts: Mutex::default(),
            connections_per_second: f64::from(connections_per_second.max(1)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in to log in.
    ///
    /// # Errors
    /// When its address has had too much already.
    pub fn admit(&self, address: IpAddr) -> Result<Waiting<'_>, TurnedAway> {
        self.admit_at(address, Instant::now())
    }

    fn admit_at(&self, address: IpAddr, now: Instant) -> Result<Waiting<'_>, TurnedAway> {
        let per_second = self.connections_per_second;
        let mut hosts = self.lock();
        let mut place = place_of(address);
        if hosts.len() >= ADDRESSES && !hosts.contains_key(&place) {
            hosts.retain(|_place, host| !host.is_quiet(now, per_second));
            if hosts.len() >= ADDRESSES {
                place = REST;
            }
        }
        let host = hosts.entry(place).or_insert_with(|| Host {
            waiting: 0,
            failures: 0.0,
            failed_at: now,
            left: per_second * BURST_SECONDS,
            counted_at: now,
        });
        host.left = host.left_at(now, per_second);
        host.counted_at = now;
        if host.failures_at(now) >= FAILURES {
            return Err(TurnedAway::Failures);
        }
        if host.waiting >= WAITING {
            return Err(TurnedAway::Waiting);
        }
        if host.left < 1.0 {
            return Err(TurnedAway::Often);
        }
        host.left -= 1.0;
        host.waiting += 1;
        Ok(Waiting { guard: self, place })
    }
}

impl Waiting<'_> {
    /// Notes a failed login; returns how long its answer waits.
    pub fn failed(&self) -> Duration {
        self.failed_at(Instant::now())
    }

    fn failed_at(&self, now: Instant) -> Duration {
        let mut hosts = self.guard.lock();
        let Some(host) = hosts.get_mut(&self.place) else {
            return STEP;
        };
        host.failures = host.failures_at(now) + 1.0;
        host.failed_at = now;
        STEP.mul_f64(host.failures).min(LONGEST)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut hosts = self.guard.lock();
        if let Some(host) = hosts.get_mut(&self.place) {
            host.waiting = host.waiting.saturating_sub(1);
            if host.is_quiet(Instant::now(), self.guard.connections_per_second) {
                hosts.remove(&self.place);
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
        let guard = Guard::new(100);
        let mut held: Vec<_> = (0..WAITING).map(|_one| guard.admit(ONE).unwrap()).collect();
        assert_eq!(guard.admit(ONE).err(), Some(TurnedAway::Waiting));
        assert!(guard.admit(OTHER).is_ok());
        held.pop();
        assert!(guard.admit(ONE).is_ok());
    }

    #[test]
    fn connections_are_bounded_by_time() {
        let (guard, now) = (Guard::new(5), Instant::now());
        for _connection in 0..50 {
            drop(guard.admit_at(ONE, now).unwrap());
        }
        assert_eq!(guard.admit_at(ONE, now).err(), Some(TurnedAway::Often));
        assert!(guard.admit_at(OTHER, now).is_ok());
        let later = now + Duration::from_secs(1);
        for _connection in 0..5 {
            drop(guard.admit_at(ONE, later).unwrap());
        }
        assert_eq!(guard.admit_at(ONE, later).err(), Some(TurnedAway::Often));
    }

    #[test]
    fn an_address_of_ipv6_counts_by_its_first_half() {
        let (guard, now) = (Guard::new(1), Instant::now());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for host in 0..10 {
            drop(
                guard
                    .admit_at(address(&format!("2001:db8::{host}")), now)
                    .unwrap(),
            );
        }
        assert!(guard.admit_at(address("2001:db8::ffff"), now).is_err());
        assert!(guard.admit_at(address("2001:db8:0:1::1"), now).is_ok());
        assert_eq!(place_of(address("::ffff:10.0.0.1")), ONE);
    }

    #[test]
    fn failures_wait_longer_and_longer_up_to_a_limit_and_then_the_door_is_shut() {
        let (guard, now) = (Guard::new(100), Instant::now());
        let held = guard.admit_at(ONE, now).unwrap();
        let first = held.failed_at(now);
        assert!(first <= STEP);
        assert!(held.failed_at(now) > first);
        for _failure in 0..98 {
            held.failed_at(now);
        }
        assert_eq!(held.failed_at(now), LONGEST);
        assert!(guard.admit_at(ONE, now).is_ok());
        for _failure in 0..200 {
            held.failed_at(now);
        }
        assert_eq!(guard.admit_at(ONE, now).err(), Some(TurnedAway::Failures));
        assert!(guard.admit_at(OTHER, now).is_ok());
        assert!(guard.admit_at(ONE, now + HALF_LIFE).is_ok());
    }

    #[test]
    fn the_table_is_bounded_and_newcomers_share_a_place() {
        let (guard, now) = (Guard::new(1), Instant::now());
        let address = |bits: u32| IpAddr::V4(std::net::Ipv4Addr::from_bits(bits));
        let held: Vec<_> = (1..=u32::try_from(ADDRESSES).unwrap())
            .map(|it| guard.admit_at(address(it), now).unwrap())
            .collect();
        for newcomer in 0..10 {
            drop(guard.admit_at(address(1_000_000 + newcomer), now).unwrap());
        }
        assert_eq!(guard.lock().len(), ADDRESSES + 1);
        assert!(
            guard.admit_at(address(2_000_000), now).is_err(),
            "the shared place is used up"
        );
        assert!(
            guard.admit_at(address(1), now).is_ok(),
            "who was there before is not"
        );
        drop(held);
        let later = now + Duration::from_secs(60);
        drop(guard.admit_at(address(3_000_000), later).unwrap());
        assert!(guard.lock().len() <= 2, "quiet addresses are forgotten");
    }
}
