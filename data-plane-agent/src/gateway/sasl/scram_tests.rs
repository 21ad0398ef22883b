//! The exchange of RFC 7677, and its refusals.

use super::*;
use crate::gateway::view::{View, tests as sample};
use weir_proto::agent::v1::Scram;

/// A view whose user "user" has the password "pencil" of RFC 7677.
fn view() -> View {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let derived = |mechanism| {
        let it = ScramVerifier::with_salt(mechanism, "pencil", salt.clone(), SCRAM_ITERATIONS);
        Some(Scram {
            salt: it.salt,
            iterations: it.iterations.get(),
            stored_key: it.stored_key,
            server_key: it.server_key,
        })
    };
    let mut snapshot = sample::snapshot();
    snapshot.api_keys[0].id = "user".to_owned();
    snapshot.api_keys[0].scram_sha_256 = derived(Mechanism::Sha256);
    snapshot.api_keys[0].scram_sha_512 = derived(Mechanism::Sha512);
    View::build(&snapshot)
}

fn registry<'a>(view: &'a View, pepper: &'a Pepper) -> Registry<'a> {
    Registry {
        view,
        pepper,
        now_unix_seconds: 0,
    }
}

const CLIENT_FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const CLIENT_FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
    p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

#[test]
fn the_exchange_of_rfc_7677_succeeds() {
    let (view, pepper) = (view(), Pepper::new(&[7; 32]));
    let mut server = Server::new(Mechanism::Sha256);
    let challenge = server
        .first(registry(&view, &pepper), CLIENT_FIRST, NONCE)
        .unwrap();
    assert_eq!(
        &challenge[..],
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let Step::Done(login, answer) = server.step(registry(&view, &pepper), CLIENT_FINAL.as_bytes()) else {
        panic!("the proof is right");
    };
    assert_eq!(login.key.id, "user");
    assert_eq!(&answer[..], b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

#[test]
fn a_wrong_proof_nonce_or_binding_fails_and_so_does_a_second_try() {
    let (view, pepper) = (view(), Pepper::new(&[7; 32]));
    for (from, to) in [
        ("p=dH", "p=dI"),
        ("NEkqO%", "NEkqP%"),
        ("c=biws", "c=eSws"),
        (",p=", ",q="),
        ("ndVQ=", ""),
    ] {
        let mut server = Server::new(Mechanism::Sha256);
        server
            .first(registry(&view, &pepper), CLIENT_FIRST, NONCE)
            .unwrap();
        let wrong = CLIENT_FINAL.replace(from, to);
        assert!(
            matches!(
                server.step(registry(&view, &pepper), wrong.as_bytes()),
                Step::Failed
            ),
            "{wrong}"
        );
        assert!(!matches!(
            server.step(registry(&view, &pepper), CLIENT_FINAL.as_bytes()),
            Step::Done(..)
        ));
    }
}

#[test]
fn a_key_that_expired_or_went_between_the_messages_fails() {
    let (view, pepper) = (view(), Pepper::new(&[7; 32]));
    let mut server = Server::new(Mechanism::Sha256);
    server
        .first(registry(&view, &pepper), CLIENT_FIRST, NONCE)
        .unwrap();
    let without = View::build(&sample::snapshot());
    assert!(matches!(
        server.step(registry(&without, &pepper), CLIENT_FINAL.as_bytes()),
        Step::Failed
    ));
}

#[test]
fn an_unknown_user_gets_the_same_challenge_each_time_and_never_enters() {
    let (view, pepper) = (view(), Pepper::new(&[7; 32]));
    let ask = |user: &str| {
        let mut server = Server::new(Mechanism::Sha512);
        let first = format!("n,,n={user},r=abc");
        let challenge = server.first(registry(&view, &pepper), &first, "xyz").unwrap();
        let last = "c=biws,r=abcxyz,p=".to_owned() + &STANDARD.encode([0; 64]);
        assert!(matches!(
            server.step(registry(&view, &pepper), last.as_bytes()),
            Step::Failed
        ));
        challenge
    };
    assert_eq!(ask("nobody"), ask("nobody"));
    assert_ne!(ask("nobody"), ask("somebody"));
    // As long as a known user's: salt of 16 bytes, the same rounds.
    assert_eq!(ask("nobody").len(), ask("user").len());
}

#[test]
fn first_messages_are_read_strictly() {
    let first = ClientFirst::parse("n,a=a=2Cb=3D,n=a=2Cb=3D,r=x,").unwrap();
    assert_eq!((first.user.as_str(), first.nonce), ("a,b=", "x"));
    assert_eq!(first.header, "n,a=a=2Cb=3D,");
    for wrong in [
        "",
        "n",
        "p=tls-unique,,n=a,r=b",
        "n,a=other,n=a,r=b",
        "n,,n=a=b,r=c",
        "n,,n=,r=c",
        "n,,n=a,r=",
        "n,,m=x,n=a,r=c",
        "n,,n=a,r=c,tokenauth=true",
        "n,x,n=a,r=c",
    ] {
        assert_eq!(ClientFirst::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn older_librdkafka_repeats_its_nonce_and_enters() {
    let (view, pepper) = (view(), Pepper::new(&[7; 32]));
    let mut server = Server::new(Mechanism::Sha256);
    let challenge = server
        .first(registry(&view, &pepper), CLIENT_FIRST, NONCE)
        .unwrap();
    let challenge = std::str::from_utf8(&challenge).unwrap();
    let without_proof = format!("c=biws,r=rOprNGfwEbeRWgbNEkqOrOprNGfwEbeRWgbNEkqO{NONCE}");
    let message = format!("n=user,r=rOprNGfwEbeRWgbNEkqO,{challenge},{without_proof}");
    let proof = STANDARD.encode(proof_of("pencil", &message));
    let last = format!("{without_proof},p={proof}");
    let step = server.step(registry(&view, &pepper), last.as_bytes());
    assert!(matches!(step, Step::Done(..)));
}

/// The client's side of RFC 5802, with the salt of [`view`].
fn proof_of(password: &str, message: &str) -> Vec<u8> {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let mut salted = [0; 32];
    ring::pbkdf2::derive(
        ring::pbkdf2::PBKDF2_HMAC_SHA256,
        SCRAM_ITERATIONS,
        &salt,
        password.as_bytes(),
        &mut salted,
    );
    let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let client_key = sign(&salted, b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let signature = sign(stored_key.as_ref(), message.as_bytes());
    client_key
        .as_ref()
        .iter()
        .zip(signature.as_ref())
        .map(|(a, b)| a ^ b)
        .collect()
}
