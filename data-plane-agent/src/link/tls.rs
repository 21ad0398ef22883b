//! TLS to the control plane: the authority is pinned by the hash of its certificate, names are not asked of DNS.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use weir_credentials::verify_sha256;

use crate::local_tls::provider;

/// Believes exactly the servers whose chain holds the pinned authority and is signed by it.
#[derive(Debug)]
pub(super) struct PinnedAuthority {
    ca_sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pinned = intermediates
            .iter()
            .find(|certificate| verify_sha256(&self.ca_sha256, certificate))
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(pinned.clone().into_owned())?;
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A client that believes the pinned authority and, once enrolled, shows its certificate.
///
/// # Errors
/// When the certificate and the key do not fit each other.
pub(super) fn client(
    ca_sha256: [u8; 32],
    shown: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
) -> Result<ClientConfig, Error> {
    let provider = provider();
    let verifier = PinnedAuthority {
        ca_sha256,
        provider: Arc::clone(&provider),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use weir_credentials::sha256;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
    }

    fn leaf(issuer: &CertifiedIssuer<'static, KeyPair>) -> CertificateDer<'static> {
        let parameters = CertificateParams::new(vec!["anything.example".to_owned()]).unwrap();
        let made = parameters
            .signed_by(&KeyPair::generate().unwrap(), issuer)
            .unwrap();
        made.der().clone()
    }

    #[test]
    fn only_a_chain_under_the_pinned_authority_is_believed() {
        let (ours, thief) = (authority(), authority());
        let verifier = PinnedAuthority {
            ca_sha256: sha256(ours.der()),
            provider: provider(),
        };
        let say = |leaf: &CertificateDer<'_>, chain: &[CertificateDer<'_>]| {
            let name = ServerName::try_from("control-plane").unwrap();
            verifier
                .verify_server_cert(leaf, chain, &name, &[], UnixTime::now())
                .is_ok()
        };
        assert!(
            say(&leaf(&ours), &[ours.der().clone()]),
            "whatever name it carries"
        );
        assert!(
            !say(&leaf(&ours), &[]),
            "the authority must be shown to be recognised"
        );
        assert!(!say(&leaf(&thief), &[thief.der().clone()]));
        assert!(
            !say(&leaf(&thief), &[ours.der().clone()]),
            "showing our authority is not enough"
        );
        assert!(!say(&leaf(&thief), &[ours.der().clone(), thief.der().clone()]));
    }
}
