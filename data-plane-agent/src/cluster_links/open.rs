//! Where a topic of a link begins, or goes on: after what Kafka keeps of it, and never from anywhere else.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{Phase, Reason};

use super::life::{Life, Trouble};
use super::syncs::Syncs;
use super::track::{Place, Track};
use crate::platform::groups::Mark;
use crate::platform::kafka::KafkaError;
use crate::platform::logs::{Part, Position, Sight, Stand};

/// A topic without a leader for a moment.
const LEADER_NOT_AVAILABLE: i16 = 5;

/// Partitions that were never copied: (track, partition).
type Fresh = Vec<(usize, i32)>;

impl Life {
    /// Opens what is not open and does not rest.
    pub(super) async fn open(&mut self, tracks: &mut [Track]) -> Result<(), Trouble> {
        let due: Vec<usize> = (0..tracks.len()).filter(|at| tracks[*at].is_due()).collect();
        if due.is_empty() {
            return Ok(());
        }
        let sources: Vec<String> = due.iter().map(|at| tracks[*at].route.source.clone()).collect();
        let copies: Vec<String> = due.iter().map(|at| tracks[*at].route.copy.clone()).collect();
        let sight = self.look(&sources).await?;
        let leaders = self.here.leaders(&self.plan.here, &copies).await;
        let leaders = leaders.map_err(Trouble::Here)?;
        let mut fresh = Fresh::new();
        let mut opened = Vec::new();
        for at in due {
            if self.place(&mut tracks[at], &sight, &leaders) {
                opened.push(at);
                let places = tracks[at].leads.keys();
                let copy = &tracks[at].route.copy;
                let unknown = places.filter(|it| !self.stand.contains_key(&(copy.clone(), **it)));
                fresh.extend(unknown.map(|it| (at, *it)));
            }
        }
        let lost = self.lost(tracks, &fresh).await?;
        fresh.retain(|(at, _partition)| !lost.contains(at));
        opened.retain(|at| !lost.contains(at));
        for at in lost {
            tracks[at].rest(Phase::Failed, Reason::StateMissing);
        }
        self.give_places(tracks, &fresh).await?;
        for at in opened {
            self.go_on(&mut tracks[at]);
        }
        Ok(())
    }

    /// Finds out who leads what. Says whether there is something to copy.
    fn place(&self, track: &mut Track, sight: &Sight, leaders: &BTreeMap<Part, i32>) -> bool {
        track.close();
        let shown = sight.topics.get(&track.route.source).cloned().unwrap_or_default();
        if shown.code != 0 && shown.code != LEADER_NOT_AVAILABLE {
            track.refused(shown.code);
            return false;
        }
        track.partitions = u32::try_from(shown.leaders.len()).unwrap_or(u32::MAX);
        for (partition, leader) in shown.leaders {
            if let Some(here) = leaders.get(&(track.route.copy.clone(), partition)) {
                track.leads.insert(partition, (leader, *here));
            }
        }
        if track.leads.is_empty() {
            track.rest(Phase::Degraded, Reason::KafkaRefused);
        }
        !track.leads.is_empty()
    }

    /// Topics of which a partition has been begun before, and has no place any more.
    async fn lost(&self, tracks: &[Track], fresh: &Fresh) -> Result<BTreeSet<usize>, Trouble> {
        let mut lost = BTreeSet::new();
        let parts: BTreeSet<Part> = fresh
            .iter()
            .map(|(at, it)| (tracks[*at].route.copy.clone(), *it))
            .collect();
        if parts.is_empty() {
            return Ok(lost);
        }
        let ends = self.here.edges(&self.plan.here, &parts, Mark::Latest).await;
        let ends = ends.map_err(Trouble::Here)?;
        for (at, partition) in fresh {
            let route = &tracks[*at].route;
            // What cannot be seen may have been begun.
            let end = ends.get(&(route.copy.clone(), *partition));
            let begun = end.is_none_or(|it| *it != 0) || self.begun.has(&route.topic_id, *partition);
            if begun {
                tracing::error!(
                    link = self.plan.link_id,
                    topic = route.topic_id,
                    partition,
                    "a copy has no place in its source any more: it is not begun anew"
                );
                lost.insert(*at);
            }
        }
        Ok(lost)
    }

    /// Gives partitions that were never copied a place, before anything is written there: by that it is known ever after that they were begun.
    async fn give_places(&mut self, tracks: &[Track], fresh: &Fresh) -> Result<(), Trouble> {
        if fresh.is_empty() {
            return Ok(());
        }
        let (mut earliest, mut latest) = (BTreeSet::new(), BTreeSet::new());
        for (at, partition) in fresh {
            let route = &tracks[*at].route;
            let first = !self.begun.has_any(&route.topic_id)
                && !self.stand.keys().any(|(topic, _partition)| *topic == route.copy);
            // A partition that came later is copied whole, or records that came with it would be missing.
            let set = if route.latest && first {
                &mut latest
            } else {
                &mut earliest
            };
            set.insert((route.source.clone(), *partition));
        }
        let mut starts = BTreeMap::new();
        for (parts, mark) in [(earliest, Mark::Earliest), (latest, Mark::Stable)] {
            if !parts.is_empty() {
                let found = self.there.edges(&self.at_there, &parts, mark).await;
                starts.extend(found.map_err(Trouble::There)?);
            }
        }
        let mut stand = Stand::new();
        for (at, partition) in fresh {
            let route = &tracks[*at].route;
            let start = starts.get(&(route.source.clone(), *partition)).copied();
            let start = start.filter(|it| *it >= 0);
            let position = Position {
                offset: start.ok_or(Trouble::There(KafkaError::Unreachable))?,
                note: Syncs::begin().note(),
            };
            stand.insert((route.copy.clone(), *partition), position);
        }
        self.commit(stand).await?;
        let begun = fresh
            .iter()
            .map(|(at, it)| (tracks[*at].route.topic_id.clone(), *it));
        self.begun.note(begun).map_err(Trouble::Disk)
    }

    /// From where Kafka kept us.
    fn go_on(&self, track: &mut Track) {
        for partition in track.leads.keys() {
            if let Some(kept) = self.stand.get(&(track.route.copy.clone(), *partition)) {
                let place = Place {
                    next: kept.offset,
                    stable: -1,
                    syncs: Syncs::of(&kept.note),
                };
                track.places.insert(*partition, place);
            }
        }
    }
}
