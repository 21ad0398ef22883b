//! Which faults of Kafka end a worker, and how long it waits for them to pass. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;

use super::halt::HaltCode;

/// Faults of one sort that are so far apart are not one fault.
const APART: Duration = Duration::from_secs(90);

/// Faults that may pass.
#[derive(Debug, Default)]
pub struct Faults(BTreeMap<u8, (Instant, Instant)>);

/// What a fault of Kafka means; `None`: librdkafka goes on by itself.
#[must_use]
pub const fn meaning(code: Code) -> Option<HaltCode> {
    match code {
        Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownTopicOrPartition
        | Code::UnknownTopicId => Some(HaltCode::TopicMissing),
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::SaslAuthenticationFailed
        | Code::Authentication => Some(HaltCode::Unauthorized),
        // The log begins behind the place where the job was.
        Code::AutoOffsetReset | Code::OffsetOutOfRange => Some(HaltCode::DataExpired),
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::FencedInstanceId => {
            Some(HaltCode::Fenced)
        }
        Code::PollExceeded | Code::Fatal => Some(HaltCode::Kafka),
        _passing => None,
    }
}

/// How long a fault may last: what gateways and brokers do not know yet they may know soon.
const fn patience(halt: HaltCode) -> Duration {
    match halt {
        HaltCode::TopicMissing => Duration::from_secs(20),
        HaltCode::Unauthorized => Duration::from_secs(10),
        _at_once => Duration::ZERO,
    }
}

impl Faults {
    /// A fault was met; what the worker has to end for, if it has.
    pub fn meet(&mut self, code: Code, now: Instant) -> Option<HaltCode> {
        let halt = meaning(code)?;
        let (first, last) = self.0.entry(halt as u8).or_insert((now, now));
        if now.duration_since(*last) > APART {
            *first = now;
        }
        *last = now;
        (now.duration_since(*first) >= patience(halt)).then_some(halt)
    }

    /// All goes well.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_waited_for_and_what_cannot_is_not() {
        let (mut faults, now) = (Faults::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(faults.meet(Code::BrokerTransportFailure, now), None);
        assert_eq!(faults.meet(Code::TopicAuthorizationFailed, now), None);
        assert_eq!(faults.meet(Code::TopicAuthorizationFailed, at(9)), None);
        assert_eq!(
            faults.meet(Code::GroupAuthorizationFailed, at(11)),
            Some(HaltCode::Unauthorized)
        );
        assert_eq!(faults.meet(Code::UnknownTopicOrPartition, at(0)), None);
        assert_eq!(
            faults.meet(Code::UnknownTopicOrPartition, at(200)),
            None,
            "so late it is another one"
        );
        assert_eq!(
            faults.meet(Code::UnknownTopicOrPartition, at(221)),
            Some(HaltCode::TopicMissing)
        );
        assert_eq!(
            faults.meet(Code::AutoOffsetReset, now),
            Some(HaltCode::DataExpired)
        );
        faults.clear();
        assert_eq!(faults.meet(Code::TopicAuthorizationFailed, at(500)), None);
    }
}
