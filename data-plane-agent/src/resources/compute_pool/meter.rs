//! What compute pools used: units times time, by month, as sums that only grow. A sum is told only after it is on disk, so whoever keeps
//! the larger of two counts each moment once, whatever is told twice. What passed since the disk was written last is lost with a
//! killed agent, and so is what ran while it was away.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Months, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use weir_proto::agent::v1::ComputeUse;

use crate::disk;

/// How often sums are written while they grow.
const KEEP: Duration = Duration::from_secs(10);
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// What is no JSON of ours, or ends too early.
const DAMAGED: [io::ErrorKind; 2] = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];

/// The sums of all pools.
#[derive(Debug)]
pub struct Meter {
    path: PathBuf,
    kept: Kept,
    /// What the disk has.
    written: BTreeMap<String, BTreeMap<u32, u64>>,
    written_at: Option<Instant>,
    held: BTreeMap<String, u32>,
    looked_at: Option<Instant>,
}

/// Milliseconds of a unit, by pool and month.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// What these sums are told as. Whoever begins at nothing counts on another.
    counter: String,
    used: BTreeMap<String, BTreeMap<u32, u64>>,
}

impl Meter {
    /// Opens what the disk remembers; without that, or if it is damaged, another counter begins.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("compute-use.json");
        let kept = match disk::read_json::<Kept>(&path, FILE_BYTES_MAX) {
            Ok(kept) => kept.filter(|it| !it.counter.is_empty()),
            Err(error) if DAMAGED.contains(&error.kind()) => {
                tracing::error!(%error, "what compute pools used cannot be read: another counter begins");
                None
            }
            Err(error) => return Err(error),
        };
        let kept = kept.unwrap_or_else(|| Kept {
            counter: uuid::Uuid::new_v4().simple().to_string(),
            used: BTreeMap::new(),
        });
        Ok(Self {
            path,
            written: kept.used.clone(),
            kept,
            written_at: None,
            held: BTreeMap::new(),
            looked_at: None,
        })
    }

    /// One look: `held` units are held from now on; what was held until now is counted.
    ///
    /// # Errors
    /// As the file system says.
    pub fn look(&mut self, held: BTreeMap<String, u32>, now: Instant, now_unix_ms: u64) -> io::Result<()> {
        let since = self.looked_at.replace(now).unwrap_or(now);
        let passed_ms = u64::try_from(now.duration_since(since).as_millis()).unwrap_or(0);
        let month = month(now_unix_ms, 0);
        for (pool, units) in &self.held {
            let used = self.kept.used.entry(pool.clone()).or_default();
            *used.entry(month).or_default() += passed_ms * u64::from(*units);
        }
        self.held = held;
        self.held.retain(|_pool, units| *units > 0);
        let due = self.written_at.is_none_or(|at| now.duration_since(at) >= KEEP);
        if due || self.held.is_empty() {
            self.written_at = Some(now);
            self.keep(now_unix_ms)?;
        }
        Ok(())
    }

    /// Writes what is not written yet.
    ///
    /// # Errors
    /// As the file system says.
    pub fn keep(&mut self, now_unix_ms: u64) -> io::Result<()> {
        if self.written == self.kept.used {
            return Ok(());
        }
        // The month before may not have been told yet.
        let oldest = month(now_unix_ms, 1);
        for used in self.kept.used.values_mut() {
            used.retain(|month, _ms| *month >= oldest);
        }
        self.kept.used.retain(|_pool, used| !used.is_empty());
        disk::write_json(&self.path, &self.kept)?;
        self.written.clone_from(&self.kept.used);
        Ok(())
    }

    /// The sums as the disk has them.
    #[must_use]
    pub fn told(&self) -> Vec<ComputeUse> {
        let one = |(pool, used): (&String, &BTreeMap<u32, u64>)| {
            let each = used.iter().map(|(month, unit_ms)| ComputeUse {
                compute_pool_id: pool.clone(),
                counter_id: self.kept.counter.clone(),
                month: *month,
                unit_ms: *unit_ms,
            });
            each.collect::<Vec<_>>()
        };
        self.written.iter().flat_map(one).collect()
    }
}

/// The month of a moment, UTC, such as 202611, or one so many months before it.
fn month(unix_ms: u64, before: u32) -> u32 {
    let moment = i64::try_from(unix_ms)
        .ok()
        .and_then(DateTime::<Utc>::from_timestamp_millis);
    let moment = moment.and_then(|it| it.checked_sub_months(Months::new(before)));
    moment.map_or(0, |it| it.year().unsigned_abs() * 100 + it.month())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30T23:59:50Z.
    const NOVEMBER_MS: u64 = 1_796_083_190_000;

    fn held(units: u32) -> BTreeMap<String, u32> {
        BTreeMap::from([("compute_pool_1".to_owned(), units)])
    }

    fn sums(meter: &Meter) -> Vec<(u32, u64)> {
        meter.told().iter().map(|it| (it.month, it.unit_ms)).collect()
    }

    #[tokio::test]
    async fn units_are_counted_for_as_long_as_they_were_held_in_the_month_in_which_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let mut meter = Meter::open(folder.path()).unwrap();
        let began = Instant::now();
        let mut look = |seconds: u64, units| {
            let now = began + Duration::from_secs(seconds);
            meter
                .look(held(units), now, NOVEMBER_MS + seconds * 1000)
                .unwrap();
            sums(&meter)
        };
        assert_eq!(look(0, 2), []);
        assert_eq!(look(4, 3), [], "what is not on disk is not told");
        // Two for four seconds, three for six.
        assert_eq!(look(10, 1), [(202_611, 8_000), (202_612, 18_000)]);
        let all = [(202_611, 8_000), (202_612, 23_000)];
        assert_eq!(look(15, 0), all, "at once when nothing runs any more");
        assert_eq!(look(500, 0), all);
        assert_eq!(
            (month(NOVEMBER_MS, 0), month(NOVEMBER_MS, 11)),
            (202_611, 202_512)
        );
    }

    #[tokio::test]
    async fn a_sum_goes_on_after_a_start_and_another_disk_counts_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut meter = Meter::open(folder.path()).unwrap();
        let began = Instant::now();
        meter.look(held(1), began, NOVEMBER_MS).unwrap();
        meter
            .look(held(1), began + Duration::from_secs(9), NOVEMBER_MS)
            .unwrap();
        assert_eq!(sums(&meter), []);
        meter.keep(NOVEMBER_MS).unwrap();
        let told = meter.told();
        assert_eq!(told[0].unit_ms, 9_000);
        drop(meter);
        let mut again = Meter::open(folder.path()).unwrap();
        assert_eq!(again.told(), told, "the same sums on the same counter");
        let later = began + Duration::from_secs(900);
        again.look(held(1), later, NOVEMBER_MS).unwrap();
        assert_eq!(again.told(), told, "nobody held anything while nobody looked");
        let months = 70 * 86_400_000;
        let january = later + Duration::from_secs(20);
        again.look(held(1), january, NOVEMBER_MS + months).unwrap();
        assert_eq!(sums(&again), [(202_702, 20_000)], "months that are long over go");
        std::fs::write(folder.path().join("compute-use.json"), b"{").unwrap();
        let other = Meter::open(folder.path()).unwrap();
        assert!(other.told().is_empty() && other.kept.counter != told[0].counter_id);
    }
}
