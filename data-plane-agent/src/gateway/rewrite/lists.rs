//! Lists of topics in requests and answers: names out, names in, what may not be seen left out.

use kafka_protocol::messages::TopicName;

use super::Tenant;
use crate::gateway::view::Operation;

/// Maps the names of the topics that pass, and takes out those that do not, each with its error.
pub(super) fn split_topics<T>(
    tenant: &Tenant,
    operation: Operation,
    topics: &mut Vec<T>,
    name: fn(&mut T) -> &mut TopicName,
) -> Vec<(T, i16)> {
    let mut denied = Vec::new();
    let mut passed = Vec::with_capacity(topics.len());
    for mut topic in topics.drain(..) {
        match tenant.topic(operation, name(&mut topic)) {
            Ok(found) => {
                *name(&mut topic) = found.physical_name.clone().into();
                passed.push(topic);
            }
            Err(code) => denied.push((topic, code)),
        }
    }
    *topics = passed;
    denied
}

/// Maps the names of an answer's topics back, and drops those that are not this tenant's to see.
pub(super) fn topics_in<T>(tenant: &Tenant, topics: &mut Vec<T>, name: fn(&mut T) -> &mut TopicName) {
    topics.retain_mut(|topic| {
        let name = name(topic);
        match tenant.shown(name) {
            Some(found) => {
                *name = found.name.clone().into();
                true
            }
            None => false,
        }
    });
}
