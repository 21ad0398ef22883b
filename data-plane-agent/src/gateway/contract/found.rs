//! What came of judging a partition's batches, and what follows from it.

use std::collections::HashMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use weir_proto::agent::v1::Enforcement;

use super::counts::Sort;

/// Records of a refused batch that its producer is told.
pub const TOLD_MAX: usize = 100;

/// Why a partition is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A checksum is wrong: the client sends it again.
    Corrupt,
    /// It has to be encrypted, and cannot be.
    Barred(Barred),
    /// Records break the contract: how many, of how many, and the first of them with what is wrong.
    Violations {
        /// How many.
        violating: u64,
        /// Of how many.
        judged: u64,
        /// Place in its batch, and a sentence.
        told: Vec<(i32, String)>,
    },
}

/// Why what has to be encrypted is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// The key is still to come: the client sends it again.
    NotYet,
    /// The key that wraps the data keys is gone.
    Never,
    /// A batch cannot be read.
    Unreadable,
}

/// What came of a partition.
#[derive(Debug, Default)]
pub struct Found {
    /// Records.
    pub judged: u64,
    /// Of these, with a violation.
    pub violating: u64,
    /// Of these, in batches that cannot be marked.
    pub unmarked: u64,
    /// A checksum is wrong.
    pub corrupt: bool,
    /// It has to be encrypted, and cannot be.
    pub barred: Option<Barred>,
    /// Violations of each sort.
    pub sorts: HashMap<Sort, u64>,
    /// The first of them: place in its batch, and a sentence.
    pub told: Vec<(i32, String)>,
    /// Batches that are marked, encrypted or both, and where those stand that they replace.
    pub marked: Vec<(Range<usize>, Vec<u8>)>,
}

impl Found {
    /// Adds what came of a later batch.
    pub fn add(&mut self, more: Self) {
        let Self {
            judged,
            violating,
            unmarked,
            corrupt,
            barred,
            sorts,
            told,
            marked,
        } = more;
        self.unmarked += unmarked;
        self.marked.extend(marked);
        self.judged += judged;
        self.violating += violating;
        self.corrupt |= corrupt;
        self.barred = self.barred.or(barred);
        for (sort, records) in sorts {
            *self.sorts.entry(sort).or_default() += records;
        }
        self.told.extend(told);
        self.told.truncate(TOLD_MAX);
    }

    /// Why the partition may not pass, if it may not.
    #[must_use]
    pub fn refused(self, enforcement: Enforcement, encrypts: bool) -> Option<Refused> {
        if let Some(barred) = self.barred {
            return Some(Refused::Barred(barred));
        }
        let (corrupt, violating) = match enforcement {
            Enforcement::Unspecified | Enforcement::Off | Enforcement::Shadow | Enforcement::Mark => {
                (encrypts && self.corrupt, 0)
            }
            // What cannot be marked cannot be withheld either.
            Enforcement::Dlq => (self.corrupt, self.unmarked),
            Enforcement::Reject => (self.corrupt, self.violating),
        };
        if corrupt {
            Some(Refused::Corrupt)
        } else if violating > 0 {
            Some(Refused::Violations {
                violating,
                judged: self.judged,
                told: self.told,
            })
        } else {
            None
        }
    }
}

/// The batches of a partition, those with marks in the places of those without.
pub fn together(records: &Bytes, marked: Vec<(Range<usize>, Vec<u8>)>) -> Option<Bytes> {
    match &marked[..] {
        [] => return None,
        [(place, _only)] if place.len() == records.len() => {}
        _several => {
            let mut out = BytesMut::with_capacity(records.len());
            let mut at = 0;
            for (place, batch) in marked {
                out.extend_from_slice(&records[at..place.start]);
                out.extend_from_slice(&batch);
                at = place.end;
            }
            out.extend_from_slice(&records[at..]);
            return Some(out.freeze());
        }
    }
    marked.into_iter().next().map(|(_place, batch)| batch.into())
}
