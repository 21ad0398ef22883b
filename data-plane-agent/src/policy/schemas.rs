//! The schemas of admitted topics: those of the wish, and those that topics need which kept their last accepted contract.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{DesiredState, Schema, Topic};

/// What the wish brings and, of what was held, what an admitted topic still needs. Under its id a schema never changes.
pub(super) fn schemas(before: &DesiredState, wish: &DesiredState, admitted: &[Topic]) -> Vec<Schema> {
    let held: BTreeMap<&str, &Schema> = before.schemas.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut known: BTreeSet<&str> = wish.schemas.iter().map(|it| it.id.as_str()).collect();
    let contracts = admitted
        .iter()
        .filter(|it| !it.deleted)
        .filter_map(|it| it.contract.as_ref());
    let parts = contracts.flat_map(|it| it.key.iter().chain(&it.value));
    let mut wanted: Vec<&str> = parts
        .flat_map(|it| {
            it.schema_ids
                .iter()
                .chain(std::iter::once(&it.unframed_schema_id))
        })
        .map(String::as_str)
        .collect();
    // What wished schemas refer to may be held only if the wish forgot it; it is looked at all the same.
    wanted.extend(
        wish.schemas
            .iter()
            .flat_map(|it| &it.references)
            .map(|it| it.id.as_str()),
    );
    let mut all = wish.schemas.clone();
    while let Some(id) = wanted.pop() {
        if known.contains(id) {
            continue;
        }
        let Some(schema) = held.get(id) else { continue };
        known.insert(&schema.id);
        wanted.extend(schema.references.iter().map(|it| it.id.as_str()));
        all.push((*schema).clone());
    }
    if all.len() > wish.schemas.len() {
        all.sort_by(|a, b| a.id.cmp(&b.id));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policy, admit};
    use weir_proto::agent::v1::{Config, PartContract, SchemaReference, TopicContract};

    fn schema(id: &str, references: &[&str]) -> Schema {
        Schema {
            id: id.to_owned(),
            references: references
                .iter()
                .map(|it| SchemaReference {
                    name: (*it).to_owned(),
                    id: (*it).to_owned(),
                })
                .collect(),
            ..Schema::default()
        }
    }

    fn topic(id: &str, retention: &str, schema: &str) -> Topic {
        Topic {
            id: id.to_owned(),
            name: id.to_owned(),
            configs: vec![Config {
                name: "retention.ms".to_owned(),
                value: retention.to_owned(),
            }],
            contract: Some(TopicContract {
                value: Some(PartContract {
                    schema_ids: vec![schema.to_owned()],
                    ..PartContract::default()
                }),
                ..TopicContract::default()
            }),
            ..Topic::default()
        }
    }

    fn state(topics: Vec<Topic>, schemas: Vec<Schema>) -> DesiredState {
        DesiredState {
            topics,
            schemas,
            ..DesiredState::default()
        }
    }

    fn ids(state: &DesiredState) -> Vec<&str> {
        state.schemas.iter().map(|it| it.id.as_str()).collect()
    }

    #[test]
    fn a_topic_whose_change_was_refused_keeps_its_contract_with_all_that_it_needs() {
        let before = state(
            vec![topic("a", "1", "s1"), topic("b", "1", "s4")],
            vec![
                schema("s1", &["s2"]),
                schema("s2", &["s3"]),
                schema("s3", &[]),
                schema("s4", &[]),
            ],
        );
        let wish = state(
            vec![topic("a", "2", "s5"), topic("b", "1", "s6")],
            vec![schema("s5", &[]), schema("s6", &[])],
        );
        let refusing = Policy::parse("refuse = [\"topic.configs\"]").unwrap();
        let admitted = admit(&before, &wish, &refusing);
        assert_eq!(admitted.state.topics[0], before.topics[0]);
        assert_eq!(admitted.state.topics[1], wish.topics[1]);
        assert_eq!(
            ids(&admitted.state),
            ["s1", "s2", "s3", "s5", "s6"],
            "s4 is needed no longer"
        );
        let again = admit(&admitted.state, &wish, &refusing);
        assert_eq!(again.state, admitted.state);
        let free = admit(&admitted.state, &wish, &Policy::default());
        assert_eq!(free.state, wish);
    }

    #[test]
    fn a_topic_that_the_wish_does_not_name_keeps_its_contract() {
        let before = state(vec![topic("a", "1", "s1")], vec![schema("s1", &[])]);
        let admitted = admit(&before, &state(Vec::new(), Vec::new()), &Policy::default());
        assert_eq!(admitted.state, before);
    }

    #[test]
    fn schemas_that_refer_to_one_another_end() {
        let before = state(
            vec![topic("a", "1", "s1")],
            vec![schema("s1", &["s2"]), schema("s2", &["s1", "s9"])],
        );
        let admitted = admit(&before, &state(Vec::new(), Vec::new()), &Policy::default());
        assert_eq!(ids(&admitted.state), ["s1", "s2"]);
    }
}
