//! Reading certificates: whom a leaf names, its serial number, its end and its key.

use chrono::{DateTime, Utc};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use weir_credentials::{hex, sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::ca::IDENTITY_PREFIX;

/// What the door reads of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Serial number, lower-case hexadecimal.
    pub(super) serial: String,
    /// The certificate's end.
    pub(super) not_after: DateTime<Utc>,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub(super) key_sha256: [u8; 32],
    /// DNS names and addresses.
    pub(super) hosts: Vec<String>,
    /// URI names.
    pub(super) uris: Vec<String>,
}

impl Leaf {
    /// Parses a DER certificate; `None` when it is not one.
    pub(super) fn parse(der: &CertificateDer<'_>) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let (mut hosts, mut uris) = (Vec::new(), Vec::new());
        if let Some(names) = certificate.subject_alternative_name().ok()? {
            for name in &names.value.general_names {
                match name {
                    GeneralName::URI(uri) => uris.push((*uri).to_owned()),
                    GeneralName::DNSName(host) => hosts.push((*host).to_owned()),
                    GeneralName::IPAddress(bytes) => hosts.extend(address(bytes)),
                    _other => {}
                }
            }
        }
        Some(Self {
            serial: hex(certificate.raw_serial()),
            not_after: DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)?,
            key_sha256: sha256(certificate.public_key().raw),
            hosts,
            uris,
        })
    }

    /// The data plane that the leaf names: exactly one URI, of our kind.
    pub(super) fn data_plane(&self) -> Option<&str> {
        match self.uris.as_slice() {
            [uri] => uri.strip_prefix(IDENTITY_PREFIX).filter(|id| !id.is_empty()),
            _none_or_several => None,
        }
    }
}

/// The certificates in a PEM text, in order; text that is none is skipped.
pub(super) fn der_of_pem(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem)
        .filter_map(Result::ok)
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::IpAddr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::IpAddr::from(sixteen).to_string())
}
