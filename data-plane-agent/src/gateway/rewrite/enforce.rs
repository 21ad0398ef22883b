//! Contracts and encryption in the produce path: records are judged and encrypted after access and names, and before anything
//! is noted or forwarded.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::protocol::StrBytes;
use weir_kafka_wire::header::RequestHeader;

use super::produce::{BY_ID, Sorted, pass};
use super::{Call, Operation, Plan, Refusal, Tenant, code};
use crate::gateway::contract::{Barred, Ended, Pace, Part, Progress, Refused, Work};
use crate::gateway::view::{Access, Cluster, Topic};

/// What is judged or encrypted of a topic's data.
pub(super) fn parts<'a>(
    topic: &'a Topic,
    slot: usize,
    data: &'a TopicProduceData,
) -> impl Iterator<Item = Part> + 'a {
    data.partition_data.iter().map(move |partition| Part {
        topic: Arc::clone(&topic.id),
        contract: topic.contract.clone(),
        ring: topic.ring.clone().filter(|_ring| topic.encrypts()),
        slot,
        partition: partition.index,
        records: partition.records.clone().unwrap_or_default(),
    })
}

/// Judges a request: between other clients if that is quick, else beside them.
pub(super) fn judge(call: Call<'_>, request: ProduceRequest, mut sorted: Sorted) -> Result<Plan, Refusal> {
    let tenant = call.tenant;
    let parts = std::mem::take(&mut sorted.judged);
    let work = Work::new(
        parts,
        Arc::clone(&tenant.payer.principal),
        Arc::clone(&tenant.contracts),
    );
    let mut judging = Judging {
        work,
        rest: Rest {
            header: call.header.clone(),
            request,
            sorted,
            cluster: Arc::clone(&tenant.cluster),
            access: Arc::clone(&tenant.access),
        },
    };
    if judging.work.is_quick() && judging.work.run(&Pace::at_once()) == Progress::Done {
        return judging.finish(tenant);
    }
    Ok(Plan::Judge(Box::new(judging)))
}

/// A request whose records are not judged to the end.
pub struct Judging {
    work: Work,
    rest: Rest,
}

/// The request meanwhile.
struct Rest {
    header: RequestHeader,
    request: ProduceRequest,
    sorted: Sorted,
    cluster: Arc<Cluster>,
    access: Arc<Access>,
}

impl Judging {
    /// Judges on, until the end or until nobody waits for it. Long.
    pub fn run(&mut self, stopped: &dyn Fn() -> bool) {
        // Stopped: it is not planned on.
        let _progress = self.work.run(&Pace::aside(stopped));
    }

    /// Plans the request with what was found, by the tenant as it is now.
    ///
    /// # Errors
    /// [`Refusal`]: the connection must end.
    pub fn finish(self, tenant: &Tenant) -> Result<Plan, Refusal> {
        let Self { work, mut rest } = self;
        let by_id = rest.header.version >= BY_ID;
        for ended in work.finish() {
            rest.apply(ended, by_id);
        }
        if !(Arc::ptr_eq(&rest.cluster, &tenant.cluster) && Arc::ptr_eq(&rest.access, &tenant.access)) {
            rest.look_again(tenant, by_id);
        }
        rest.drop_empty();
        let call = Call {
            tenant,
            header: &rest.header,
        };
        pass(call, &rest.request, rest.sorted)
    }
}

impl Rest {
    fn apply(&mut self, ended: Ended, by_id: bool) {
        let Ended {
            part,
            refused,
            marked,
        } = ended;
        let Some(refused) = refused else {
            return self.mark(&part, marked);
        };
        let Some(topic) = self.sorted.topics.get(part.slot).map(Arc::clone) else {
            return;
        };
        let answer = PartitionProduceResponse::default()
            .with_index(part.partition)
            .with_base_offset(-1);
        let answer = match refused {
            Refused::Corrupt => answer.with_error_code(code::CORRUPT_MESSAGE),
            Refused::Barred(barred) => in_clear(answer, &topic, barred),
            Refused::Violations {
                violating,
                judged,
                told,
            } => violations(answer, &topic, (violating, judged), &told),
        };
        self.refuse(part.slot, &topic, part.partition, answer, by_id);
    }

    /// Puts marked batches in the place of those that came. Metered is what the producer sent.
    fn mark(&mut self, part: &Part, marked: Option<Bytes>) {
        let Some(marked) = marked else { return };
        let came = |it: &&mut PartitionProduceData| {
            let records = it.records.as_ref();
            records.is_some_and(|records| records.as_ptr() == part.records.as_ptr())
        };
        let data = self.request.topic_data.get_mut(part.slot);
        if let Some(data) = data.and_then(|it| it.partition_data.iter_mut().find(came)) {
            data.records = Some(marked);
        }
    }

    /// Takes a partition out of what passes.
    fn refuse(
        &mut self,
        slot: usize,
        topic: &Arc<Topic>,
        partition: i32,
        answer: PartitionProduceResponse,
        by_id: bool,
    ) {
        if let Some(data) = self.request.topic_data.get_mut(slot) {
            data.partition_data.retain(|it| it.index != partition);
        }
        self.sorted
            .batches
            .retain(|it| it.partition != partition || it.topic != topic.id);
        // Under the name or id that the client used.
        let refused = TopicProduceResponse::default().with_partition_responses(vec![answer]);
        self.sorted.refused.push(if by_id {
            refused.with_topic_id(topic.virtual_id)
        } else {
            refused.with_name(topic.name.clone().into())
        });
    }

    /// The snapshot changed while records were judged: what was taken away since does not pass.
    fn look_again(&mut self, tenant: &Tenant, by_id: bool) {
        let may_use_transaction = self.request.transactional_id.as_ref().is_none_or(|physical| {
            let logical = tenant.cluster.id_in(physical);
            logical.is_some_and(|it| tenant.may_coordinate(Operation::Write, &it))
        });
        for (slot, topic) in self.sorted.topics.clone().iter().enumerate() {
            let code = match tenant.topic_by_id(Operation::Write, topic.virtual_id) {
                // It was read before its values had to be encrypted: it is sent again.
                Ok(now) if now.encrypts() && !topic.encrypts() => code::NOT_ENOUGH_REPLICAS,
                Ok(now) if now.physical_name != topic.physical_name => code::UNKNOWN_TOPIC_OR_PARTITION,
                Ok(_same) if may_use_transaction => continue,
                Ok(_same) => code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
                Err(code::UNKNOWN_TOPIC_ID) if !by_id => code::UNKNOWN_TOPIC_OR_PARTITION,
                Err(code) => code,
            };
            let data = self.request.topic_data.get(slot);
            let partitions: Vec<i32> = data
                .iter()
                .flat_map(|it| &it.partition_data)
                .map(|it| it.index)
                .collect();
            for partition in partitions {
                let answer = PartitionProduceResponse::default()
                    .with_index(partition)
                    .with_error_code(code)
                    .with_base_offset(-1);
                self.refuse(slot, topic, partition, answer, by_id);
            }
        }
    }

    fn drop_empty(&mut self) {
        let empty = |it: &TopicProduceData| it.partition_data.is_empty();
        let gone: Vec<bool> = self.request.topic_data.iter().map(empty).collect();
        self.request.topic_data.retain(|it| !empty(it));
        let mut at = gone.iter();
        self.sorted
            .topics
            .retain(|_topic| !at.next().copied().unwrap_or(false));
    }
}

/// What has to be encrypted and cannot be does not pass. Clients send again what is answered NOT_ENOUGH_REPLICAS, and give up at
/// once what is answered POLICY_VIOLATION.
fn in_clear(answer: PartitionProduceResponse, topic: &Topic, barred: Barred) -> PartitionProduceResponse {
    let name = topic.name.as_str();
    let (code, text) = match barred {
        Barred::NotYet => (
            code::NOT_ENOUGH_REPLICAS,
            format!("What is written to {name} is encrypted, and its key is not here yet."),
        ),
        Barred::Never => (
            code::POLICY_VIOLATION,
            format!("What is written to {name} is encrypted, and its key was destroyed."),
        ),
        Barred::Unreadable => (
            code::INVALID_RECORD,
            format!("What is written to {name} is encrypted, and this batch cannot be read."),
        ),
    };
    answer
        .with_error_code(code)
        .with_error_message(Some(StrBytes::from_string(text)))
}

/// Kafka's own answer to records that a broker cannot take (KIP-467): which of them, and why. Not tried again by clients.
fn violations(
    answer: PartitionProduceResponse,
    topic: &Topic,
    (violating, judged): (u64, u64),
    told: &[(i32, String)],
) -> PartitionProduceResponse {
    let first = told
        .first()
        .map_or_else(String::new, |(at, reason)| format!(" Record {at}: {reason}."));
    let text = format!(
        "{violating} of {judged} records break the contract of topic {}.{first}",
        topic.name.as_str()
    );
    let errors = told.iter().map(|(at, reason)| {
        BatchIndexAndErrorMessage::default()
            .with_batch_index(*at)
            .with_batch_index_error_message(Some(StrBytes::from_string(reason.clone())))
    });
    answer
        .with_error_code(code::INVALID_RECORD)
        .with_error_message(Some(StrBytes::from_string(text)))
        .with_record_errors(errors.collect())
}
