//! A rate kept by one number: the moment at which the bucket is empty, or its debt is paid.
//!
//! A bucket that is emptied at moment z holds `(now - z) * rate` tokens. Taking n of them moves z by `n / rate`; the one
//! who took waits until z when that lies ahead. So each of many connections gets a turn of its own, one after the other,
//! where a common debt would let all of them go at the same moment. One word, no lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// Nanoseconds of a clock that only goes forward.
pub type Nanos = u64;

/// A second.
pub const SECOND: Nanos = 1_000_000_000;
/// No more debt is remembered: what one request took beyond is forgiven, as Kafka's window of samples forgets.
pub const DEBT_MAX: Nanos = 30 * SECOND;
/// So much unused time is saved up at least: a client needs a moment between an answer and its next request.
pub const BURST_MIN: Nanos = SECOND / 10;

/// Tokens that come back at a rate.
#[derive(Debug, Default)]
pub struct Bucket {
    empty_at: AtomicU64,
}

/// How fast tokens come back, and for how long unused ones are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Tokens in a second; more than 0.
    pub per_second: f64,
    /// Unused time that counts.
    pub burst: Nanos,
}

impl Rate {
    fn cost(self, amount: u64) -> Nanos {
        // Rounded up, so that many small ones do not add up to more. Saturates where it does not fit.
        (amount as f64 / self.per_second * SECOND as f64).ceil() as Nanos
    }
}

impl Bucket {
    /// Takes tokens, there or not. Returns the moment until which to wait; one that is past means no wait.
    pub fn take(&self, now: Nanos, amount: u64, rate: Rate) -> Nanos {
        self.take_up_to(now, amount, rate, now.saturating_add(DEBT_MAX))
    }

    /// The same, with no debt beyond a moment.
    pub fn take_up_to(&self, now: Nanos, amount: u64, rate: Rate, latest: Nanos) -> Nanos {
        let cost = rate.cost(amount);
        self.change(|held| {
            let from = held.max(now.saturating_sub(rate.burst));
            from.saturating_add(cost).min(latest.max(now))
        })
    }

    /// Takes tokens as if the one who takes then waited; returns for how long that would be.
    pub fn pretend(&self, now: Nanos, amount: u64, rate: Rate) -> Nanos {
        let cost = rate.cost(amount);
        let mut wait = 0;
        self.change(|held| {
            let next = held.max(now.saturating_sub(rate.burst)).saturating_add(cost);
            wait = next.saturating_sub(now);
            next.min(now)
        });
        wait
    }

    /// Another rate from now on: the debt stays the same number of tokens.
    pub fn retune(&self, now: Nanos, before: f64, after: f64) {
        if before > 0.0 && after > 0.0 {
            self.change(|held| match held.checked_sub(now) {
                Some(debt) => now.saturating_add((debt as f64 * before / after) as Nanos),
                None => held,
            });
        }
    }

    /// The moment at which it is empty.
    pub fn empty_at(&self) -> Nanos {
        self.empty_at.load(Ordering::Relaxed)
    }

    fn change(&self, mut next: impl FnMut(Nanos) -> Nanos) -> Nanos {
        let mut held = self.empty_at();
        loop {
            let wanted = next(held);
            match self
                .empty_at
                .compare_exchange_weak(held, wanted, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_held) => return wanted,
                Err(other) => held = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: Nanos = 1_000 * SECOND;

    fn rate(per_second: f64) -> Rate {
        Rate {
            per_second,
            burst: BURST_MIN,
        }
    }

    #[test]
    fn what_was_saved_up_is_free_and_the_rest_waits() {
        let bucket = Bucket::default();
        assert_eq!(
            bucket.take(T0, 100, rate(1000.0)),
            T0,
            "a tenth of a second is saved"
        );
        assert_eq!(bucket.take(T0, 100, rate(1000.0)), T0 + SECOND / 10);
        assert_eq!(
            bucket.take(T0, 100, rate(1000.0)),
            T0 + SECOND / 5,
            "the next one waits for its own turn"
        );
        let later = T0 + 100 * SECOND;
        assert_eq!(
            bucket.take(later, 100, rate(1000.0)),
            later,
            "no more is saved up"
        );
    }

    #[test]
    fn debt_is_bounded() {
        let bucket = Bucket::default();
        assert_eq!(bucket.take(T0, u64::MAX, rate(1.0)), T0 + DEBT_MAX);
    }

    #[test]
    fn another_rate_keeps_the_debt_in_tokens() {
        let bucket = Bucket::default();
        assert_eq!(bucket.take(T0, 1100, rate(1000.0)), T0 + SECOND);
        bucket.retune(T0, 1000.0, 2000.0);
        assert_eq!(bucket.empty_at(), T0 + SECOND / 2);
        bucket.retune(T0 + SECOND, 2000.0, 1.0);
        assert_eq!(bucket.empty_at(), T0 + SECOND / 2, "savings stay in time");
    }

    #[test]
    fn pretending_tells_the_wait_that_enforcing_would_have_added() {
        let bucket = Bucket::default();
        let mut waited = 0;
        // A tenth more than allowed, for ten seconds.
        for at in 0..100 {
            waited += bucket.pretend(T0 + at * SECOND / 10, 110, rate(1000.0));
        }
        let excess = SECOND;
        assert!(waited.abs_diff(excess) <= SECOND / 5, "{waited}");
    }

    proptest! {
        /// Connections that take what they like and then wait their turn: over any second they get the rate, with what
        /// was saved up and one request each at the edges.
        #[test]
        fn whoever_waits_his_turn_keeps_the_rate(
            sizes in prop::collection::vec(1_u64..500, 1..8),
            per_second in 2_000_f64..100_000.0,
        ) {
            let bucket = Bucket::default();
            let mut ready: Vec<Nanos> = vec![T0; sizes.len()];
            let mut taken = 0;
            let end = T0 + 20 * SECOND;
            loop {
                let (at, now) = ready.iter().copied().enumerate().min_by_key(|(_at, now)| *now).unwrap();
                if now >= end {
                    break;
                }
                taken += sizes[at];
                ready[at] = bucket.take(now, sizes[at], rate(per_second)).max(now + 1);
            }
            let allowed = per_second * 20.0;
            let edge = per_second / 10.0 + sizes.iter().sum::<u64>() as f64;
            prop_assert!((taken as f64) <= allowed + edge, "{} of {}", taken, allowed);
            prop_assert!((taken as f64) >= allowed * 0.999 - edge, "{} of {}", taken, allowed);
        }
    }
}
