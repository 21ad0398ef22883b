//! Which partitions a worker has: taken up where the job left them, given back when what is done of them is committed.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{Worker, ended_by, readable};
use crate::processor::client::Change;
use crate::processor::halt::{Halt, HaltCode};
use crate::processor::partition::{Partition, read_note};
use crate::processor::spec::Position;

/// What is asked of brokers and not answered by then.
/// An earlier worker's transaction may have to end first.
const ASK: Duration = Duration::from_secs(60);

/// Where a partition is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    /// The first record to work on.
    resume: i64,
    /// The first record to learn from.
    learn: i64,
    /// The newest time of a record before.
    newest_ms: i64,
    /// It is to be committed although nothing was done.
    begins: bool,
}

/// What is committed of a partition: the offset, and the newest time before it if it was one of us who committed.
type Committed = Option<(i64, Option<i64>)>;

impl Worker<'_> {
    /// Agrees to what the coordinator wants, when nothing is under way.
    pub(super) fn change(&mut self) -> Result<(), Halt> {
        while let Some(change) = self.consumer.context().change() {
            match change {
                Change::Given(numbers) => self.given(&numbers)?,
                Change::Taken(numbers) => self.taken(&numbers)?,
            }
        }
        Ok(())
    }

    fn taken(&mut self, numbers: &[i32]) -> Result<(), Halt> {
        tracing::info!(?numbers, "partitions are given back");
        if self.consumer.assignment_lost() {
            // Somebody else has them already: nothing of ours may count.
            for number in numbers {
                self.partitions.remove(number);
            }
            if self.open.is_some() {
                self.abort("the partitions were lost")?;
            }
        } else {
            self.drain()?;
            self.commit()?;
        }
        for number in numbers {
            self.partitions.remove(number);
        }
        self.pending
            .retain(|_id, (number, _suspended)| !numbers.contains(number));
        let list = self.list(numbers);
        self.consumer
            .incremental_unassign(&list)
            .map_err(|error| ended_by(&error))
    }

    fn given(&mut self, numbers: &[i32]) -> Result<(), Halt> {
        let fresh: Vec<i32> = numbers
            .iter()
            .copied()
            .filter(|it| !self.partitions.contains_key(it))
            .collect();
        let starts = self.starts(&fresh)?;
        tracing::info!(?starts, "partitions are taken up");
        let mut list = TopicPartitionList::new();
        for (number, start) in starts {
            let source = &self.spec.program.source;
            let from = Offset::Offset(start.learn.min(start.resume));
            let added = list.add_partition_offset(source, number, from);
            added.map_err(|error| ended_by(&error))?;
            let mut partition = Partition::at(start.resume, start.learn, start.newest_ms, self.engine.seen());
            partition.begins = start.begins;
            self.partitions.insert(number, partition);
            if start.begins {
                self.opened()?;
            }
        }
        self.consumer
            .incremental_assign(&list)
            .map_err(|error| ended_by(&error))?;
        self.consumer.context().joins();
        // Whether there is room is asked anew: what was added is not paused.
        if self.full.is_some() {
            self.let_go()?;
        }
        Ok(())
    }

    /// Where partitions are taken up.
    fn starts(&self, numbers: &[i32]) -> Result<BTreeMap<i32, Start>, Halt> {
        if numbers.is_empty() {
            return Ok(BTreeMap::new());
        }
        let committed = self.committed_of(numbers)?;
        let from_latest = self.spec.program.from_latest && !self.ever_ran()?;
        let source = &self.spec.program.source;
        let mut starts = BTreeMap::new();
        for number in numbers {
            let (low, high) = self
                .consumer
                .fetch_watermarks(source, *number, ASK)
                .map_err(|error| ended_by(&error))?;
            let held = committed.get(number).copied().flatten();
            let kept = self.spec.positions.get(number).copied();
            starts.insert(*number, start(held, kept, low, high, from_latest)?);
        }
        self.learn_from(&mut starts)?;
        Ok(starts)
    }

    fn committed_of(&self, numbers: &[i32]) -> Result<BTreeMap<i32, Committed>, Halt> {
        // Of readers of committed records, brokers answer when no transaction of an earlier worker is open.
        let asked = self.consumer.committed_offsets(self.list(numbers), ASK);
        let told = asked.map_err(|error| ended_by(&error))?;
        let mut committed = BTreeMap::new();
        for place in told.elements() {
            place.error().map_err(|error| ended_by(&error))?;
            let held = match place.offset() {
                Offset::Offset(offset) => {
                    let note = readable(|| read_note(place.metadata())).flatten();
                    Some((offset, note))
                }
                _none => None,
            };
            committed.insert(place.partition(), held);
        }
        Ok(committed)
    }

    /// Has the job committed anything of any partition? Then a partition that it does not know has come since, and is read from its
    /// beginning.
    fn ever_ran(&self) -> Result<bool, Halt> {
        let source = &self.spec.program.source;
        let asked = self.consumer.fetch_metadata(Some(source.as_str()), ASK);
        let metadata = asked.map_err(|error| ended_by(&error))?;
        let topics = metadata.topics().iter().filter(|it| it.name() == source);
        let numbers: Vec<i32> = topics.flat_map(|it| it.partitions()).map(|it| it.id()).collect();
        let committed = self.committed_of(&numbers)?;
        Ok(!self.spec.positions.is_empty() || committed.values().any(Option::is_some))
    }

    /// What the deduplication has to see again.
    fn learn_from(&self, starts: &mut BTreeMap<i32, Start>) -> Result<(), Halt> {
        let Some(window_ms) = self.engine.window_ms() else {
            for start in starts.values_mut() {
                start.learn = start.resume;
            }
            return Ok(());
        };
        let fails = |error: KafkaError| ended_by(&error);
        let mut times = TopicPartitionList::new();
        for (number, start) in starts.iter().filter(|(_number, it)| it.newest_ms > 0) {
            let oldest = Offset::Offset(start.newest_ms.saturating_sub(window_ms).max(0));
            let added = times.add_partition_offset(&self.spec.program.source, *number, oldest);
            added.map_err(fails)?;
        }
        if times.count() == 0 {
            return Ok(());
        }
        let found = self.consumer.offsets_for_times(times, ASK).map_err(fails)?;
        for place in found.elements() {
            place.error().map_err(fails)?;
            if let (Some(start), Offset::Offset(offset)) =
                (starts.get_mut(&place.partition()), place.offset())
            {
                start.learn = offset.min(start.resume);
            }
        }
        Ok(())
    }

    pub(super) fn list(&self, numbers: &[i32]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for number in numbers {
            list.add_partition(&self.spec.program.source, *number);
        }
        list
    }
}

/// Where a partition is taken up that holds records from `low` to before `high`. What the group has forgotten the agent has `kept`.
fn start(
    held: Committed,
    kept: Option<Position>,
    low: i64,
    high: i64,
    from_latest: bool,
) -> Result<Start, Halt> {
    let Some((offset, note)) = held.or_else(|| Some((kept?.offset, None))) else {
        let resume = if from_latest { high } else { low };
        return Ok(Start {
            resume,
            learn: resume,
            newest_ms: 0,
            begins: from_latest,
        });
    };
    // Markers of transactions, and records that were done, may be gone.
    let all_done = kept.is_some_and(|it| it.offset <= offset && it.done_to >= low);
    if offset < low && !all_done {
        let text =
            format!("the job was at {offset}, and the log begins at {low}: what was between has expired");
        return Err(Halt::new(HaltCode::DataExpired, text));
    }
    Ok(Start {
        resume: offset.max(low),
        // Without our note nobody knows how far back: from the beginning.
        learn: if note.is_some() { offset.max(low) } else { low },
        newest_ms: note.unwrap_or(0),
        begins: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_taken_up_where_the_job_left_it_and_never_elsewhere() {
        let at =
            |held, low, high, latest| start(held, None, low, high, latest).map(|it| (it.resume, it.begins));
        assert_eq!(at(None, 3, 9, false).unwrap(), (3, false));
        assert_eq!(at(None, 3, 9, true).unwrap(), (9, true));
        assert_eq!(at(Some((5, Some(7))), 3, 9, true).unwrap(), (5, false));
        assert_eq!(at(Some((3, None)), 3, 9, false).unwrap(), (3, false));
        let expired = at(Some((2, Some(7))), 3, 9, false).unwrap_err();
        assert_eq!(expired.code, HaltCode::DataExpired);
    }

    #[test]
    fn what_the_group_forgot_the_agent_remembers() {
        let kept = |offset, done_to| {
            let at_unix_ms = 1;
            Some(Position {
                offset,
                done_to,
                at_unix_ms,
            })
        };
        let at = |held, kept, low| start(held, kept, low, 20, true).map(|it| (it.resume, it.begins));
        assert_eq!(
            at(None, kept(5, 5), 3).unwrap(),
            (5, false),
            "neither end nor beginning"
        );
        assert_eq!(at(Some((7, None)), kept(5, 5), 3).unwrap(), (7, false));
        assert_eq!(at(None, kept(5, 5), 6).unwrap_err().code, HaltCode::DataExpired);
        // All that there was had been done, up to the markers behind it.
        assert_eq!(at(Some((5, Some(7))), kept(5, 9), 9).unwrap(), (9, false));
        assert_eq!(
            at(Some((5, Some(7))), kept(5, 9), 10).unwrap_err().code,
            HaltCode::DataExpired
        );
        // A person set the group back: what is gone was wished for.
        assert_eq!(
            at(Some((4, None)), kept(5, 9), 9).unwrap_err().code,
            HaltCode::DataExpired
        );
    }

    #[test]
    fn a_place_that_somebody_else_committed_is_learned_from_the_beginning() {
        assert_eq!(start(Some((5, None)), None, 3, 9, false).unwrap().learn, 3);
        let ours = start(Some((5, Some(700))), None, 3, 9, false).unwrap();
        assert_eq!((ours.learn, ours.newest_ms), (5, 700));
    }
}
