//! Which TaskManagers of a pool stay when there are too many. Pure.
//!
//! One whose slots are nobody's goes at once. One that still has subtasks is waited for: jobs give up what they need no longer
//! within seconds. After a while it goes all the same, and Flink restores what it had elsewhere.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// So long an idle one is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than any pool has.
const TASK_MANAGERS_MAX: u32 = 500;

/// What is remembered between looks.
#[derive(Debug, Default)]
pub(super) struct Crew {
    leaving: BTreeSet<u32>,
    surplus_since: Option<Instant>,
    /// One with subtasks was told to end, and nobody has asked since.
    displaced: bool,
}

impl Crew {
    /// Are there more of `there` than `wanted`, so that it matters which are idle?
    pub(super) fn has_surplus(&self, wanted: u32, there: &BTreeSet<u32>) -> bool {
        there.difference(&self.leaving).count() > bounded(wanted)
    }

    /// Has one with subtasks been told to end since this was asked last? Flink restores these elsewhere, as it was asked to.
    pub(super) fn has_displaced(&mut self) -> bool {
        std::mem::take(&mut self.displaced)
    }

    /// The numbers of those that shall run, `wanted` of them as soon as may be.
    pub(super) fn choose(
        &mut self,
        wanted: u32,
        there: &BTreeSet<u32>,
        idle: &BTreeSet<u32>,
        now: Instant,
    ) -> BTreeSet<u32> {
        let wanted = bounded(wanted);
        // One that was told to end ends, whatever is wished since.
        self.leaving.retain(|it| there.contains(it));
        let mut stay: BTreeSet<u32> = there.difference(&self.leaving).copied().collect();
        let unused = (0..).filter(|it| !there.contains(it));
        stay.extend(unused.take(wanted.saturating_sub(stay.len())));
        if stay.len() <= wanted {
            self.surplus_since = None;
            return stay;
        }
        let since = *self.surplus_since.get_or_insert(now);
        let late = now.saturating_duration_since(since) > PATIENCE;
        let candidates: Vec<u32> = stay
            .iter()
            .rev()
            .filter(|it| idle.contains(it))
            .copied()
            .collect();
        let others: Vec<u32> = stay
            .iter()
            .rev()
            .filter(|it| late && !idle.contains(it))
            .copied()
            .collect();
        let surplus = stay.len() - wanted;
        for number in candidates.into_iter().chain(others).take(surplus) {
            stay.remove(&number);
            self.leaving.insert(number);
            self.displaced |= !idle.contains(&number);
        }
        stay
    }
}

fn bounded(wanted: u32) -> usize {
    usize::try_from(wanted.clamp(1, TASK_MANAGERS_MAX)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(all: &[u32]) -> BTreeSet<u32> {
        all.iter().copied().collect()
    }

    #[test]
    fn who_has_nothing_to_do_goes_first_and_who_has_is_waited_for() {
        let (mut crew, now) = (Crew::default(), Instant::now());
        assert_eq!(
            crew.choose(0, &set(&[]), &set(&[]), now),
            set(&[0]),
            "one is always there"
        );
        assert_eq!(crew.choose(3, &set(&[1]), &set(&[]), now), set(&[0, 1, 2]));
        // Two too many: 0 is idle, the others are at work.
        let there = set(&[0, 1, 2]);
        assert!(crew.has_surplus(1, &there));
        assert_eq!(crew.choose(1, &there, &set(&[0]), now), set(&[1, 2]));
        assert_eq!(crew.choose(1, &there, &set(&[]), now + PATIENCE), set(&[1, 2]));
        assert!(!crew.has_displaced(), "an idle one had nothing");
        let late = now + PATIENCE + Duration::from_secs(1);
        assert_eq!(crew.choose(1, &there, &set(&[]), late), set(&[1]));
        assert!(crew.has_displaced() && !crew.has_displaced(), "told once");
        // More are wanted again while two end: these are not called back.
        assert_eq!(crew.choose(2, &there, &set(&[]), late), set(&[1, 3]));
        assert_eq!(crew.choose(2, &set(&[1, 3]), &set(&[]), late), set(&[1, 3]));
        assert_eq!(crew.choose(3, &set(&[1, 3]), &set(&[]), late), set(&[0, 1, 3]));
    }
}
