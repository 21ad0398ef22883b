//! Offsets of a group without members are moved, and such a group is deleted. Planned first; Kafka itself refuses once more
//! while there are members.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{
    AnswerCode, GroupDeleteQuestion, GroupMove, GroupMovesAnswer, GroupResetQuestion, GroupTarget, ResetTo,
};

use super::groups::{POSITIONS_MAX, committed, one, own_positions, place};
use super::{Desk, code};
use crate::driver::Place;
use crate::platform::groups::{ListedGroup, Mark, Positions};
use crate::policy::Kind;

pub(super) async fn reset(
    desk: &Desk<'_>,
    question: &GroupResetQuestion,
) -> Result<GroupMovesAnswer, AnswerCode> {
    let place = place(desk, &question.cluster_id)?;
    let group = one(desk, place, &question.group_id).await?;
    if !desk.policy.allows(Kind::GroupReset, &question.group_id) {
        return Err(AnswerCode::PolicyRefused);
    }
    idle(desk, place, &group).await?;
    let held = own_positions(place, &committed(desk, place, &group).await?);
    let meant = meant(desk, place, &question.targets, &held).await?;
    let kafka = desk.platform.kafka.as_ref();
    let starts = kafka
        .offsets_at(&place.pool, &meant, Mark::Earliest)
        .await
        .map_err(code)?;
    let ends = kafka
        .offsets_at(&place.pool, &meant, Mark::Latest)
        .await
        .map_err(code)?;
    let timed = match question.to() {
        ResetTo::Time => kafka
            .offsets_at(&place.pool, &meant, Mark::Time(question.value))
            .await
            .map_err(code)?,
        _other => Positions::new(),
    };
    let mut wished = Positions::new();
    for at in &meant {
        // Without an end there is no such partition.
        let (start, end) = match (starts.get(at), ends.get(at)) {
            (Some(start), Some(end)) => (*start, *end),
            _missing => return Err(AnswerCode::UnknownPartition),
        };
        let wish = match question.to() {
            ResetTo::Earliest => start,
            ResetTo::Latest => end,
            ResetTo::Offset => question.value,
            ResetTo::Time => timed.get(at).copied().ok_or(AnswerCode::UnknownPartition)?,
            // From where it is; without a commit there is nothing to shift from.
            ResetTo::Shift => match held.get(at) {
                Some(from) => from.saturating_add(question.value),
                None => continue,
            },
            ResetTo::Unspecified => return Err(AnswerCode::Unsupported),
        };
        wished.insert(at.clone(), wish.clamp(start, end));
    }
    if !question.dry_run && !wished.is_empty() {
        kafka.commit(&place.pool, &group, &wished).await.map_err(code)?;
    }
    Ok(moves(place, &held, &wished))
}

pub(super) async fn delete(
    desk: &Desk<'_>,
    question: &GroupDeleteQuestion,
) -> Result<GroupMovesAnswer, AnswerCode> {
    let place = place(desk, &question.cluster_id)?;
    let group = one(desk, place, &question.group_id).await?;
    if !desk.policy.allows(Kind::GroupDelete, &question.group_id) {
        return Err(AnswerCode::PolicyRefused);
    }
    idle(desk, place, &group).await?;
    let held = own_positions(place, &committed(desk, place, &group).await?);
    if held.len() > POSITIONS_MAX {
        return Err(AnswerCode::TooLarge);
    }
    if !question.dry_run {
        let kafka = desk.platform.kafka.as_ref();
        kafka.delete_group(&place.pool, &group).await.map_err(code)?;
    }
    let gone = held.keys().map(|at| (at.clone(), -1)).collect();
    Ok(moves(place, &held, &gone))
}

/// Only a group without members is touched.
async fn idle(desk: &Desk<'_>, place: &Place, group: &ListedGroup) -> Result<(), AnswerCode> {
    let groups = std::slice::from_ref(group);
    let kafka = desk.platform.kafka.as_ref();
    let seen = kafka.describe_groups(&place.pool, groups).await.map_err(code)?;
    let near = seen.get(&group.id).ok_or(AnswerCode::NotFound)?;
    if near.members.is_empty() {
        Ok(())
    } else {
        Err(AnswerCode::GroupActive)
    }
}

/// Which partitions are meant: those named, or all that the group has committed.
async fn meant(
    desk: &Desk<'_>,
    place: &Place,
    targets: &[GroupTarget],
    held: &Positions,
) -> Result<BTreeSet<(String, u32)>, AnswerCode> {
    let mut meant: BTreeSet<(String, u32)> = BTreeSet::new();
    if targets.is_empty() {
        meant.extend(held.keys().cloned());
    } else {
        let mut names = BTreeMap::new();
        for target in targets {
            let name = place.physical_name(&target.topic_id);
            let name = name.ok_or(AnswerCode::UnknownPartition)?;
            names.insert(name.clone(), target);
        }
        let wanted: Vec<String> = names.keys().cloned().collect();
        let kafka = desk.platform.kafka.as_ref();
        let topics = kafka.topics(&place.pool, &wanted).await.map_err(code)?;
        for (name, target) in names {
            let partitions = topics.get(&name).ok_or(AnswerCode::UnknownPartition)?.partitions;
            let named: Vec<u32> = if target.partitions.is_empty() {
                (0..partitions).collect()
            } else {
                target.partitions.clone()
            };
            if named.iter().any(|it| *it >= partitions) {
                return Err(AnswerCode::UnknownPartition);
            }
            meant.extend(named.into_iter().map(|partition| (name.clone(), partition)));
        }
    }
    if meant.len() > POSITIONS_MAX {
        return Err(AnswerCode::TooLarge);
    }
    Ok(meant)
}

fn moves(place: &Place, held: &Positions, wished: &Positions) -> GroupMovesAnswer {
    let moves = wished.iter().filter_map(|(at, to)| {
        let (topic_id, _name) = place.topics.get(&at.0)?;
        Some(GroupMove {
            topic_id: topic_id.clone(),
            partition: at.1,
            from_offset: held.get(at).copied().unwrap_or(-1),
            to_offset: *to,
        })
    });
    GroupMovesAnswer {
        moves: moves.collect(),
    }
}
