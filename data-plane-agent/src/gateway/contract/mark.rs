//! Marks: headers on the records that broke their contract, written into the batch. Codec, producer, sequence, number of
//! records, offsets and times stay, so that brokers take it as what the producer sent; lengths and checksum are new.

use super::judge::Breach;
use super::records::{self, Record, rebuilt};
use super::unpack::Codec;
use super::write::{put, put_bytes};

/// What sort of violation.
pub const KIND: &str = "__weir.violation";
/// Of the key or of the value.
pub const PART: &str = "__weir.violation.part";
/// Which rule, if it is one.
pub const RULE: &str = "__weir.violation.rule";
/// A sentence, without values.
pub const REASON: &str = "__weir.violation.reason";
/// Of a dead letter: consumers are not sent it.
pub const WITHHELD: &str = "__weir.withheld";
/// A sentence is cut after so many characters.
const REASON_MAX: usize = 200;

/// The records of a batch, as they will be.
#[derive(Debug)]
pub struct Marking<'a> {
    before: &'a [u8],
    /// How much of it is written.
    written: usize,
    /// How much of it is looked at.
    seen: usize,
    after: Vec<u8>,
    /// No longer than this; beyond it nothing is marked.
    most: usize,
    /// Marked records are dead letters, too.
    dead: bool,
    marked: bool,
}

impl<'a> Marking<'a> {
    /// Of these records.
    #[must_use]
    pub const fn of(unpacked: &'a [u8], most: usize, dead: bool) -> Self {
        Self {
            before: unpacked,
            written: 0,
            seen: 0,
            after: Vec::new(),
            most,
            dead,
            marked: false,
        }
    }

    /// The next record, and what is wrong with it.
    pub fn next(&mut self, record: &Record<'_>, breach: Option<&Breach>) {
        let begin = self.seen;
        self.seen += record.raw.len();
        let Some(breach) = breach else { return };
        if self.after.len() > self.most {
            return;
        }
        self.marked = true;
        self.after.extend_from_slice(&self.before[self.written..begin]);
        self.written = self.seen;
        mark(&mut self.after, record, breach, self.dead);
    }

    /// The batch with marks; `None` when nothing is marked, or there is no room for it.
    #[must_use]
    pub fn finish(mut self, codec: Codec, batch: &[u8]) -> Option<Vec<u8>> {
        if !self.marked {
            return None;
        }
        self.after.extend_from_slice(&self.before[self.written..]);
        if self.after.len() > self.most {
            return None;
        }
        let count = records::head(batch)?.count?;
        rebuilt(batch, codec, count, &self.after)
    }
}

/// The record with the headers that it has and those of its mark behind them: the last one of a name holds.
fn mark(out: &mut Vec<u8>, record: &Record<'_>, breach: &Breach, dead: bool) {
    let (mut added, mut count) = (Vec::new(), record.headers().left());
    for (name, value) in headers(breach, dead) {
        put_bytes(&mut added, name.as_bytes());
        put_bytes(&mut added, &value);
        count += 1;
    }
    let mut counted = Vec::with_capacity(5);
    put(&mut counted, i64::from(count));
    let held = record.headers().as_bytes();
    put(
        out,
        (record.before_headers.len() + counted.len() + held.len() + added.len()) as i64,
    );
    for piece in [record.before_headers, &counted, held, &added] {
        out.extend_from_slice(piece);
    }
}

/// The headers of a mark.
#[must_use]
pub fn headers(breach: &Breach, dead: bool) -> Vec<(&'static str, Vec<u8>)> {
    let mut headers = vec![
        (KIND, breach.kind_word().into()),
        (PART, breach.part_word().into()),
    ];
    headers.extend(breach.rule.as_deref().map(|it| (RULE, it.into())));
    headers.push((REASON, reason(breach).into_bytes()));
    headers.extend(dead.then(|| (WITHHELD, b"DLQ".to_vec())));
    headers
}

/// What is wrong, as marks and dead letters say it.
#[must_use]
pub fn reason(breach: &Breach) -> String {
    breach.reason.chars().take(REASON_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::super::records::{HEADER, Records, head};
    use super::super::samples::{self, Sample};
    use super::super::tests::{bad, contract};
    use super::super::unpack::unpack;
    use super::*;
    use proptest::prelude::*;
    use weir_proto::agent::v1::{Enforcement, ViolationKind};

    fn breach() -> Breach {
        let contract = contract(Enforcement::Mark);
        Breach {
            rule: Some("small".into()),
            ..Breach::of_batch(&contract, ViolationKind::Condition, &"é".repeat(500))
        }
    }

    /// Marks some records of a batch, and reads the result again: (value, headers).
    type Read = Vec<(Option<Vec<u8>>, Vec<(Vec<u8>, Option<Vec<u8>>)>)>;

    fn read(batch: &[u8]) -> Read {
        let head = head(batch).unwrap();
        assert!(head.whole);
        let unpacked = unpack(head.codec.unwrap(), head.packed, 1 << 24).unwrap();
        Records::new(&unpacked, head.count.unwrap())
            .map(|it| {
                let it = it.unwrap();
                let headers = it
                    .headers()
                    .map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)));
                (it.value.map(<[u8]>::to_vec), headers.collect())
            })
            .collect()
    }

    fn marked(batch: &[u8], which: &dyn Fn(usize) -> bool, most: usize) -> Option<Vec<u8>> {
        let head = head(batch).unwrap();
        let codec = head.codec.unwrap();
        let unpacked = unpack(codec, head.packed, 1 << 24).unwrap();
        let mut marking = Marking::of(&unpacked, most, false);
        let breach = breach();
        for (at, record) in Records::new(&unpacked, head.count.unwrap()).enumerate() {
            marking.next(&record.unwrap(), which(at).then_some(&breach));
        }
        marking.finish(codec, batch)
    }

    #[test]
    fn nothing_but_lengths_and_checksum_of_a_header_changes() {
        let batch = samples::batch(Codec::Zstd, &[bad(), bad(), bad()]);
        let marked = marked(&batch, &|at| at == 1, 1 << 20).unwrap();
        assert_eq!(marked[..8], batch[..8]);
        assert_eq!(marked[12..17], batch[12..17]);
        assert_eq!(marked[21..HEADER], batch[21..HEADER]);
        let read = read(&marked);
        assert_eq!(read.iter().map(|it| it.1.len()).collect::<Vec<_>>(), [0, 4, 0]);
        let told: Vec<_> = read[1]
            .1
            .iter()
            .map(|it| String::from_utf8(it.1.clone().unwrap()).unwrap())
            .collect();
        assert_eq!(told[..3], ["CONDITION", "VALUE", "small"]);
        assert_eq!(told[3], "é".repeat(REASON_MAX));
    }

    #[test]
    fn unmarked_or_without_room_there_is_no_other_batch() {
        let batch = samples::batch(Codec::None, &[bad(), bad()]);
        assert_eq!(marked(&batch, &|_at| false, 1 << 20), None);
        assert_eq!(marked(&batch, &|_at| true, 300), None);
    }

    proptest! {
        #[test]
        fn all_that_was_there_is_there(
            records in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(("[a-z]{0,9}", any::<bool>()), 0..70), any::<bool>()),
                1..12,
            ),
            codec in 0_u16..5,
        ) {
            let written: Vec<Sample> = records
                .iter()
                .map(|(value, headers, _mark)| {
                    let headers: Vec<(&str, Option<&[u8]>)> =
                        headers.iter().map(|(name, some)| (name.as_str(), some.then_some(&b"x"[..]))).collect();
                    Sample::of(Some(b"k"), Some(value)).with(&headers)
                })
                .collect();
            let batch = samples::batch(Codec::of(codec).unwrap(), &written);
            let before = read(&batch);
            let Some(after) = marked(&batch, &|at| records[at].2, 1 << 24) else {
                prop_assert!(records.iter().all(|it| !it.2));
                return Ok(());
            };
            for ((before, after), (_value, _headers, mark)) in before.iter().zip(read(&after)).zip(&records) {
                prop_assert_eq!(&before.0, &after.0);
                prop_assert_eq!(&before.1[..], &after.1[..before.1.len()]);
                prop_assert_eq!(after.1.len() - before.1.len(), if *mark { 4 } else { 0 });
            }
        }
    }
}
