//! Which schemas a desired state has room for. Pure, and the same for the same rows.
//!
//! A desired state is bounded, and several tenants share one: so each has its part of the room, and where a tenant's schemas need
//! more, the newest of every subject come before older ones of any.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Member, Source};

/// Schemas of one subject set that records may be of.
pub(super) const MEMBERS_MAX: usize = 1_000;
/// What all schemas of a data plane may take, in bytes; the rest of a desired state is for everything else.
const TOTAL_BYTES: usize = 10 << 20;
/// And those of one tenant.
const TENANT_BYTES: usize = 6 << 20;
/// An id in the list of a topic's part.
const ID_BYTES: usize = 36;

/// A version that stands in a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) contract: Uuid,
    pub(super) version: i32,
    pub(super) member: Member,
    /// Of the schema, with what stands beside its text.
    pub(super) bytes: usize,
}

/// What each source holds, newest first.
pub(super) type AllStanding = BTreeMap<Source, Vec<Standing>>;

/// What schemas refer to.
#[derive(Debug, Default)]
pub(super) struct References {
    /// How a schema calls others, which they are, and how large.
    pub(super) of: BTreeMap<Uuid, Vec<(String, Uuid, usize)>>,
}

impl References {
    pub(super) fn of(&self, schema: Uuid) -> Vec<(String, Uuid)> {
        let found = self.of.get(&schema).into_iter().flatten();
        found.map(|(name, id, _bytes)| (name.clone(), *id)).collect()
    }
}

/// What is sent.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) members: BTreeMap<Source, Vec<Member>>,
    /// Tenant and row of each schema.
    pub(super) schemas: BTreeSet<(Uuid, Uuid)>,
    /// Versions that there was no room for.
    pub(super) left_out: usize,
}

/// Chooses. `wanted` says how many parts of topics name each source.
pub(super) fn choose(
    wanted: &BTreeMap<Source, usize>,
    standing: AllStanding,
    references: &References,
) -> Choice {
    let tenants: BTreeSet<Uuid> = wanted.keys().map(|it| it.tenant).collect();
    let room = TENANT_BYTES.min(TOTAL_BYTES / tenants.len().max(1));
    let mut choice = Choice {
        members: wanted.keys().map(|it| (it.clone(), Vec::new())).collect(),
        schemas: BTreeSet::new(),
        left_out: 0,
    };
    for tenant in tenants {
        let mut sources: Vec<(&Source, &[Standing])> = standing
            .iter()
            .filter(|(source, _)| source.tenant == tenant)
            .map(|(source, standing)| (source, standing.as_slice()))
            .collect();
        let (mut left, mut place) = (room, 0);
        while !sources.is_empty() {
            sources.retain(|(source, standing)| {
                let Some(next) = standing.get(place) else {
                    return false;
                };
                let parts = wanted.get(*source).copied().unwrap_or(1);
                let more = missing(tenant, *next, references, &choice.schemas);
                let bytes = more.values().sum::<usize>() + parts * ID_BYTES;
                if bytes > left {
                    choice.left_out += standing.len() - place;
                    return false;
                }
                left -= bytes;
                choice.schemas.extend(more.into_keys().map(|id| (tenant, id)));
                choice
                    .members
                    .entry((*source).clone())
                    .or_default()
                    .push(next.member);
                true
            });
            place += 1;
        }
    }
    choice
}

/// A schema and what it refers to, directly and through others, as far as it is not chosen yet; with their sizes.
fn missing(
    tenant: Uuid,
    standing: Standing,
    references: &References,
    chosen: &BTreeSet<(Uuid, Uuid)>,
) -> BTreeMap<Uuid, usize> {
    let mut more = BTreeMap::new();
    let mut steps = vec![(standing.member.schema, standing.bytes)];
    while let Some((id, bytes)) = steps.pop() {
        // What is chosen was chosen with all that it refers to.
        if chosen.contains(&(tenant, id)) || more.insert(id, bytes).is_some() {
            continue;
        }
        let next = references.of.get(&id).into_iter().flatten();
        steps.extend(next.map(|(_name, id, bytes)| (*id, *bytes)));
    }
    more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::desired::contract::Subjects;

    const TENANT: Uuid = Uuid::from_u128(1);

    fn source(tenant: Uuid, subject: &str) -> Source {
        Source {
            tenant,
            environment: Uuid::from_u128(7),
            subjects: Subjects::Named(subject.into()),
        }
    }

    fn standing(schema: u128, bytes: usize) -> Standing {
        Standing {
            contract: Uuid::from_u128(9),
            version: 1,
            member: Member {
                schema: Uuid::from_u128(schema),
                json: false,
            },
            bytes,
        }
    }

    fn chosen(choice: &Choice, source: &Source) -> Vec<u128> {
        choice.members[source]
            .iter()
            .map(|it| it.schema.as_u128())
            .collect()
    }

    #[test]
    fn what_is_referred_to_comes_along_once_and_circles_end() {
        let (a, b) = (source(TENANT, "a"), source(TENANT, "b"));
        let reference = |id: u128| ("x".to_owned(), Uuid::from_u128(id), 10);
        let references = References {
            of: BTreeMap::from([
                (Uuid::from_u128(1), vec![reference(3)]),
                (Uuid::from_u128(2), vec![reference(3)]),
                (Uuid::from_u128(3), vec![reference(4)]),
                (Uuid::from_u128(4), vec![reference(3)]),
            ]),
        };
        let wanted = BTreeMap::from([(a.clone(), 1), (b.clone(), 1)]);
        let all = BTreeMap::from([
            (a.clone(), vec![standing(1, 10)]),
            (b.clone(), vec![standing(2, 10)]),
        ]);
        let choice = choose(&wanted, all, &references);
        let ids: Vec<u128> = choice.schemas.iter().map(|(_, id)| id.as_u128()).collect();
        assert_eq!(ids, [1, 2, 3, 4]);
        assert_eq!((chosen(&choice, &a), chosen(&choice, &b)), (vec![1], vec![2]));
        assert_eq!(choice.left_out, 0);
    }

    #[test]
    fn the_newest_of_every_subject_come_before_older_ones_of_any() {
        let (a, b) = (source(TENANT, "a"), source(TENANT, "b"));
        let wanted = BTreeMap::from([(a.clone(), 1), (b.clone(), 1)]);
        let large = 1 << 20;
        let all = BTreeMap::from([
            (a.clone(), (10..20).map(|id| standing(id, large)).collect()),
            (b.clone(), vec![standing(1, large), standing(2, large)]),
        ]);
        let choice = choose(&wanted, all, &References::default());
        assert_eq!(chosen(&choice, &a), [10, 11, 12]);
        assert_eq!(chosen(&choice, &b), [1, 2]);
        assert_eq!(choice.left_out, 7);
    }

    #[test]
    fn a_tenant_with_much_leaves_the_others_their_part() {
        let (loud, quiet) = (source(TENANT, "a"), source(Uuid::from_u128(2), "a"));
        let wanted = BTreeMap::from([(loud.clone(), 1), (quiet.clone(), 1)]);
        let all = BTreeMap::from([
            (loud.clone(), (10..30).map(|id| standing(id, 1 << 20)).collect()),
            (quiet.clone(), (40..44).map(|id| standing(id, 1 << 20)).collect()),
        ]);
        let choice = choose(&wanted, all, &References::default());
        assert_eq!(chosen(&choice, &loud).len(), 4);
        assert_eq!(chosen(&choice, &quiet), [40, 41, 42, 43]);
    }

    #[test]
    fn a_list_that_many_topics_repeat_counts_as_often() {
        let records = source(TENANT, "a");
        let wanted = BTreeMap::from([(records.clone(), 10_000)]);
        let all = BTreeMap::from([(records.clone(), (0..1_000).map(|id| standing(id, 1)).collect())]);
        let choice = choose(&wanted, all, &References::default());
        let sent = chosen(&choice, &records).len();
        assert!(sent * 10_000 * ID_BYTES <= TENANT_BYTES && sent > 10, "{sent}");
    }
}
