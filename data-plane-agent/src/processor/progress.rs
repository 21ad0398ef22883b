//! How a worker goes: one file, that it writes again each second and the agent reads whenever it wants to.
//!
//! The file is the worker's standard output, opened by the agent, so that the worker needs no right to any folder. It is
//! overwritten in place; a checksum before the text tells a reader that it met the middle of a write.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::halt::HaltCode;
use weir_proto::agent::v1::JobFailureCode;

/// Bytes of the file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Eight digits of checksum, a space, ten of length, the end of the line.
const HEAD_BYTES: usize = 20;
/// Different failures that are counted apart.
const FAILURES_MAX: usize = 200;

/// How a worker goes. Counts go on over its restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Of the program that runs.
    pub version: u32,
    /// The topic that it reads.
    pub source: String,
    /// The process that wrote this.
    pub pid: u32,
    /// When this was written, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// It has joined its group and was told what to read, be it nothing.
    pub joined: bool,
    /// Why it ended by itself.
    pub halt: Option<HaltCode>,
    /// Records whose work is done and committed.
    pub records_in: u64,
    /// Records that were written to sinks.
    pub records_out: u64,
    /// Records that the program let go.
    pub records_dropped: u64,
    /// Records that went to the dead-letter topic.
    pub records_dead: u64,
    /// How long it was busy, in microseconds: all but waiting for records and for answers to calls.
    pub busy_us: u64,
    /// The newest time of a record that was done, in milliseconds since 1970; 0: none.
    pub watermark_unix_ms: i64,
    /// The partitions that it has now, or had at its end.
    pub partitions: BTreeMap<i32, PartitionProgress>,
    /// Failures by code and step.
    pub failures: BTreeMap<String, u64>,
}

/// One partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartitionProgress {
    /// The next record that would be read after a restart.
    pub offset: i64,
    /// Nothing before this is left to do, as far as is known. Behind the last record markers of transactions may stand for ever.
    pub done_to: i64,
    /// Where the partition ends for readers of committed records; -1: unknown.
    pub end: i64,
}

impl Progress {
    /// Counts a failure.
    pub fn fail(&mut self, code: JobFailureCode, step: u32) {
        let name = format!("{}/{step}", code as i32);
        if self.failures.len() < FAILURES_MAX || self.failures.contains_key(&name) {
            *self.failures.entry(name).or_default() += 1;
        }
    }

    /// Failures as they are reported: code, step, count.
    pub fn failures(&self) -> impl Iterator<Item = (JobFailureCode, u32, u64)> + '_ {
        self.failures.iter().filter_map(|(name, count)| {
            let (code, step) = name.split_once('/')?;
            let code = JobFailureCode::try_from(code.parse::<i32>().ok()?).ok()?;
            Some((code, step.parse().ok()?, *count))
        })
    }

    /// How many records wait in the partitions that it has; `None`: unknown of at least one.
    #[must_use]
    pub fn lag(&self) -> Option<i64> {
        let each = self.partitions.values().map(|it| {
            let known = it.end >= 0 && it.offset >= 0;
            known.then(|| (it.end - it.offset.max(it.done_to)).max(0))
        });
        each.sum()
    }

    /// Writes it over what the file holds.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write(&self, file: impl AsFd) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        let mut all = format!("{:08x} {:010}\n", crc32c::crc32c(&text), text.len()).into_bytes();
        all.extend_from_slice(&text);
        let mut at = 0;
        while at < all.len() {
            let offset = u64::try_from(at).map_err(io::Error::other)?;
            at += rustix::io::pwrite(&file, &all[at..], offset)?;
        }
        Ok(())
    }

    /// Reads what a file holds; `None`: nothing yet, or the middle of a write.
    ///
    /// # Errors
    /// As the file system says.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Self::read_from(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read_from(file: impl Read) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Self::parse(&bytes))
    }

    /// Reads what an open file holds, from its beginning.
    ///
    /// # Errors
    /// As the file system says.
    pub fn read_open(file: impl AsFd) -> io::Result<Option<Self>> {
        let mut bytes = vec![0; usize::try_from(FILE_BYTES_MAX).map_err(io::Error::other)?];
        let mut at = 0;
        while at < bytes.len() {
            let offset = u64::try_from(at).map_err(io::Error::other)?;
            match rustix::io::pread(&file, &mut bytes[at..], offset)? {
                0 => break,
                read => at += read,
            }
        }
        Ok(Self::parse(&bytes[..at]))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let (sum, length) = std::str::from_utf8(head).ok()?.trim_end().split_once(' ')?;
        let text = rest.get(..length.parse().ok()?)?;
        let sound = u32::from_str_radix(sum, 16).ok()? == crc32c::crc32c(text);
        sound.then(|| serde_json::from_slice(text).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;

    fn place(offset: i64, end: i64) -> PartitionProgress {
        PartitionProgress {
            offset,
            end,
            ..PartitionProgress::default()
        }
    }

    fn file(path: &Path) -> File {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .unwrap()
    }

    #[test]
    fn progress_is_read_as_it_was_written_and_never_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        assert_eq!(Progress::read(&path).unwrap(), None);
        let open = file(&path);
        assert_eq!(Progress::read_open(&open).unwrap(), None);
        let mut long = Progress::default();
        for partition in 0..50 {
            long.partitions.insert(partition, place(7, 9));
        }
        long.write(&open).unwrap();
        assert_eq!(Progress::read(&path).unwrap(), Some(long.clone()));
        let short = Progress {
            records_in: 5,
            ..Progress::default()
        };
        short.write(&open).unwrap();
        assert_eq!(
            Progress::read(&path).unwrap(),
            Some(short.clone()),
            "what is left of the longer one is not read"
        );
        assert_eq!(Progress::read_open(&open).unwrap(), Some(short));
        rustix::io::pwrite(&open, b"x", 30).unwrap();
        assert_eq!(Progress::read(&path).unwrap(), None);
    }

    #[test]
    fn lag_is_known_when_it_is_of_every_partition() {
        let mut progress = Progress::default();
        assert_eq!(progress.lag(), Some(0));
        progress.partitions.insert(0, place(3, 10));
        progress.partitions.insert(1, place(5, 4));
        assert_eq!(progress.lag(), Some(7));
        let marked = PartitionProgress {
            done_to: 8,
            ..place(6, 8)
        };
        progress.partitions.insert(1, marked);
        assert_eq!(
            progress.lag(),
            Some(7),
            "markers behind the last record are no records"
        );
        progress.partitions.insert(2, place(5, -1));
        assert_eq!(progress.lag(), None);
    }

    #[test]
    fn failures_are_counted_by_code_and_step() {
        let mut progress = Progress::default();
        progress.fail(JobFailureCode::CallTimeout, 2);
        progress.fail(JobFailureCode::CallTimeout, 2);
        progress.fail(JobFailureCode::Decode, 0);
        let told: Vec<_> = progress.failures().collect();
        assert_eq!(
            told,
            [
                (JobFailureCode::Decode, 0, 1),
                (JobFailureCode::CallTimeout, 2, 2)
            ]
        );
        for step in 0..500 {
            progress.fail(JobFailureCode::Type, step);
        }
        assert_eq!(progress.failures.len(), FAILURES_MAX);
    }
}
