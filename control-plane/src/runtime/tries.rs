//! How often something may be tried within a minute, by key, in this process. Bounded in memory.

use std::collections::HashMap;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// Bounds the memory that strangers can fill.
const KEYS_MAX: usize = 10_000;

/// Tries of the last minute.
#[derive(Debug, Default)]
pub struct Tries {
    begun: HashMap<String, (Instant, u32)>,
}

impl Tries {
    /// Counts a try.
    ///
    /// # Errors
    /// The seconds to wait when there were too many.
    pub fn count(&mut self, key: String, most: u32, now: Instant) -> Result<(), u64> {
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
    pub fn forgive(&mut self, key: &str) {
        if let Some((_begun, tries)) = self.begun.get_mut(key) {
            *tries = tries.saturating_sub(1);
        }
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
