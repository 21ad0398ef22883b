//! A server that is known by its public key, and to which a certificate of ours is shown: the gateways of another data plane.
//!
//! No authority of the system is believed. What is pinned is the key of the server's own certificate, or that of an authority among those
//! that it shows; then chain, dates and name have to be sound below that authority, too (RFC 5280, RFC 7469).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use weir_credentials::PublicKeyHash;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Certificates beside the server's own that are looked at, and bytes of each.
const AUTHORITIES_MAX: usize = 8;
const BYTES_MAX: usize = 16 * 1024;

/// A certificate of ours and its key.
pub struct Shown {
    /// It alone: who is shown it looks at its public key and at nothing else.
    pub certificate: CertificateDer<'static>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// SHA-256 of its public key.
    pub public_key: PublicKeyHash,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shown({})", self.public_key)
    }
}

/// Who has to be there, and as whom we come.
#[derive(Clone)]
pub struct Peer {
    pin: PublicKeyHash,
    own: PublicKeyHash,
    /// Where it is dialled, when not by its name.
    pub via: Option<(String, u16)>,
    pub(super) config: Arc<ClientConfig>,
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        (self.pin, self.own, &self.via) == (other.pin, other.own, &other.via)
    }
}
impl Eq for Peer {}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Peer({})", self.pin)
    }
}

impl Peer {
    /// The server with this key, and we with that certificate.
    ///
    /// # Errors
    /// When our certificate cannot be used.
    pub fn new(shown: &Shown, pin: PublicKeyHash, via: Option<(String, u16)>) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(ByKey {
            pin,
            provider: Arc::clone(&provider),
        });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(vec![shown.certificate.clone()], shown.key.clone_key())?;
        // Both keys are proved anew with each connection.
        config.resumption = Resumption::disabled();
        Ok(Self {
            pin,
            own: shown.public_key,
            via,
            config: Arc::new(config),
        })
    }
}

#[derive(Debug)]
struct ByKey {
    pin: PublicKeyHash,
    provider: Arc<CryptoProvider>,
}

impl ByKey {
    /// Whether this certificate has the pinned key; in constant time.
    fn is_pinned(&self, certificate: &ParsedCertificate<'_>) -> bool {
        let found = PublicKeyHash::of(certificate.subject_public_key_info().as_ref());
        let both = found.as_bytes().iter().zip(self.pin.as_bytes());
        both.fold(0_u8, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// Is it good at this time, both ends included?
fn is_good(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    X509Certificate::from_der(certificate).is_ok_and(|(_rest, it)| {
        let dates = it.validity();
        (dates.not_before.timestamp()..=dates.not_after.timestamp()).contains(&now)
    })
}

impl ServerCertVerifier for ByKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let bounded = std::iter::once(end_entity).chain(intermediates);
        if intermediates.len() > AUTHORITIES_MAX || bounded.clone().any(|it| it.len() > BYTES_MAX) {
            return Err(CertificateError::BadEncoding.into());
        }
        let leaf = ParsedCertificate::try_from(end_entity)?;
        if self.is_pinned(&leaf) {
            // Its names say nothing more: whoever holds this key is who is meant.
            return if is_good(end_entity, now) {
                Ok(ServerCertVerified::assertion())
            } else {
                Err(CertificateError::Expired.into())
            };
        }
        for authority in intermediates {
            if !ParsedCertificate::try_from(authority).is_ok_and(|it| self.is_pinned(&it)) {
                continue;
            }
            if !is_good(authority, now) {
                return Err(CertificateError::Expired.into());
            }
            let mut roots = RootCertStore::empty();
            roots.add(authority.clone())?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&leaf, &roots, intermediates, now, algorithms)?;
            verify_server_name(&leaf, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
#[path = "pinned_tests.rs"]
mod tests;
