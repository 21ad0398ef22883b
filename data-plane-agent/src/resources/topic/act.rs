//! Does what the difference asks for, after the customer's last word.

use std::io;

use weir_proto::agent::v1::{Reason, Topic};

use super::{Action, Records};
use crate::platform::kafka::{Kafka, KafkaError, PoolAddress};
use crate::policy::{Kind, Policy};

/// What became of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It is done.
    Yes,
    /// A later turn may.
    Later,
    /// It was refused or failed, for this reason.
    No(Reason),
    /// The customer's policy forbids it.
    Forbidden,
}

/// Takes one action.
///
/// # Errors
/// Only when the agent's own records cannot be written; what Kafka says becomes a [`Done::No`].
pub async fn act(
    action: &Action,
    topic: &Topic,
    policy: &Policy,
    kafka: &dyn Kafka,
    at: &PoolAddress,
    records: &mut Records,
) -> io::Result<Done> {
    if let Some(kind) = kind(action)
        && !policy.allows(kind, &topic.name)
    {
        return Ok(Done::Forbidden);
    }
    let name = topic.physical_name.as_str();
    let asked = match action {
        Action::Create(new) => {
            records.begin(&topic.id)?;
            match kafka.create_topic(at, new).await {
                Ok(id) => {
                    records.bind(&topic.id, id)?;
                    records.settle(&topic.id)?;
                    Ok(())
                }
                Err(error @ KafkaError::Refused(_code)) => {
                    records.settle(&topic.id)?;
                    Err(error)
                }
                Err(error) => Err(error),
            }
        }
        Action::Adopt(id) => {
            records.bind(&topic.id, *id)?;
            records.settle(&topic.id)?;
            Ok(())
        }
        Action::Grow(partitions) => kafka.create_partitions(at, name, *partitions).await,
        Action::Configure { set, remove } => kafka.alter_configs(at, name, set, remove).await,
        Action::Destroy(id) => match kafka.delete_topic(at, *id).await {
            Ok(()) => {
                records.bury(&topic.id)?;
                Ok(())
            }
            Err(error) => Err(error),
        },
        Action::Bury => {
            records.bury(&topic.id)?;
            Ok(())
        }
        Action::Wait => return Ok(Done::Later),
        Action::Refuse(reason) => return Ok(Done::No(*reason)),
    };
    Ok(match asked {
        Ok(()) => Done::Yes,
        Err(error) => {
            tracing::warn!(%error, topic = topic.id, "Kafka did not do what was asked");
            Done::No(reason(error))
        }
    })
}

/// The reason code for an error of Kafka's. Its words stay here.
#[must_use]
pub fn reason(error: KafkaError) -> Reason {
    match error {
        KafkaError::Unreachable => Reason::KafkaUnreachable,
        KafkaError::Login | KafkaError::Stranger => Reason::CredentialRefused,
        KafkaError::Refused(_code) => Reason::KafkaRefused,
    }
}

fn kind(action: &Action) -> Option<Kind> {
    match action {
        Action::Create(_) => Some(Kind::TopicCreate),
        Action::Grow(_) => Some(Kind::TopicPartitions),
        Action::Configure { .. } => Some(Kind::TopicConfigs),
        Action::Destroy(_) => Some(Kind::TopicDelete),
        Action::Adopt(_) | Action::Bury | Action::Wait | Action::Refuse(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::FakeKafka;

    #[tokio::test]
    async fn the_policy_has_the_last_word_before_kafka_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = Records::open(folder.path()).unwrap();
        let kafka = FakeKafka::default();
        let at = PoolAddress {
            pool_id: "pool_1".to_owned(),
            ..PoolAddress::default()
        };
        let policy = Policy::parse("refuse = [\"topic.delete\"]").unwrap();
        let topic = Topic {
            id: "topic_1".to_owned(),
            name: "orders".to_owned(),
            ..Default::default()
        };
        let destroy = Action::Destroy([1; 16]);
        let done = act(&destroy, &topic, &policy, &kafka, &at, &mut records).await;
        assert_eq!(done.unwrap(), Done::Forbidden);
        assert!(kafka.log().is_empty(), "Kafka was not asked");
        let done = act(&destroy, &topic, &Policy::default(), &kafka, &at, &mut records).await;
        assert_eq!(done.unwrap(), Done::Yes);
        assert!(records.get("topic_1").unwrap().buried);
    }
}
