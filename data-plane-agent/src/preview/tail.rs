//! The last records of a topic, read by the agent itself.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::Refusal;
use super::sample::Came;
use crate::dead_letters::{Post, Way, edges, walk};
use crate::platform::groups::Mark;
use crate::platform::kafka::KafkaError;
use crate::platform::logs::{Helping, Read};
use crate::processor::engine::OwnedHeader;

/// Of one partition.
const READ_BYTES: usize = 1 << 20;
/// Of all that is kept.
const BYTES_MAX: usize = 4 << 20;
/// Partitions that are looked at, from the first.
const PARTITIONS_MAX: i32 = 64;
const LEADER_NOT_AVAILABLE: i16 = 5;
const OFFSET_OUT_OF_RANGE: i16 = 1;

/// The newest records of a topic, the oldest first; of partitions with very large records perhaps not the very last.
///
/// # Errors
/// When there is no such topic here, or Kafka does not answer.
pub async fn read(post: &Post, topic: &str, count: usize, deadline: Instant) -> Result<Vec<Came>, Refusal> {
    let place = post.directory.load().topics.get(topic).cloned();
    let (at, name) = place.ok_or(KafkaError::Unreachable)?;
    let leaders = post.logs.leaders(&at, std::slice::from_ref(&name)).await?;
    let way = Way {
        logs: post.logs.as_ref(),
        at: &at,
        leaders: &leaders,
    };
    let partitions = way.partitions(&name).min(PARTITIONS_MAX);
    let first = edges(way, &name, 0..partitions, Mark::Earliest).await?;
    let last = edges(way, &name, 0..partitions, Mark::Latest).await?;
    let mut found = Vec::new();
    for partition in 0..partitions {
        let (begin, end) = (first.get(&partition).copied(), last.get(&partition).copied());
        let (begin, end) = (begin.unwrap_or(0), end.unwrap_or(0));
        if begin >= end || Instant::now() >= deadline {
            continue;
        }
        // Markers of transactions take offsets, too.
        let back = i64::try_from(count.saturating_mul(2)).unwrap_or(i64::MAX);
        let from = begin.max(end.saturating_sub(back));
        let read = one(way, &name, partition, from).await?;
        found.extend(newest(&read, from, count));
    }
    found.sort_by_key(|it| (it.timestamp_ms, it.partition, it.offset));
    let mut bytes = 0;
    let newest = found.into_iter().rev().take(count).take_while(|it| {
        bytes += it.bytes();
        bytes <= BYTES_MAX
    });
    let mut newest: Vec<Came> = newest.collect();
    newest.reverse();
    Ok(newest)
}

async fn one(way: Way<'_>, name: &str, partition: i32, from: i64) -> Result<Read, KafkaError> {
    let part = (name.to_owned(), partition);
    let leader = way.leaders.get(&part).copied().filter(|it| *it >= 0);
    let leader = leader.ok_or(KafkaError::Refused(LEADER_NOT_AVAILABLE))?;
    let helping = Helping {
        bytes: READ_BYTES,
        partition_bytes: READ_BYTES,
        wait_ms: 0,
    };
    let read = way.logs.read(way.at, leader, &[(part, from)], helping).await?;
    let read = read.into_iter().next().ok_or(KafkaError::Unreachable)?;
    match read.code {
        // Retention was here meanwhile.
        0 | OFFSET_OUT_OF_RANGE => Ok(read),
        code => Err(KafkaError::Refused(code)),
    }
}

/// The last committed records of what was read.
fn newest(read: &Read, from: i64, count: usize) -> VecDeque<Came> {
    let mut found: VecDeque<Came> = VecDeque::with_capacity(count);
    let _walked = walk(read, from, &mut |at, record, _codec| {
        if found.len() >= count {
            found.pop_front();
        }
        let headers = record.headers().map(|(name, value)| OwnedHeader {
            name: String::from_utf8_lossy(name).into_owned(),
            value: value.map(<[u8]>::to_vec),
        });
        found.push_back(Came {
            partition: at.partition,
            offset: at.offset,
            timestamp_ms: at.timestamp,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: headers.collect(),
        });
        true
    });
    found
}
