//! The certificate authority of the agents' door: its own root, the server's certificate, the agents' certificates.
//!
//! ECDSA P-256 throughout. `ca.key` and `server.key` are made once and stay; `ca.pem` follows from the former,
//! `server.pem` is signed again when it nears its end. What a request for a certificate asks for is ignored,
//! except its public key: name, lifetime and use are ours to say.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData as _, SanType, SerialNumber,
};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use weir_credentials::sha256;

use super::identity::{self, Leaf};
use crate::runtime::files;

/// What an agent's certificate says in its URI name, before the data plane's id.
pub const IDENTITY_PREFIX: &str = "weir://data-plane/";

const AUTHORITY_LIFETIME: TimeDelta = TimeDelta::days(3650);
const SERVER_LIFETIME: TimeDelta = TimeDelta::days(90);
const SERVER_RENEWAL: TimeDelta = TimeDelta::days(30);
const AGENT_LIFETIME: TimeDelta = TimeDelta::hours(24);
/// Clocks differ: a certificate is valid from a little before it was made.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);
/// A request with a P-256 key has about 500 bytes.
const CSR_BYTES_MAX: usize = 8 * 1024;

/// Why a certificate cannot be issued or loaded.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file of the state directory cannot be read or written.
    #[error("read or write the authority's files")]
    File(#[from] std::io::Error),
    /// A key or certificate cannot be made or read.
    #[error("make or read a key or certificate")]
    Certificate(#[from] rcgen::Error),
    /// A file of the state directory holds something else.
    #[error("{0} does not hold what its name says")]
    Malformed(&'static str),
    /// The applicant's request is too long, badly formed, badly signed, or its key is not ECDSA P-256.
    #[error("the certificate request is not a signed PKCS#10 request with an ECDSA P-256 key")]
    Request,
    /// The system gave no random numbers.
    #[error("generate a serial number")]
    Random,
}

/// An agent's new certificate.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Leaf, then the authority.
    pub chain_pem: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// The certificate's end.
    pub not_after: DateTime<Utc>,
    /// SHA-256 of the public key's SubjectPublicKeyInfo.
    pub key_sha256: [u8; 32],
}

/// The authority, ready to sign.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate_der: CertificateDer<'static>,
    certificate_pem: String,
    state_dir: PathBuf,
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ca")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// The server's chain and key, for a TLS configuration.
#[derive(Debug)]
pub struct ServerIdentity {
    /// Leaf, then the authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// PKCS#8.
    pub key: PrivateKeyDer<'static>,
}

impl Ca {
    /// Reads `ca.key` and `ca.pem`, or makes them.
    ///
    /// # Errors
    /// [`CaError`] when a file cannot be read, made or understood.
    pub fn load_or_create(state_dir: &Path, now: DateTime<Utc>) -> Result<Self, CaError> {
        files::ensure_directory(state_dir)?;
        let key = load_or_create_key(&state_dir.join("ca.key"))?;
        let certificate_pem = text(files::read_or_create(&state_dir.join("ca.pem"), || {
            let certificate = authority_params(now)?.self_signed(&key)?;
            Ok::<_, CaError>(certificate.pem().into_bytes())
        })?)?;
        let certificate_der = identity::der_of_pem(certificate_pem.as_bytes())
            .into_iter()
            .next()
            .ok_or(CaError::Malformed("ca.pem"))?;
        let leaf = Leaf::parse(&certificate_der).ok_or(CaError::Malformed("ca.pem"))?;
        if leaf.key_sha256 != sha256(&key.subject_public_key_info()) {
            return Err(CaError::Malformed("ca.pem"));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate_der, key)?;
        Ok(Self {
            issuer,
            certificate_der,
            certificate_pem,
            state_dir: state_dir.to_owned(),
        })
    }

    /// SHA-256 of the authority's DER in hexadecimal: what an agent's install command pins.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        weir_credentials::hex(&sha256(&self.certificate_der))
    }

    /// The authority's certificate.
    #[must_use]
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate_der.clone()
    }

    /// The server's chain and key. The certificate on disk serves while it has more than thirty days left and
    /// names every one of `hosts`; else it is signed anew.
    ///
    /// # Errors
    /// [`CaError`] when a file cannot be read, made or understood.
    pub fn server_identity(&self, hosts: &[String], now: DateTime<Utc>) -> Result<ServerIdentity, CaError> {
        let key = load_or_create_key(&self.state_dir.join("server.key"))?;
        let path = self.state_dir.join("server.pem");
        let held = files::read(&path)?.unwrap_or_default();
        let mut chain = identity::der_of_pem(&held);
        let serves = chain.first().and_then(Leaf::parse).is_some_and(|leaf| {
            leaf.not_after > now + SERVER_RENEWAL
                && leaf.key_sha256 == sha256(&key.subject_public_key_info())
                && hosts.iter().all(|host| leaf.hosts.contains(host))
                && chain.get(1) == Some(&self.certificate_der)
        });
        if !serves {
            let leaf = server_params(hosts, now)?.signed_by(&key, &self.issuer)?;
            let pem = format!("{}{}", leaf.pem(), self.certificate_pem);
            files::replace(&path, pem.as_bytes())?;
            chain = vec![leaf.der().clone(), self.certificate_der.clone()];
        }
        Ok(ServerIdentity {
            chain,
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// Signs an agent's request for one day. Only the request's public key is taken from it.
    ///
    /// # Errors
    /// [`CaError::Request`] when the request is not acceptable; others when signing fails.
    pub fn issue(&self, csr_pem: &str, data_plane: &str, now: DateTime<Utc>) -> Result<Issued, CaError> {
        let mut request = parse_request(csr_pem)?;
        let not_after = whole_second(now + AGENT_LIFETIME);
        request.params = agent_params(data_plane, now, not_after)?;
        let certificate = request.signed_by(&self.issuer)?;
        let leaf = Leaf::parse(certificate.der()).ok_or(CaError::Request)?;
        Ok(Issued {
            chain_pem: format!("{}{}", certificate.pem(), self.certificate_pem),
            serial: leaf.serial,
            not_after,
            key_sha256: leaf.key_sha256,
        })
    }
}

/// The SHA-256 of the public key that signed a request: it proves possession of that key.
///
/// # Errors
/// [`CaError::Request`] when the request is not acceptable.
pub fn key_of_request(csr_pem: &str) -> Result<[u8; 32], CaError> {
    Ok(sha256(
        &parse_request(csr_pem)?.public_key.subject_public_key_info(),
    ))
}

fn parse_request(csr_pem: &str) -> Result<CertificateSigningRequestParams, CaError> {
    if csr_pem.len() > CSR_BYTES_MAX {
        return Err(CaError::Request);
    }
    let request =
        CertificateSigningRequestParams::from_pem(csr_pem).map_err(|_malformed| CaError::Request)?;
    if request.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
        return Err(CaError::Request);
    }
    Ok(request)
}

fn authority_params(now: DateTime<Utc>) -> Result<CertificateParams, CaError> {
    let mut params = params("Weir agents' authority", now, now + AUTHORITY_LIFETIME)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn server_params(hosts: &[String], now: DateTime<Utc>) -> Result<CertificateParams, CaError> {
    let mut params = params("Weir agents' door", now, now + SERVER_LIFETIME)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for host in hosts {
        params.subject_alt_names.push(match host.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_not_an_address) => SanType::DnsName(host.as_str().try_into()?),
        });
    }
    Ok(params)
}

fn agent_params(
    data_plane: &str,
    now: DateTime<Utc>,
    not_after: DateTime<Utc>,
) -> Result<CertificateParams, CaError> {
    let mut params = params(data_plane, now, not_after)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let uri = format!("{IDENTITY_PREFIX}{data_plane}");
    params.subject_alt_names = vec![SanType::URI(uri.as_str().try_into()?)];
    Ok(params)
}

fn params(name: &str, now: DateTime<Utc>, not_after: DateTime<Utc>) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.not_before = moment(now - CLOCK_SKEW)?;
    params.not_after = moment(not_after)?;
    params.serial_number = Some(serial()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Random, positive, 16 bytes: unique without a counter (CA/Browser Forum asks for 64 bits).
fn serial() -> Result<SerialNumber, CaError> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| CaError::Random)?;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn moment(at: DateTime<Utc>) -> Result<time::OffsetDateTime, CaError> {
    time::OffsetDateTime::from_unix_timestamp(at.timestamp())
        .map_err(|_range| CaError::Malformed("the clock"))
}

/// Certificates count whole seconds.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()))
}

fn load_or_create_key(path: &Path) -> Result<KeyPair, CaError> {
    let pem = files::read_or_create(path, || {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok::<_, CaError>(key.serialize_pem().into_bytes())
    })?;
    Ok(KeyPair::from_pem(&text(pem)?)?)
}

fn text(content: Vec<u8>) -> Result<String, CaError> {
    String::from_utf8(content).map_err(|_not_text| CaError::Malformed("a PEM file"))
}

#[cfg(test)]
#[path = "ca_tests.rs"]
mod tests;
