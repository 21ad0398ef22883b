//! A topic that shows another tenant's: what the agent is told of its share.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;
use weir_proto::agent::v1::{EncryptedValues, Mount, MountEncryption, MountKeys};

use super::build::type_id;
use crate::kernel::kind;
use crate::resources::share::SharedKeys;

/// A mount's part of a topic's row.
#[derive(Debug)]
pub(in crate::link) struct MountRow {
    pub(in crate::link) share_id: Uuid,
    pub(in crate::link) topic_id: Uuid,
    pub(in crate::link) starts_at: Option<DateTime<Utc>>,
    pub(in crate::link) expires_at: Option<DateTime<Utc>>,
    pub(in crate::link) from_unix_ms: i64,
    pub(in crate::link) steps: Vec<Value>,
    pub(in crate::link) keys: Option<SharedKeys>,
    pub(in crate::link) fetch_bytes_per_second: i64,
    pub(in crate::link) encryption: Option<EncryptionRow>,
}

/// Who encrypts a share, and for whom.
#[derive(Debug)]
pub(in crate::link) struct EncryptionRow {
    pub(in crate::link) key_generation: i64,
    pub(in crate::link) provider: Uuid,
    pub(in crate::link) consumer: Uuid,
}

pub(super) fn mount(row: MountRow) -> Mount {
    let MountRow {
        share_id,
        topic_id,
        starts_at,
        expires_at,
        from_unix_ms,
        steps,
        keys,
        fetch_bytes_per_second,
        encryption,
    } = row;
    Mount {
        share_id: type_id::<kind::Share>(share_id),
        topic_id: type_id::<kind::Topic>(topic_id),
        // The end counts from its second on: never later than it was said.
        expires_at_unix_seconds: expires_at.map_or(0, |at| at.timestamp()),
        starts_at_unix_seconds: starts_at.map_or(0, |at| at.timestamp()),
        from_unix_ms,
        view_steps_json: if steps.is_empty() {
            String::new()
        } else {
            Value::Array(steps).to_string()
        },
        fetch_bytes_per_second: fetch_bytes_per_second.cast_unsigned(),
        derived: Vec::new(),
        keys: keys_of(keys).into(),
        encryption: encryption.map(encrypted),
    }
}

fn encrypted(row: EncryptionRow) -> MountEncryption {
    MountEncryption {
        values: EncryptedValues::Whole.into(),
        key_generation: row.key_generation.cast_unsigned(),
        provider_tenant_id: type_id::<kind::Tenant>(row.provider),
        consumer_tenant_id: type_id::<kind::Tenant>(row.consumer),
    }
}

/// What is not said is the gateway's to know: by what the steps take away.
const fn keys_of(stored: Option<SharedKeys>) -> MountKeys {
    match stored {
        None => MountKeys::Unspecified,
        Some(SharedKeys::Shown) => MountKeys::Shown,
        Some(SharedKeys::Hashed) => MountKeys::Hashed,
        Some(SharedKeys::Withheld) => MountKeys::Withheld,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_share_is_told_by_its_ids_bounds_and_steps() {
        let row = MountRow {
            share_id: Uuid::from_u128(1),
            topic_id: Uuid::from_u128(2),
            starts_at: None,
            expires_at: Some("2026-11-22T10:00:00.9Z".parse().unwrap()),
            from_unix_ms: 7,
            steps: vec![json!({"filter": {"where": "message.amount > 100"}})],
            keys: Some(SharedKeys::Withheld),
            fetch_bytes_per_second: 1000,
            encryption: Some(EncryptionRow {
                key_generation: 3,
                provider: Uuid::from_u128(4),
                consumer: Uuid::from_u128(5),
            }),
        };
        let told = mount(row);
        assert_eq!(told.share_id, "share_00000000000000000000000001");
        assert_eq!(told.topic_id, "topic_00000000000000000000000002");
        assert_eq!(
            (told.starts_at_unix_seconds, told.expires_at_unix_seconds),
            (0, 1_795_341_600)
        );
        assert_eq!(
            told.view_steps_json,
            r#"[{"filter":{"where":"message.amount > 100"}}]"#
        );
        assert_eq!(told.keys(), MountKeys::Withheld);
        let encryption = told.encryption.unwrap();
        assert_eq!(encryption.values(), EncryptedValues::Whole);
        assert_eq!(encryption.key_generation, 3);
        assert_eq!(
            [encryption.provider_tenant_id, encryption.consumer_tenant_id],
            [
                "tenant_00000000000000000000000004",
                "tenant_00000000000000000000000005"
            ]
        );
        assert_eq!((told.from_unix_ms, told.fetch_bytes_per_second), (7, 1000));
    }
}
