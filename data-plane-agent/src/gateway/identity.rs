//! Who is who on the local lane; and certificates and keys from files.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// The agent's name on the lane.
const AGENT: &str = "weir://lane/agent";

/// The gateway's end of the lane's mutual TLS, from `ca.pem`, `client.pem` and `client.key`.
///
/// # Errors
/// When a file is missing or does not hold what it should.
pub fn client_config(folder: &Path) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(&folder.join("ca.pem"))? {
        roots.add(authority).context("trust the lane's authority")?;
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AgentVerifier {
        roots,
        provider: Arc::clone(&provider),
    });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(
            certificates(&folder.join("client.pem"))?,
            key(&folder.join("client.key"))?,
        )
        .context("use the gateway's certificate")?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// The certificates of a PEM file.
pub(super) fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let found = rustls_pemfile::certs(&mut &pem[..]).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        bail!("{} holds no certificate", path.display());
    }
    Ok(found)
}

/// The first private key of a PEM file.
pub(super) fn key(path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    let pem = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    rustls_pemfile::private_key(&mut &pem[..])?
        .with_context(|| format!("{} holds no private key", path.display()))
}

/// The peer is whoever the lane's authority calls the agent; host names mean nothing here.
#[derive(Debug)]
struct AgentVerifier {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AgentVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        if names(end_entity, AGENT) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::CertificateError::NotValidForName.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Does the certificate carry this URI as its name?
fn names(certificate: &CertificateDer<'_>, uri: &str) -> bool {
    let Ok((_rest, parsed)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let Ok(Some(alternatives)) = parsed.subject_alternative_name() else {
        return false;
    };
    let mut all = alternatives.value.general_names.iter();
    all.any(|name| matches!(name, GeneralName::URI(it) if *it == uri))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, Issuer, KeyPair, SanType};

    fn verify(uri: &str, same_authority: bool) -> bool {
        let key = KeyPair::generate().unwrap();
        let authority = |key: &KeyPair| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            (params.clone(), params.self_signed(key).unwrap())
        };
        let (params, ca) = authority(&key);
        let other_key = KeyPair::generate().unwrap();
        let trusted = if same_authority {
            ca.der().clone()
        } else {
            authority(&other_key).1.der().clone()
        };
        let mut leaf = CertificateParams::new(Vec::new()).unwrap();
        leaf.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        let leaf_key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(params, key);
        let certificate = leaf.signed_by(&leaf_key, &issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(trusted).unwrap();
        let verifier = AgentVerifier {
            roots,
            provider: Arc::new(ring::default_provider()),
        };
        let name = ServerName::try_from("lane").unwrap();
        verifier
            .verify_server_cert(certificate.der(), &[], &name, &[], UnixTime::now())
            .is_ok()
    }

    #[test]
    fn only_the_agent_of_the_own_authority_is_believed() {
        assert!(verify("weir://lane/agent", true));
        assert!(!verify("weir://lane/gateway", true));
        assert!(!verify("weir://lane/agent", false));
    }
}
