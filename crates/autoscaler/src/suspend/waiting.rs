//! What waits for a job, by offsets alone.

use serde::{Deserialize, Serialize};

/// What is known of one partition that the job reads. Unknown is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartitionOffsets {
    /// The first offset that is still there.
    pub log_start: Option<i64>,
    /// The offset after the last.
    pub log_end: Option<i64>,
    /// The job's next offset, from its own checkpoint or savepoint: group offsets expire.
    pub position: Option<i64>,
    /// The end of the log when the job was suspended with everything read. Transaction markers stand between position and end for
    /// ever; only growth beyond this end is news.
    pub end_at_suspend: Option<i64>,
}

/// Where a job without a position begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StartFrom {
    /// At the first record there is.
    #[default]
    Earliest,
    /// At records that come from now on.
    Latest,
}

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "kind")]
pub enum Waiting {
    /// So many records, 0 or more.
    Records {
        /// Their number.
        records: u64,
    },
    /// The log begins after the position: records are gone that were never read.
    Expired,
    /// An offset is missing.
    Unknown,
}

/// Adds up what waits over all partitions.
pub fn waiting(partitions: &[PartitionOffsets], start: StartFrom) -> Waiting {
    let mut records = 0_u64;
    let mut unknown = partitions.is_empty();
    for it in partitions {
        match partition(it, start) {
            Waiting::Expired => return Waiting::Expired,
            Waiting::Unknown => unknown = true,
            Waiting::Records { records: more } => records = records.saturating_add(more),
        }
    }
    if unknown {
        Waiting::Unknown
    } else {
        Waiting::Records { records }
    }
}

fn partition(it: &PartitionOffsets, start: StartFrom) -> Waiting {
    let (Some(log_start), Some(log_end)) = (it.log_start, it.log_end) else {
        return Waiting::Unknown;
    };
    if log_start < 0 || log_end < log_start {
        return Waiting::Unknown;
    }
    let read_up_to = match (it.position, start) {
        (Some(position), _)
            if position < log_start && it.end_at_suspend.is_none_or(|end| end < log_start) =>
        {
            return Waiting::Expired;
        }
        (Some(position), _) => position.max(it.end_at_suspend.unwrap_or(position)),
        (None, StartFrom::Earliest) => it.end_at_suspend.unwrap_or(log_start),
        (None, StartFrom::Latest) => it.end_at_suspend.unwrap_or(log_end),
    };
    Waiting::Records {
        records: u64::try_from(log_end.saturating_sub(read_up_to.max(log_start))).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(start: i64, end: i64, position: i64) -> PartitionOffsets {
        PartitionOffsets {
            log_start: Some(start),
            log_end: Some(end),
            position: Some(position),
            end_at_suspend: None,
        }
    }

    fn records(partitions: &[PartitionOffsets]) -> Waiting {
        waiting(partitions, StartFrom::Earliest)
    }

    const NONE: Waiting = Waiting::Records { records: 0 };

    #[test]
    fn lag_is_what_is_still_there_and_unread() {
        assert_eq!(
            records(&[offsets(0, 10, 4), offsets(5, 9, 9)]),
            Waiting::Records { records: 6 }
        );
        let mut it = offsets(5, 9, 0);
        assert_eq!(records(&[it]), Waiting::Expired);
        it.position = None;
        assert_eq!(records(&[it]), Waiting::Records { records: 4 });
        assert_eq!(
            waiting(&[it], StartFrom::Latest),
            NONE,
            "no position is not the whole log"
        );
        it.log_end = None;
        assert_eq!(records(&[it, offsets(0, 10, 4)]), Waiting::Unknown);
        assert_eq!(records(&[]), Waiting::Unknown, "no partition is not no lag");
        assert_eq!(records(&[offsets(9, 5, 9)]), Waiting::Unknown);
    }

    #[test]
    fn only_growth_beyond_the_end_at_suspension_is_news() {
        // Two transaction markers follow the last record that was read.
        let mut it = offsets(0, 12, 10);
        it.end_at_suspend = Some(12);
        assert_eq!(records(&[it]), NONE);
        it.log_end = Some(15);
        assert_eq!(records(&[it]), Waiting::Records { records: 3 });
        // All of the old log went by retention: nothing unread was lost.
        (it.log_start, it.log_end) = (Some(12), Some(12));
        assert_eq!(records(&[it]), NONE);
        (it.log_start, it.log_end) = (Some(14), Some(15));
        assert_eq!(records(&[it]), Waiting::Expired);
    }
}
