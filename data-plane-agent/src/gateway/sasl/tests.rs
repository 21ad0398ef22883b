//! PLAIN, and the choice of mechanism.

use super::*;
use crate::gateway::view::tests as sample;

fn plain(token: &[u8], now_unix_seconds: i64) -> Option<String> {
    let mut snapshot = sample::snapshot();
    snapshot.api_keys[1].expires_at_unix_seconds = 100;
    let view = View::build(&snapshot);
    let registry = Registry {
        view: &view,
        pepper: &Pepper::new(&[1; 32]),
        now_unix_seconds,
    };
    match Exchange::begin("PLAIN").unwrap().step(registry, token) {
        Step::Done(login, answer) => {
            assert!(answer.is_empty());
            Some(login.key.id.clone())
        }
        Step::Failed => None,
        Step::Continue(_) => panic!("PLAIN has one step"),
    }
}

#[test]
fn the_right_secret_opens_its_own_key_only() {
    // The samples' secrets are their own ids.
    assert_eq!(
        plain(b"\0key_reader\0key_reader", 0).as_deref(),
        Some("key_reader")
    );
    assert_eq!(
        plain(b"key_reader\0key_reader\0key_reader", 0).as_deref(),
        Some("key_reader")
    );
    for wrong in [
        &b"\0key_reader\0key_writer"[..],
        b"\0key_reader\0",
        b"\0\0key_reader",
        b"key_writer\0key_reader\0key_reader",
        b"\0key_nobody\0key_nobody",
        b"\0key_reader\0key_reader\0",
        b"key_reader",
        b"",
        b"\0\xff\0x",
    ] {
        assert_eq!(plain(wrong, 0), None);
    }
}

#[test]
fn an_expired_key_fails() {
    assert!(plain(b"\0key_writer\0key_writer", 99).is_some());
    assert!(plain(b"\0key_writer\0key_writer", 100).is_none());
}

#[test]
fn only_the_offered_mechanisms_begin() {
    for mechanism in MECHANISMS {
        let exchange = Exchange::begin(mechanism).unwrap();
        assert_eq!(exchange.mechanism(), mechanism);
    }
    for mechanism in ["GSSAPI", "oauthbearer", "plain", ""] {
        assert!(Exchange::begin(mechanism).is_none());
    }
}
