//! Classic groups: joining and assigning, with the topic names inside the members' metadata mapped.
//!
//! The broker reads the subscriptions to decide which committed offsets of a group may expire, so they must name what
//! the broker knows. Assignments are mapped alike, so that both speak of the same topics wherever they are shown.
//! Metadata of other protocols (Connect, Schema Registry, ..) is opaque to the broker and passes as it is.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Call, Operation, Plan, Refusal, Tenant, code};

/// The protocol type of consumers.
pub(super) const CONSUMER: &str = "consumer";

pub(super) fn join(call: Call<'_>, mut request: JoinGroupRequest) -> Result<Plan, Refusal> {
    if !call.tenant.may_coordinate(Operation::Read, &request.group_id) {
        let response = JoinGroupResponse::default()
            .with_error_code(code::GROUP_AUTHORIZATION_FAILED)
            .with_generation_id(-1)
            .with_protocol_name((call.header.version < 7).then(StrBytes::default));
        return call.answer::<JoinGroupRequest>(&response);
    }
    request.group_id = call.tenant.cluster.id_out(&request.group_id).into();
    let consumer = request.protocol_type.as_str() == CONSUMER;
    if consumer {
        for protocol in &mut request.protocols {
            protocol.metadata = map(&protocol.metadata, Part::Subscription, |it| {
                call.tenant.cluster.subscription_out(it)
            });
        }
    }
    call.forward(&request, move |tenant, _memory, response| {
        if consumer {
            for member in &mut response.members {
                member.metadata = metadata_in(tenant, &member.metadata);
            }
        }
    })
}

pub(super) fn sync(call: Call<'_>, mut request: SyncGroupRequest) -> Result<Plan, Refusal> {
    if !call.tenant.may_coordinate(Operation::Read, &request.group_id) {
        let response = SyncGroupResponse::default().with_error_code(code::GROUP_AUTHORIZATION_FAILED);
        return call.answer::<SyncGroupRequest>(&response);
    }
    request.group_id = call.tenant.cluster.id_out(&request.group_id).into();
    // Before version 5 the request does not tell its protocol; what does not read as an assignment stays as it is.
    let consumer = request
        .protocol_type
        .as_ref()
        .is_none_or(|it| it.as_str() == CONSUMER);
    if consumer {
        for member in &mut request.assignments {
            member.assignment = map(&member.assignment, Part::Assignment, |it| {
                call.tenant.cluster.subscription_out(it)
            });
        }
    }
    call.forward(&request, move |tenant, _memory, response| {
        if consumer {
            response.assignment = assignment_in(tenant, &response.assignment);
        }
    })
}

/// A member's subscription as clients know it.
pub(super) fn metadata_in(tenant: &Tenant, metadata: &Bytes) -> Bytes {
    map(metadata, Part::Subscription, |it| {
        tenant.cluster.subscription_in(it)
    })
}

/// A member's assignment as clients know it.
pub(super) fn assignment_in(tenant: &Tenant, assignment: &Bytes) -> Bytes {
    map(assignment, Part::Assignment, |it| {
        tenant.cluster.subscription_in(it)
    })
}

/// What mapped metadata may always grow to.
const GROWTH: usize = 1024 * 1024;

/// Which of the two structures of Kafka's consumer protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// version, topics [name], user data, from version 1: owned [name, [partition]], later fields.
    Subscription,
    /// version, assigned [name, [partition]], user data, later fields.
    Assignment,
}

/// Maps every topic name; bytes that do not read as the structure are left as they are.
fn map(bytes: &Bytes, part: Part, name: impl Fn(&StrBytes) -> StrBytes) -> Bytes {
    let mut mapper = Mapper {
        rest: bytes.clone(),
        out: BytesMut::with_capacity(bytes.len() + 64),
        limit: GROWTH.max(2 * bytes.len()),
        name,
    };
    match mapper.structure(part) {
        Some(()) => {
            mapper.out.put_slice(&mapper.rest);
            mapper.out.freeze()
        }
        None => bytes.clone(),
    }
}

struct Mapper<F> {
    rest: Bytes,
    out: BytesMut,
    limit: usize,
    name: F,
}

impl<F: Fn(&StrBytes) -> StrBytes> Mapper<F> {
    fn structure(&mut self, part: Part) -> Option<()> {
        if self.rest.is_empty() {
            return None;
        }
        let version = self.short()?;
        match part {
            Part::Subscription => {
                let topics = self.count()?;
                (0..topics).try_for_each(|_topic| self.name())?;
                self.user_data()?;
                if version >= 1 {
                    self.topic_partitions()?;
                }
            }
            Part::Assignment => {
                self.topic_partitions()?;
                self.user_data()?;
            }
        }
        Some(())
    }

    fn topic_partitions(&mut self) -> Option<()> {
        let topics = self.count()?;
        (0..topics).try_for_each(|_topic| {
            self.name()?;
            let partitions = self.count()?;
            self.copy(partitions.checked_mul(4)?)
        })
    }

    fn user_data(&mut self) -> Option<()> {
        let length = self.rest.first_chunk().map(|it| i32::from_be_bytes(*it))?;
        self.copy(4)?;
        match length {
            -1 => Some(()),
            length => self.copy(usize::try_from(length).ok()?),
        }
    }

    fn short(&mut self) -> Option<i16> {
        let value = self.rest.first_chunk().map(|it| i16::from_be_bytes(*it))?;
        self.copy(2)?;
        Some(value)
    }

    fn count(&mut self) -> Option<usize> {
        let value = self.rest.first_chunk().map(|it| i32::from_be_bytes(*it))?;
        self.copy(4)?;
        usize::try_from(value).ok()
    }

    fn name(&mut self) -> Option<()> {
        let length = self.rest.first_chunk().map(|it| i16::from_be_bytes(*it))?;
        self.rest.advance(2);
        let length = usize::try_from(length).ok()?;
        // Physical names are longer: thousands of tiny names must not grow without bound.
        if length > self.rest.len() || self.out.len() > self.limit {
            return None;
        }
        let name = StrBytes::from_utf8(self.rest.split_to(length)).ok()?;
        let mapped = (self.name)(&name);
        self.out.put_i16(i16::try_from(mapped.len()).ok()?);
        self.out.put_slice(mapped.as_bytes());
        Some(())
    }

    fn copy(&mut self, length: usize) -> Option<()> {
        if length > self.rest.len() {
            return None;
        }
        self.out.put_slice(&self.rest.split_to(length));
        Some(())
    }
}

#[cfg(test)]
#[path = "subscription_tests.rs"]
mod tests;
