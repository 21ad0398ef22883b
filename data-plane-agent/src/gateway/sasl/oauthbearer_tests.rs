//! Messages as clients send them, and what a token must hold for.

use super::super::*;
use super::*;
use crate::gateway::view::tests::{A, B};
use crate::gateway::view::{View, tests as sample, token_sample};

const NOW: i64 = 1_000;

fn cluster(suffix: &str) -> String {
    format!("cluster_{suffix}")
}

fn message(token: &str, more: &str) -> Vec<u8> {
    format!("n,,\u{1}auth=Bearer {token}{more}\u{1}\u{1}").into_bytes()
}

fn token() -> String {
    token_sample::sign(&token_sample::claims("key_reader", "reader", &cluster(A), 2_000))
}

fn step(message: &[u8]) -> Option<Login> {
    let view = View::build(&sample::snapshot());
    let mut exchange = Exchange::begin("OAUTHBEARER").unwrap();
    let registry = Registry {
        view: &view,
        pepper: &Pepper::new(&[1; 32]),
        now_unix_seconds: NOW,
    };
    match exchange.step(registry, message) {
        Step::Done(login, answer) => {
            assert!(answer.is_empty());
            assert!(login.stands(&view, NOW));
            Some(login)
        }
        Step::Continue(answer) => {
            assert_eq!(answer, REFUSED, "always the same");
            for more in [&b"\x01"[..], &self::message(&token(), "")] {
                assert!(matches!(exchange.step(registry, more), Step::Failed));
            }
            None
        }
        Step::Failed => panic!("a refusal is told before it ends the exchange"),
    }
}

#[test]
fn a_good_token_opens_its_own_key_until_its_end() {
    let login = step(&message(&token(), "")).unwrap();
    assert_eq!((login.key.id.as_str(), login.ends_at()), ("key_reader", 2_000));
    // As Java and librdkafka send it, and with the name of the principal.
    for text in [
        format!("n,,\u{1}auth=Bearer {}\u{1}\u{1}", token()),
        format!("n,\u{1}auth=Bearer {}\u{1}\u{1}", token()),
        format!("n,a=reader,\u{1}auth=Bearer {}\u{1}\u{1}", token()),
        format!("n,,\u{1}traceId=1\u{1}auth=bearer {}\u{1}\u{1}", token()),
    ] {
        assert!(step(text.as_bytes()).is_some(), "{text:?}");
    }
}

#[test]
fn the_extension_names_the_tokens_own_cluster_or_fails() {
    let own = format!("\u{1}logicalCluster={}", cluster(A));
    assert!(step(&message(&token(), &own)).is_some());
    assert!(step(&message(&token(), "\u{1}logicalCluster=AAAAAAAAAAAAAAAAAAAAAA")).is_some());
    let other = format!("\u{1}logicalCluster={}", cluster(B));
    assert!(step(&message(&token(), &other)).is_none());
    assert!(step(&message(&token(), "\u{1}logicalCluster=")).is_none());
}

#[test]
fn what_is_not_a_message_is_refused() {
    let token = token();
    for text in [
        String::new(),
        "\u{1}".to_owned(),
        format!("auth=Bearer {token}"),
        format!("y,,\u{1}auth=Bearer {token}\u{1}\u{1}"),
        format!("n,,\u{1}auth=Bearer {token}\u{1}"),
        format!("n,,\u{1}auth=Basic {token}\u{1}\u{1}"),
        format!("n,a=writer,\u{1}auth=Bearer {token}\u{1}\u{1}"),
        format!("n,,\u{1}auth=Bearer {token}\u{1}auth=Bearer {token}\u{1}\u{1}"),
        "n,,\u{1}logicalCluster=x\u{1}\u{1}".to_owned(),
        "n,,\u{1}auth=Bearer \u{1}\u{1}".to_owned(),
    ] {
        assert!(step(text.as_bytes()).is_none(), "{text:?}");
    }
    assert!(step(b"n,,\x01auth=Bearer \xff\x01\x01").is_none());
}

#[test]
fn a_token_is_worth_no_more_than_its_key() {
    let good = token_sample::claims("key_reader", "reader", &cluster(A), 2_000);
    let refused = |change: &dyn Fn(&mut weir_credentials::Claims)| {
        let mut claims = good.clone();
        change(&mut claims);
        step(&message(&token_sample::sign(&claims), "")).is_none()
    };
    assert!(!refused(&|_same| {}));
    assert!(refused(&|it| it.sub = "writer".into()), "another service account");
    assert!(refused(&|it| it.client_id = "key_gone".into()), "a revoked key");
    assert!(refused(&|it| it.cluster = Some(cluster(B))), "another cluster");
    assert!(refused(&|it| it.cluster = None), "no cluster");
    assert!(refused(&|it| it.scope = "api".into()), "for the API");
    assert!(
        refused(&|it| it.aud = "weir://data-plane/other".into()),
        "for others"
    );
    assert!(refused(&|it| it.exp = NOW), "ended");
}

#[test]
fn a_login_falls_with_its_key_and_with_its_issuer_but_not_with_its_token() {
    let mut snapshot = sample::snapshot();
    let login = step(&message(&token(), "")).unwrap();
    assert!(login.stands(&View::build(&snapshot), 5_000), "it logs in again");
    let issuers = std::mem::take(&mut snapshot.token_issuers);
    assert!(!login.stands(&View::build(&snapshot), NOW));
    snapshot.token_issuers = issuers;
    snapshot.api_keys.retain(|it| it.id != "key_reader");
    assert!(!login.stands(&View::build(&snapshot), NOW));
}

#[test]
fn no_token_opens_the_key_of_a_job() {
    let mut snapshot = sample::snapshot();
    assert!(View::build(&snapshot).token(&token(), NOW).is_some());
    snapshot.job_keys.push("key_reader".to_owned());
    assert!(View::build(&snapshot).token(&token(), NOW).is_none());
}
