//! A partition's records as a consumer gets them: some batches as they are, some written anew, some not at all.

use bytes::{Bytes, BytesMut};

use super::gap::Gap;

/// What is left of a batch.
#[derive(Debug, Clone)]
pub enum Left {
    /// All of it.
    All,
    /// Some records: the batch, written anew.
    Some(Bytes),
    /// Nothing: its offsets become a gap.
    Nothing,
}

/// Batches in order, until nothing more comes. Neighbouring gaps become one.
#[derive(Debug)]
pub struct Sifted<'a> {
    records: &'a [u8],
    seen: usize,
    /// `None` while all is as it was.
    out: Option<BytesMut>,
    gap: Option<Gap<'a>>,
}

impl<'a> Sifted<'a> {
    /// Of these records, whose batches come one after the other.
    #[must_use]
    pub const fn of(records: &'a [u8]) -> Self {
        Self {
            records,
            seen: 0,
            out: None,
            gap: None,
        }
    }

    /// The next batch, and what is left of it.
    pub fn push(&mut self, batch: &'a [u8], left: &Left) {
        let before = &self.records[..self.seen];
        self.seen += batch.len();
        match left {
            Left::All => {
                self.close();
                if let Some(out) = &mut self.out {
                    out.extend_from_slice(batch);
                }
            }
            Left::Some(anew) => {
                self.close();
                self.out
                    .get_or_insert_with(|| BytesMut::from(before))
                    .extend_from_slice(anew);
            }
            Left::Nothing => {
                self.out.get_or_insert_with(|| BytesMut::from(before));
                self.widen(Gap::of(batch));
            }
        }
    }

    fn widen(&mut self, next: Option<Gap<'a>>) {
        let both = self.gap.zip(next).and_then(|(gap, next)| gap.and(next));
        if both.is_none() {
            self.close();
        }
        self.gap = both.or(next);
    }

    fn close(&mut self) {
        let written = self.gap.take().and_then(|it| it.written());
        if let (Some(out), Some(written)) = (&mut self.out, written) {
            out.extend_from_slice(&written);
        }
    }

    /// The records, without what follows the last batch; `None` when all is as it was.
    #[must_use]
    pub fn finish(mut self) -> Option<Bytes> {
        self.close();
        self.out.map(BytesMut::freeze)
    }
}
