//! The authority: what it signs, what it ignores, what it keeps.

use super::*;
use rustls::RootCertStore;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use std::sync::Arc;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 500_000_000).unwrap()
}

fn csr(params: &CertificateParams, key: &KeyPair) -> String {
    params.serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn an_agents_wishes_are_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let ca = Ca::load_or_create(directory.path(), now()).unwrap();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut wished = CertificateParams::new(vec!["control-plane.example".to_owned()]).unwrap();
    wished.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    wished.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let other = format!("{IDENTITY_PREFIX}data_plane_other");
    wished
        .subject_alt_names
        .push(SanType::URI(other.as_str().try_into().unwrap()));
    let issued = ca.issue(&csr(&wished, &key), "data_plane_mine", now()).unwrap();

    let chain = identity::der_of_pem(issued.chain_pem.as_bytes());
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[1], ca.certificate());
    let leaf = Leaf::parse(&chain[0]).unwrap();
    assert_eq!(leaf.data_plane(), Some("data_plane_mine"));
    assert_eq!(leaf.hosts, Vec::<String>::new());
    assert_eq!(leaf.serial, issued.serial);
    assert_eq!(leaf.not_after, issued.not_after);
    assert_eq!(leaf.not_after.timestamp() - now().timestamp(), 24 * 3600);
    assert_eq!(leaf.key_sha256, sha256(&key.subject_public_key_info()));
    assert_eq!(key_of_request(&csr(&wished, &key)).unwrap(), leaf.key_sha256);
    let (_, parsed) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
    assert!(!parsed.is_ca());
    let usage = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);
    assert!(client_verifies(&ca, &chain[0], now()));
    assert!(!client_verifies(&ca, &chain[0], now() + TimeDelta::hours(25)));
}

#[test]
fn two_certificates_of_one_key_have_different_serials() {
    let directory = tempfile::tempdir().unwrap();
    let ca = Ca::load_or_create(directory.path(), now()).unwrap();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let request = csr(&CertificateParams::default(), &key);
    let one = ca.issue(&request, "data_plane_a", now()).unwrap();
    let other = ca.issue(&request, "data_plane_a", now()).unwrap();
    assert_ne!(one.serial, other.serial);
    assert_eq!(one.key_sha256, other.key_sha256);
}

#[test]
fn a_bad_request_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let ca = Ca::load_or_create(directory.path(), now()).unwrap();
    let p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let good = csr(&CertificateParams::default(), &p256);
    // A request whose signature does not match its content: one base64 character of the key changed.
    let at = good.len() / 2;
    let swapped = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
    let forged = format!("{}{swapped}{}", &good[..at], &good[at + 1..]);
    for bad in [
        String::new(),
        "hello".to_owned(),
        csr(&CertificateParams::default(), &p384),
        forged,
        format!("{good}{}", " ".repeat(CSR_BYTES_MAX)),
    ] {
        assert!(
            matches!(ca.issue(&bad, "data_plane_a", now()), Err(CaError::Request)),
            "{bad}"
        );
    }
}

#[test]
fn the_authority_and_the_server_certificate_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let hosts = vec!["127.0.0.1".to_owned(), "link.example".to_owned()];
    let first = Ca::load_or_create(directory.path(), now()).unwrap();
    let served = first.server_identity(&hosts, now()).unwrap();
    let again = Ca::load_or_create(directory.path(), now()).unwrap();
    assert_eq!(first.fingerprint(), again.fingerprint());
    assert_eq!(again.server_identity(&hosts, now()).unwrap().chain, served.chain);
    assert_eq!(served.chain[1], first.certificate());

    let near_its_end = now() + TimeDelta::days(61);
    let renewed = again.server_identity(&hosts, near_its_end).unwrap();
    assert_ne!(renewed.chain[0], served.chain[0]);
    assert_eq!(renewed.key.secret_der(), served.key.secret_der());

    let more = vec!["other.example".to_owned()];
    let renamed = again.server_identity(&more, near_its_end).unwrap();
    assert_eq!(Leaf::parse(&renamed.chain[0]).unwrap().hosts, more);
}

#[test]
fn a_certificate_that_is_not_the_keys_is_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(Ca::load_or_create(one.path(), now()).unwrap());
    drop(Ca::load_or_create(other.path(), now()).unwrap());
    std::fs::copy(other.path().join("ca.pem"), one.path().join("ca.pem")).unwrap();
    let refused = Ca::load_or_create(one.path(), now()).unwrap_err();
    assert!(matches!(refused, CaError::Malformed("ca.pem")));
}

fn client_verifies(ca: &Ca, leaf: &CertificateDer<'_>, at: DateTime<Utc>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    let seconds = u64::try_from(at.timestamp()).unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    verifier.verify_client_cert(leaf, &[], at).is_ok()
}
