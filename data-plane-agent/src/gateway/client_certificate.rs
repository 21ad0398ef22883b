//! Clients that show a certificate (RFC 8446, 4.3.2): that they hold its key is proved by the handshake, and nothing else of it is believed.
//!
//! Names, issuer and chain are the client's own words, so they are not looked at; an API key says which public key is whose
//! (docs/identity.md). Only a client that names a cluster with such keys is asked, so that nobody else's handshake changes.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use weir_credentials::PublicKeyHash;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Bytes of a client's certificate. (A whole handshake message is bounded by TLS to 64 KiB.)
const BYTES_MAX: usize = 16 * 1024;

/// A key that a client proved to hold, and until when its certificate says that it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    pub public_key: PublicKeyHash,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
}

impl Presented {
    /// Reads a certificate. The public key is the one that the handshake's signature was checked with: both come from
    /// the same parser, so no certificate can show one key and prove another.
    #[must_use]
    pub fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        if certificate.len() > BYTES_MAX {
            return None;
        }
        let checked = ParsedCertificate::try_from(certificate).ok()?;
        let public_key = PublicKeyHash::of(checked.subject_public_key_info().as_ref());
        let (_rest, parsed) = X509Certificate::from_der(certificate).ok()?;
        let dates = parsed.validity();
        Some(Self {
            public_key,
            not_before: dates.not_before.timestamp(),
            not_after: dates.not_after.timestamp(),
        })
    }

    /// Is it good at this time, both ends included (RFC 5280, 4.1.2.5)?
    #[must_use]
    pub fn is_good(&self, now_unix_seconds: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now_unix_seconds)
    }
}

/// Asks for a certificate, goes on without one, and checks that whoever shows one holds its key.
#[derive(Debug)]
pub struct Possession(Arc<CryptoProvider>);

impl Possession {
    /// With these algorithms.
    #[must_use]
    pub fn new(provider: Arc<CryptoProvider>) -> Self {
        Self(provider)
    }
}

impl ClientCertVerifier for Possession {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// No authority is named, so clients show whatever they have.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // Its dates are looked at where it is used: a client that logs in by SASL may show one that has ended.
        match Presented::read(end_entity) {
            Some(_read) => Ok(ClientCertVerified::assertion()),
            None => Err(CertificateError::BadEncoding.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, CustomExtension, KeyPair, PublicKeyData as _};
    use time::OffsetDateTime;

    fn certificate(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        change(&mut params);
        params.self_signed(key).unwrap().der().clone()
    }

    #[test]
    fn a_renewed_certificate_over_the_same_key_is_the_same_and_another_key_is_not() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let year = |year| rcgen::date_time_ymd(year, 1, 1);
        let first = certificate(&key, |it| {
            (it.not_before, it.not_after) = (year(2020), year(2021))
        });
        let renewed = certificate(&key, |it| {
            (it.not_before, it.not_after) = (year(2021), year(2022))
        });
        let (first, renewed) = (
            Presented::read(&first).unwrap(),
            Presented::read(&renewed).unwrap(),
        );
        assert_eq!(first.public_key, renewed.public_key);
        assert_eq!(
            first.public_key,
            PublicKeyHash::of(&key.subject_public_key_info())
        );
        let stranger = Presented::read(&certificate(&other, |_params| {})).unwrap();
        assert_ne!(stranger.public_key, first.public_key);
        let end = year(2021).unix_timestamp();
        assert!(first.is_good(end) && !first.is_good(end + 1));
        assert!(renewed.is_good(end) && !renewed.is_good(end - 1));
        assert!(stranger.is_good(OffsetDateTime::now_utc().unix_timestamp()));
    }

    #[test]
    fn what_is_no_certificate_or_too_long_is_nothing() {
        let key = KeyPair::generate().unwrap();
        let sound = certificate(&key, |_params| {});
        for end in 0..sound.len() {
            assert_eq!(Presented::read(&CertificateDer::from(&sound[..end])), None);
        }
        let long = certificate(&key, |it| {
            let mut padding = CustomExtension::from_oid_content(&[2, 5, 29, 99], vec![0; BYTES_MAX]);
            padding.set_criticality(false);
            it.custom_extensions.push(padding);
        });
        assert_eq!(Presented::read(&long), None);
    }
}
