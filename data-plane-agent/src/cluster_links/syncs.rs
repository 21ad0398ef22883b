//! Which offset of the copy stands for which of the source: pairs, ever sparser the older they are. Pure.
//!
//! A pair says: whatever stands in the source from here on, stands in the copy from there on, and nothing of before does. MirrorMaker 2
//! writes such pairs to a topic of offset syncs (KIP-382) and keeps 64 of them in memory, sparser with age (`OffsetSyncStore`); here they
//! are kept beside the place of a partition, in the same transaction, and are never read from anywhere else.

use std::fmt::Write as _;

/// What a note of pairs begins with.
const FORM: &str = "1";
/// One for each doubling of the distance, and the newest.
pub const PAIRS_MAX: usize = 65;
/// What Kafka keeps beside a position, if nobody changed it (`offset.metadata.max.bytes`).
pub const NOTE_BYTES_MAX: usize = 4096;

/// Pairs of one partition: (source, copy), both rising.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Syncs(Vec<(i64, i64)>);

impl Syncs {
    /// Of a partition of which nothing was copied yet.
    #[must_use]
    pub fn begin() -> Self {
        Self(vec![(0, 0)])
    }

    /// One more pair. One that goes back says nothing.
    pub fn add(&mut self, source: i64, copy: i64) {
        if source < 0 || copy < 0 {
            return;
        }
        match self.0.last_mut() {
            Some((last, there)) if source < *last || copy < *there => return,
            Some((last, there)) if source == *last => *there = copy,
            _older => self.0.push((source, copy)),
        }
        self.thin();
    }

    /// Of all that are about as far behind the newest, the oldest stays: it will be the one of those that are twice as far.
    fn thin(&mut self) {
        let Some((newest, _copy)) = self.0.last().copied() else {
            return;
        };
        let mut seen = 0_u128;
        self.0.retain(|(source, _copy)| {
            let distance = newest.abs_diff(*source);
            let bucket = 1_u128 << (u64::BITS - distance.leading_zeros());
            let first = seen & bucket == 0;
            seen |= bucket;
            first
        });
    }

    /// Where whoever was at `source` goes on in the copy: never later, perhaps some records earlier.
    #[must_use]
    pub fn translate(&self, source: i64) -> Option<i64> {
        let below = self.0.partition_point(|(from, _copy)| *from <= source);
        let (_from, copy) = self.0.get(below.checked_sub(1)?)?;
        Some(*copy)
    }

    /// As it is kept beside a position.
    #[must_use]
    pub fn note(&self) -> String {
        let mut note = FORM.to_owned();
        for (source, copy) in &self.0 {
            // Writing to a text never fails.
            let _written = write!(note, " {source}:{copy}");
        }
        note
    }

    /// From a note; what is none says nothing.
    #[must_use]
    pub fn of(note: &str) -> Self {
        let mut syncs = Self::default();
        let mut words = note.get(..NOTE_BYTES_MAX).unwrap_or(note).split(' ');
        if words.next() != Some(FORM) {
            return syncs;
        }
        for word in words.take(PAIRS_MAX) {
            let pair = word
                .split_once(':')
                .and_then(|(source, copy)| Some((source.parse().ok()?, copy.parse().ok()?)));
            let Some((source, copy)) = pair else {
                return Self::default();
            };
            syncs.add(source, copy);
        }
        syncs
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A copy of which some records are withheld: for each source offset where it, or the next that is there, stands.
    fn copied(steps: &[(i64, i64, i64)]) -> (Syncs, Vec<(i64, i64)>) {
        let (mut syncs, mut source, mut copy) = (Syncs::begin(), 0, 0);
        let mut records = Vec::new();
        for (withheld, there, markers) in steps {
            source += withheld;
            if *there > 0 {
                syncs.add(source, copy);
            }
            records.extend((0..*there).map(|at| (source + at, copy + at)));
            source += there;
            copy += there;
            syncs.add(source, copy);
            copy += markers;
        }
        (syncs, records)
    }

    proptest! {
        #[test]
        fn nobody_goes_on_later_than_where_he_was(
            steps in prop::collection::vec((0_i64..50, 0_i64..300, 0_i64..3), 1..200),
            asked in 0_i64..40_000,
        ) {
            let (syncs, records) = copied(&steps);
            let found = syncs.translate(asked).unwrap();
            let right = records.iter().find(|(source, _copy)| *source >= asked);
            if let Some((_source, copy)) = right {
                prop_assert!(found <= *copy, "{found} is behind {copy}");
            }
            prop_assert!(syncs.0.len() <= PAIRS_MAX);
            prop_assert!(syncs.note().len() <= NOTE_BYTES_MAX);
            prop_assert_eq!(Syncs::of(&syncs.note()), syncs);
        }

        #[test]
        fn how_far_too_early_follows_how_long_ago_it_was(
            rounds in 1_i64..3_000,
            step in 1_i64..700,
            ago in 0_i64..100_000,
        ) {
            let mut syncs = Syncs::begin();
            for round in 0..rounds {
                syncs.add(round * step, round * (step + 1));
            }
            let newest = (rounds - 1) * step;
            let asked = (newest - ago).max(0);
            let found = syncs.translate(asked).unwrap() / (step + 1) * step;
            prop_assert!(asked - found <= 8 * (newest - asked) + step, "{asked} {found} {newest}");
        }

        #[test]
        fn any_text_is_some_note(text in ".{0,200}") {
            let syncs = Syncs::of(&text);
            prop_assert!(syncs.0.len() <= PAIRS_MAX);
            let _answered = syncs.translate(7);
        }
    }

    #[test]
    fn the_longest_note_fits() {
        let mut syncs = Syncs::begin();
        for bit in (0..63).rev() {
            syncs.add(i64::MAX - (1 << bit), i64::MAX - (1 << bit));
        }
        syncs.add(i64::MAX, i64::MAX);
        assert!(syncs.0.len() > 60, "{}", syncs.0.len());
        assert!(syncs.note().len() <= NOTE_BYTES_MAX, "{}", syncs.note().len());
        assert_eq!(Syncs::of(&syncs.note()), syncs);
    }

    #[test]
    fn what_was_there_before_the_first_pair_is_not_known_unless_nothing_was() {
        assert_eq!(Syncs::of("1 50:7 60:9").translate(49), None);
        assert_eq!(Syncs::of("1 50:7 60:9").translate(59), Some(7));
        assert_eq!(Syncs::begin().translate(12), Some(0));
        assert_eq!(Syncs::default().translate(0), None);
    }
}
