//! Pauses that double and scatter: for the link and for children that keep failing.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

/// Doubles from `first` to `longest`; [`Backoff::next_pause`] scatters each over its upper half.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// A back-off that has not failed yet.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// The pause after one more failure, without scatter.
    #[must_use]
    pub fn fail(&mut self) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1).min(31);
        doubled.min(self.longest)
    }

    /// The pause after one more failure, between half and all of it, so that many agents do not return at once.
    #[must_use]
    pub fn next_pause(&mut self) -> Duration {
        let whole = self.fail();
        let mut byte = [0_u8; 1];
        // Without random numbers the pause is the whole one.
        if SystemRandom::new().fill(&mut byte).is_err() {
            return whole;
        }
        whole / 2 + whole.mul_f64(f64::from(byte[0]) / 510.0)
    }

    /// All went well: the next failure pauses shortly again.
    pub fn succeed(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_over_after_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        let pauses: Vec<u64> = (0..6).map(|_| backoff.fail().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10]);
        for _ in 0..100 {
            let scattered = backoff.next_pause();
            assert!(scattered >= Duration::from_secs(5) && scattered <= Duration::from_secs(10));
        }
        backoff.succeed();
        assert_eq!(backoff.fail(), Duration::from_secs(1));
    }
}
