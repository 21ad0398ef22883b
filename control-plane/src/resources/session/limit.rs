//! How often somebody may try a wrong password: per e-mail address and per network address, in this process.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::kernel::{Error, ErrorKind, Result, code};

const TRIES_PER_WINDOW: u32 = 10;
/// Many people may come from one address.
const TRIES_PER_ADDRESS: u32 = 60;
const WINDOW: Duration = Duration::from_secs(60);
/// Bounds the memory that strangers can fill.
const KEYS_MAX: usize = 10_000;

static TRIES: LazyLock<Mutex<Tries>> = LazyLock::new(Mutex::default);

#[derive(Debug, Default)]
struct Tries {
    begun: HashMap<String, (Instant, u32)>,
}

impl Tries {
    /// Counts a try; the seconds to wait when there were too many.
    fn count(&mut self, key: String, most: u32, now: Instant) -> std::result::Result<(), u64> {
        if self.begun.len() >= KEYS_MAX {
            self.begun
                .retain(|_, (begun, _)| now.duration_since(*begun) < WINDOW);
            // Still full of live ones: forgetting all is kinder than refusing all.
            if self.begun.len() >= KEYS_MAX {
                self.begun.clear();
            }
        }
        let (begun, tries) = self.begun.entry(key).or_insert((now, 0));
        if now.duration_since(*begun) >= WINDOW {
            (*begun, *tries) = (now, 0);
        }
        *tries += 1;
        if *tries <= most {
            return Ok(());
        }
        Err((WINDOW - now.duration_since(*begun)).as_secs() + 1)
    }

    /// Takes a try back.
    fn forgive(&mut self, key: &str) {
        if let Some((_begun, tries)) = self.begun.get_mut(key) {
            *tries = tries.saturating_sub(1);
        }
    }
}

/// Counts a try of this e-mail address from this network address. It is counted before the password is looked at, so
/// that many at one time are bounded too.
///
/// # Errors
/// 429 with the time to wait.
pub fn count(email: &str, address: Option<IpAddr>) -> Result<()> {
    let mut tries = TRIES.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let by_email = tries.count(format!("email {email}"), TRIES_PER_WINDOW, now);
    let by_address = address.map_or(Ok(()), |it| {
        tries.count(format!("address {it}"), TRIES_PER_ADDRESS, now)
    });
    by_email.and(by_address).map_err(|seconds| {
        let detail = format!("Too many tries; wait {seconds} seconds.");
        let mut error = Error::new(ErrorKind::TooMany, code::TOO_MANY_REQUESTS, detail);
        error.retry_after_seconds = Some(seconds);
        error
    })
}

/// The password was right: whoever knows it guesses nothing, and scripts may sign in often.
pub fn forgive(email: &str, address: Option<IpAddr>) {
    let mut tries = TRIES.lock().unwrap_or_else(PoisonError::into_inner);
    tries.forgive(&format!("email {email}"));
    if let Some(address) = address {
        tries.forgive(&format!("address {address}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_bounded_within_a_window_and_forgotten_after() {
        let (mut tries, now) = (Tries::default(), Instant::now());
        for _ in 0..3 {
            assert_eq!(tries.count("a".into(), 3, now), Ok(()));
        }
        assert_eq!(tries.count("a".into(), 3, now), Err(61));
        assert_eq!(tries.count("b".into(), 3, now), Ok(()));
        assert_eq!(tries.count("a".into(), 3, now + WINDOW), Ok(()));
    }

    #[test]
    fn right_passwords_are_no_tries() {
        let (mut tries, now) = (Tries::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(tries.count("a".into(), 3, now), Ok(()));
            tries.forgive("a");
        }
        for _ in 0..3 {
            assert_eq!(tries.count("a".into(), 3, now), Ok(()));
        }
        assert_eq!(tries.count("a".into(), 3, now), Err(61));
        tries.forgive("nobody");
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let (mut tries, now) = (Tries::default(), Instant::now());
        for at in 0..KEYS_MAX + 5 {
            let _counted = tries.count(at.to_string(), 1, now);
        }
        assert!(tries.begun.len() <= KEYS_MAX);
    }
}
