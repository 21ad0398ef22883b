//! What is shown of records' keys: they often are what a mask is to hide.

use weir_proto::agent::v1::MountKeys;
use weir_proto::lane::v1::LogicalTopic;

use super::tests::{lens, read, sent, shown, sight};
use super::*;
use crate::gateway::contract::samples::{self, Sample};
use crate::gateway::contract::unpack::Codec;

const MASK: &str = r#"[{"mask":{"fields":["card"],"how":"REDACT"}}]"#;
const FILTER: &str = r#"[{"filter":{"where":"message.amount > 100"}}]"#;
const CARD: &str = "4000-0001";

fn keyed(steps: &str, keys: MountKeys) -> LogicalTopic {
    let mut topic = shown(steps);
    if let Some(mount) = &mut topic.mount {
        mount.keys = keys.into();
    }
    topic
}

/// Key and names of headers of what a consumer is sent of three records by two cards.
fn keys(topic: &LogicalTopic) -> Vec<(Option<String>, usize)> {
    let value = format!(r#"{{"card":"{CARD}","amount":500}}"#);
    let paid = |key: Option<&str>| {
        Sample::of(key.map(str::as_bytes), Some(value.as_bytes())).with(&[("card", Some(CARD.as_bytes()))])
    };
    let records = [
        paid(Some(CARD)),
        paid(Some("4000-0002")),
        paid(Some(CARD)),
        paid(None),
    ];
    let got = sent(&lens(topic), &samples::batch(Codec::Lz4, &records));
    read(&got)
        .into_iter()
        .map(|(_at, _time, key, _value, headers)| (key, headers.len()))
        .collect()
}

#[test]
fn keys_are_hashed_where_something_is_masked_unless_told() {
    let got = keys(&keyed(MASK, MountKeys::Unspecified));
    let key = |at: usize| got[at].0.clone().unwrap();
    assert_eq!(key(0), key(2), "equal keys stay equal");
    assert!(key(0) != key(1) && key(0).len() == 64 && !key(0).contains(CARD));
    assert_eq!(got[3], (None, 0), "no key stays none");
    let shown = keys(&keyed(MASK, MountKeys::Shown));
    assert_eq!(shown[0].0.as_deref(), Some(CARD));
    let withheld = keys(&keyed(MASK, MountKeys::Withheld));
    assert!(withheld.iter().all(|(key, _headers)| key.is_none()));
}

#[test]
fn a_filter_alone_hides_no_key_but_hides_it_where_told_with_all_headers() {
    let open = keys(&keyed(FILTER, MountKeys::Unspecified));
    assert_eq!(open[0], (Some(CARD.to_owned()), 1));
    for steps in [FILTER, ""] {
        let hashed = keys(&keyed(steps, MountKeys::Hashed));
        assert!(hashed[0].0.as_deref().is_some_and(|it| it.len() == 64), "{steps}");
        assert_eq!(hashed[0].1, 0, "{steps}: headers repeat keys");
    }
}

#[test]
fn another_share_has_other_hashes_and_without_a_key_it_is_closed() {
    let one = keyed(MASK, MountKeys::Unspecified);
    let mut other = one.clone();
    other.mount_key = vec![8; 32];
    assert_ne!(keys(&one)[0], keys(&other)[0]);
    other.mount_key.clear();
    assert_eq!(sight(&other, Vec::new()), Sight::Closed);
}
