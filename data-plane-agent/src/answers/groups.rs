//! Consumer groups of one logical cluster: listed, and one from near. Others' groups are not even counted.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{
    AnswerCode, GroupAnswer, GroupMember, GroupPosition, GroupQuestion, GroupSummary, GroupsAnswer,
    GroupsQuestion,
};

use super::{Desk, code};
use crate::driver::Place;
use crate::platform::groups::{ListedGroup, Mark, Positions, SeenGroup};
use crate::policy::Kind;

/// Groups of one answer.
const GROUPS_MAX: usize = 1000;
/// Partitions of one answer.
pub(super) const POSITIONS_MAX: usize = 10_000;
const ID_LENGTH_MAX: usize = 249;

/// May this id leave? One that is no plain text could carry anything.
#[must_use]
pub fn is_tellable(id: &str) -> bool {
    (1..=ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_graphic())
}

pub(super) fn place<'a>(desk: &'a Desk<'_>, cluster: &str) -> Result<&'a Place, AnswerCode> {
    desk.directory.clusters.get(cluster).ok_or(AnswerCode::NotFound)
}

/// One group of the cluster, by the id that clients know.
pub(super) async fn one(desk: &Desk<'_>, place: &Place, id: &str) -> Result<ListedGroup, AnswerCode> {
    if !is_tellable(id) || !desk.policy.allows(Kind::GroupRead, id) {
        return Err(AnswerCode::NotFound);
    }
    let physical = place.group_out(id);
    let listed = desk.platform.kafka.groups(&place.pool).await.map_err(code)?;
    let found = listed.into_iter().find(|it| it.id == physical);
    found.ok_or(AnswerCode::NotFound)
}

pub(super) async fn list(desk: &Desk<'_>, question: &GroupsQuestion) -> Result<GroupsAnswer, AnswerCode> {
    let place = place(desk, &question.cluster_id)?;
    let kafka = desk.platform.kafka.as_ref();
    let (mut own, mut withheld) = (BTreeMap::new(), 0_u32);
    for group in kafka.groups(&place.pool).await.map_err(code)? {
        let Some(id) = place.group_in(&group.id).map(str::to_owned) else {
            continue;
        };
        if is_tellable(&id) && desk.policy.allows(Kind::GroupRead, &id) {
            own.insert(id, group);
        } else {
            withheld = withheld.saturating_add(1);
        }
    }
    let limit = usize::try_from(question.limit)
        .unwrap_or(GROUPS_MAX)
        .clamp(1, GROUPS_MAX);
    let mut after = own
        .into_iter()
        .filter(|(id, _group)| *id > question.after)
        .peekable();
    let page: Vec<(String, ListedGroup)> = after.by_ref().take(limit).collect();
    let more = after.peek().is_some();
    let groups: Vec<ListedGroup> = page.iter().map(|(_id, group)| group.clone()).collect();
    let seen = kafka.describe_groups(&place.pool, &groups).await.map_err(code)?;
    let committed = kafka.committed(&place.pool, &groups).await.map_err(code)?;
    let partitions: BTreeSet<_> = committed
        .values()
        .flat_map(|it| it.keys())
        .filter(|(name, _partition)| place.topics.contains_key(name))
        .cloned()
        .collect();
    // A partition without a leader leaves the lag unknown, not the list.
    let ends = kafka
        .offsets_at(&place.pool, &partitions, Mark::Latest)
        .await
        .ok();
    let none = Positions::new();
    let groups = page.into_iter().filter_map(|(id, group)| {
        // Gone between the two questions.
        let near = seen.get(&group.id)?;
        let positions = committed.get(&group.id).unwrap_or(&none);
        Some(summary(
            id,
            &group,
            near,
            &own_positions(place, positions),
            ends.as_ref(),
        ))
    });
    Ok(GroupsAnswer {
        groups: groups.collect(),
        more,
        withheld,
    })
}

pub(super) async fn get(desk: &Desk<'_>, question: &GroupQuestion) -> Result<GroupAnswer, AnswerCode> {
    let place = place(desk, &question.cluster_id)?;
    let kafka = desk.platform.kafka.as_ref();
    let listed = one(desk, place, &question.group_id).await?;
    let groups = std::slice::from_ref(&listed);
    let mut seen = kafka.describe_groups(&place.pool, groups).await.map_err(code)?;
    let near = seen.remove(&listed.id).ok_or(AnswerCode::NotFound)?;
    let committed = own_positions(place, &committed(desk, place, &listed).await?);
    let mut places: BTreeSet<(String, u32)> = committed.keys().cloned().collect();
    let mut whose = BTreeMap::new();
    for (member, assigned) in (1_u32..).zip(&near.members) {
        for at in assigned
            .iter()
            .filter(|(name, _)| place.topics.contains_key(name))
        {
            whose.insert(at.clone(), member);
            places.insert(at.clone());
        }
    }
    if places.len() > POSITIONS_MAX {
        return Err(AnswerCode::TooLarge);
    }
    let starts = kafka
        .offsets_at(&place.pool, &places, Mark::Earliest)
        .await
        .unwrap_or_default();
    let ends = kafka.offsets_at(&place.pool, &places, Mark::Latest).await.ok();
    let members = (1_u32..)
        .zip(&near.members)
        .map(|(member, assigned)| GroupMember {
            member,
            partitions: count(assigned.len()),
        });
    let positions = places.iter().filter_map(|at| {
        let (topic_id, _name) = place.topics.get(&at.0)?;
        let known = |offsets: Option<&Positions>| offsets.and_then(|it| it.get(at)).copied().unwrap_or(-1);
        Some(GroupPosition {
            topic_id: topic_id.clone(),
            partition: at.1,
            committed_offset: known(Some(&committed)),
            log_start_offset: known(Some(&starts)),
            log_end_offset: known(ends.as_ref()),
            member: whose.get(at).copied().unwrap_or(0),
        })
    });
    Ok(GroupAnswer {
        summary: Some(summary(
            question.group_id.clone(),
            &listed,
            &near,
            &committed,
            ends.as_ref(),
        )),
        members: members.collect(),
        positions: positions.collect(),
    })
}

/// What one group has committed.
pub(super) async fn committed(
    desk: &Desk<'_>,
    place: &Place,
    group: &ListedGroup,
) -> Result<Positions, AnswerCode> {
    let groups = std::slice::from_ref(group);
    let kafka = desk.platform.kafka.as_ref();
    let mut all = kafka.committed(&place.pool, groups).await.map_err(code)?;
    Ok(all.remove(&group.id).unwrap_or_default())
}

/// Positions in topics of this cluster; a deleted topic's may linger at the broker.
pub(super) fn own_positions(place: &Place, positions: &Positions) -> Positions {
    let own = positions
        .iter()
        .filter(|((name, _partition), _offset)| place.topics.contains_key(name));
    own.map(|(at, offset)| (at.clone(), *offset)).collect()
}

fn summary(
    id: String,
    group: &ListedGroup,
    near: &SeenGroup,
    committed: &Positions,
    ends: Option<&Positions>,
) -> GroupSummary {
    let lag = |(at, committed): (&(String, u32), &i64)| {
        let end = ends?.get(at)?;
        Some(end.saturating_sub(*committed).max(0))
    };
    let lag = committed.iter().map(lag).sum::<Option<i64>>();
    GroupSummary {
        group_id: id,
        kind: group.kind.into(),
        state: group.state.into(),
        members: count(near.members.len()),
        lag: lag.unwrap_or(-1),
        partitions: count(committed.len()),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
