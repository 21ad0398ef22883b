//! The public key that opens a key instead of a secret, read from what the caller wrote.
//!
//! A certificate is read by the same code that checks handshakes in the gateway, so what is accepted here works there. Nothing of
//! it is believed or kept but its public key: not its names, not its dates, not who signed it.

use rustls::pki_types::pem::{PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::server::ParsedCertificate;
use weir_credentials::PublicKeyHash;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::kernel::{FieldError, code};
use crate::resources::api_key::model::ApiKeySpec;

const HASH: &str = "/spec/public_key_sha256";
const PEM: &str = "/spec/certificate_pem";
const PEM_BYTES_MAX: usize = 64 * 1024;
/// Bits of RSA keys that gateways check signatures of.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// OIDs of elliptic curves that gateways know: P-256 and P-384 (RFC 5480, 2.1.1.1).
const CURVES: [&str; 2] = ["1.2.840.10045.3.1.7", "1.3.132.0.34"];
/// OID of Ed25519 (RFC 8410, 3).
const ED25519: &str = "1.3.101.112";
/// OID of keys on elliptic curves (RFC 5480, 2.1.1).
const ELLIPTIC: &str = "1.2.840.10045.2.1";

/// Why a text says no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error(
        "This holds a private key, which was not kept. Whoever saw it can act as its owner: make another, and send its certificate alone."
    )]
    PrivateKey,
    #[error("A PEM has at most 64 KiB.")]
    Long,
    #[error("There is no certificate and no public key in PEM in this.")]
    Nothing,
    #[error("The first certificate cannot be read as one of X.509, version 3.")]
    Malformed,
    #[error(
        "Gateways know RSA from 2048 to 8192 bits, ECDSA on P-256 and P-384, and Ed25519; the key is none of these."
    )]
    Algorithm,
}

/// The public key of a spec, if it says one. Afterwards the spec says it by its hash alone.
pub fn public_key(spec: &mut ApiKeySpec, errors: &mut Vec<FieldError>) -> Option<PublicKeyHash> {
    let mut refuse = |pointer: &str, code: &str, detail: &str| {
        errors.push(FieldError {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
        });
    };
    let found = match (spec.certificate_pem.take(), &spec.public_key_sha256) {
        (None, None) => return None,
        (Some(_pem), Some(_hash)) => {
            refuse(PEM, code::INVALID, "Send a certificate or a hash, and not both.");
            return None;
        }
        (Some(pem), None) => match read(&pem) {
            Ok(hash) => hash,
            Err(refused) => {
                refuse(PEM, code::INVALID, &refused.to_string());
                return None;
            }
        },
        (None, Some(hash)) => match hash.parse() {
            Ok(hash) => hash,
            Err(_not_a_hash) => {
                let detail = "Expected the SHA-256 of a SubjectPublicKeyInfo in base64: 44 characters.";
                refuse(HASH, code::INVALID, detail);
                return None;
            }
        },
    };
    if spec.cluster.is_none() {
        let detail = "A certificate opens a cluster; name one. The API is opened by a secret.";
        refuse("/spec/cluster", code::INVALID, detail);
    }
    spec.public_key_sha256 = Some(found.to_string());
    Some(found)
}

fn read(pem: &str) -> Result<PublicKeyHash, Refused> {
    if pem.len() > PEM_BYTES_MAX {
        return Err(Refused::Long);
    }
    if pem.contains("PRIVATE KEY") {
        return Err(Refused::PrivateKey);
    }
    // Of a chain the first is the client's own.
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        let spki = match section.map_err(|_broken| Refused::Nothing)? {
            (SectionKind::Certificate, der) => {
                let der = CertificateDer::from(der);
                let parsed = ParsedCertificate::try_from(&der).map_err(|_other| Refused::Malformed)?;
                parsed.subject_public_key_info()
            }
            (SectionKind::PublicKey, der) => SubjectPublicKeyInfoDer::from(der),
            _other => continue,
        };
        return if is_known(&spki) {
            Ok(PublicKeyHash::of(&spki))
        } else {
            Err(Refused::Algorithm)
        };
    }
    Err(Refused::Nothing)
}

/// Do gateways check signatures of such a key?
fn is_known(spki: &SubjectPublicKeyInfoDer<'_>) -> bool {
    let Ok((rest, parsed)) = SubjectPublicKeyInfo::from_der(spki) else {
        return false;
    };
    if !rest.is_empty() {
        return false;
    }
    let algorithm = parsed.algorithm.algorithm.to_id_string();
    match parsed.parsed() {
        Ok(PublicKey::RSA(key)) => RSA_BITS.contains(&key.key_size()),
        _other if algorithm == ED25519 => true,
        _other if algorithm == ELLIPTIC => {
            let curve = parsed
                .algorithm
                .parameters
                .as_ref()
                .and_then(|it| it.as_oid().ok());
            curve.is_some_and(|it| CURVES.contains(&it.to_id_string().as_str()))
        }
        _other => false,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::PublicKeyData as _;

    use super::*;
    use crate::kernel::Id;

    fn certificate() -> (String, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["app".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key)
    }

    fn spec(pem: Option<&str>, hash: Option<&str>) -> ApiKeySpec {
        ApiKeySpec {
            service_account: Id::generate(),
            cluster: Some(Id::generate()),
            description: String::new(),
            expires_at: None,
            public_key_sha256: hash.map(str::to_owned),
            certificate_pem: pem.map(str::to_owned),
        }
    }

    #[test]
    fn a_certificate_its_chain_and_its_public_key_say_the_same() {
        let (pem, key) = certificate();
        let (other, _key) = certificate();
        let hash = PublicKeyHash::of(&key.subject_public_key_info());
        assert_eq!(read(&pem), Ok(hash));
        assert_eq!(read(&format!("Bag Attributes\n{pem}{other}")), Ok(hash));
        assert_eq!(read(&key.public_key_pem()), Ok(hash));
        for known in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P384_SHA384] {
            let key = rcgen::KeyPair::generate_for(known).unwrap();
            assert!(read(&key.public_key_pem()).is_ok());
        }
    }

    #[test]
    fn what_says_no_public_key_is_refused_and_a_private_key_before_anything_else() {
        let (pem, key) = certificate();
        assert_eq!(read(""), Err(Refused::Nothing));
        assert_eq!(read("-----BEGIN CERTIFICATE-----"), Err(Refused::Nothing));
        assert_eq!(
            read(&format!("{pem}{}", key.serialize_pem())),
            Err(Refused::PrivateKey)
        );
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(read(junk), Err(Refused::Malformed));
        let unknown = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        assert_eq!(read(unknown), Err(Refused::Algorithm));
        assert_eq!(read(&" ".repeat(PEM_BYTES_MAX + 1)), Err(Refused::Long));
    }

    #[test]
    fn a_spec_keeps_the_hash_alone_and_says_it_once() {
        let (pem, key) = certificate();
        let hash = PublicKeyHash::of(&key.subject_public_key_info()).to_string();
        let mut errors = Vec::new();
        let mut by_pem = spec(Some(&pem), None);
        assert!(public_key(&mut by_pem, &mut errors).is_some());
        assert_eq!(
            (by_pem.public_key_sha256.as_deref(), &by_pem.certificate_pem),
            (Some(hash.as_str()), &None)
        );
        assert!(public_key(&mut spec(None, Some(&hash)), &mut errors).is_some());
        assert!(public_key(&mut spec(None, None), &mut errors).is_none());
        assert!(errors.is_empty());
        let mut api = spec(None, Some(&hash));
        api.cluster = None;
        public_key(&mut api, &mut errors);
        public_key(&mut spec(Some(&pem), Some(&hash)), &mut errors);
        public_key(&mut spec(None, Some("00")), &mut errors);
        public_key(&mut spec(Some(""), None), &mut errors);
        let pointers: Vec<_> = errors.iter().map(|it| it.pointer.as_str()).collect();
        assert_eq!(pointers, ["/spec/cluster", PEM, HASH, PEM]);
    }
}
