//! What is told of our public keys when a session begins.

use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::ParsedCertificate;

/// Our keys, as hexadecimal digits.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// To what secrets for this agent alone are sealed.
    pub sealing: String,
    /// SHA-256 of the one that it reads other data planes with.
    pub reads_with: String,
    /// The chain that gateways show to clients; `None`: no TLS.
    pub chain: Option<PathBuf>,
    /// The agent makes that chain, at each start with another key: the one to hold on to is its authority's.
    pub own_authority: bool,
}

impl Keys {
    /// SHA-256 of the public key that gateways show now; empty when they show none.
    #[must_use]
    pub fn serves_with(&self) -> String {
        let found = self.chain.as_ref().and_then(|chain| {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(chain).ok()?.collect();
            let chain = chain.ok()?;
            let shown = if self.own_authority {
                chain.last()
            } else {
                chain.first()
            };
            let parsed = ParsedCertificate::try_from(shown?).ok()?;
            Some(weir_credentials::sha256(
                parsed.subject_public_key_info().as_ref(),
            ))
        });
        found.map_or_else(String::new, |it| weir_credentials::hex(&it))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};

    use super::*;

    #[test]
    fn the_key_of_the_certificate_is_told_as_it_is_now() {
        let folder = tempfile::tempdir().unwrap();
        let chain = folder.path().join("chain.pem");
        let mut keys = Keys::default();
        assert_eq!(keys.serves_with(), "");
        keys.chain = Some(chain.clone());
        assert_eq!(keys.serves_with(), "", "no file yet");
        let made = [KeyPair::generate().unwrap(), KeyPair::generate().unwrap()];
        let pem = made.each_ref().map(|key| {
            let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
            params.self_signed(key).unwrap().pem()
        });
        let hash =
            |key: &KeyPair| weir_credentials::hex(&weir_credentials::sha256(&key.subject_public_key_info()));
        std::fs::write(&chain, pem.concat()).unwrap();
        assert_eq!(keys.serves_with(), hash(&made[0]));
        keys.own_authority = true;
        assert_eq!(keys.serves_with(), hash(&made[1]));
        std::fs::write(&chain, "no certificate").unwrap();
        assert_eq!(keys.serves_with(), "");
    }
}
