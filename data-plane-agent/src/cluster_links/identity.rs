//! The key pair that this agent reads other data planes with, and a certificate over it. Made once; the private half never leaves the
//! state folder. The other side knows the public key by its fingerprint and looks at nothing else.

use std::path::Path;

use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use weir_credentials::PublicKeyHash;

use crate::disk;
use crate::local_tls::TlsError;
use crate::upstream::Shown;

const KEY_BYTES_MAX: u64 = 16 * 1024;

/// Reads the key of `folder`, or makes it. The certificate is made anew each time: it says nothing but the key.
///
/// # Errors
/// As the file system says, and when the file holds something else: with a new key nobody would know us.
pub fn open_or_make(folder: &Path) -> Result<Shown, TlsError> {
    disk::private_folder(folder)?;
    let path = folder.join("reads-with.key");
    let key = match disk::read_bounded(&path, KEY_BYTES_MAX)? {
        Some(pem) => KeyPair::from_pem(&String::from_utf8_lossy(&pem))?,
        None => {
            let made = KeyPair::generate()?;
            disk::write_atomic(&path, made.serialize_pem().as_bytes())?;
            made
        }
    };
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Weir agent, reading another data plane");
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2999, 12, 31);
    let certificate: CertificateDer<'static> = parameters.self_signed(&key)?.der().clone();
    let secret = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|_form| std::io::Error::other("the key has no form that TLS takes"))?;
    Ok(Shown {
        certificate,
        public_key: PublicKeyHash::of(&key.subject_public_key_info()),
        key: secret,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::gateway::client_certificate::Presented;

    #[test]
    fn the_key_is_made_once_is_ours_alone_and_a_damaged_one_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("cluster-links");
        let made = open_or_make(&folder).unwrap();
        let again = open_or_make(&folder).unwrap();
        assert_eq!(made.public_key, again.public_key);
        let path = folder.join("reads-with.key");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let seen = Presented::read(&again.certificate).unwrap();
        assert_eq!(seen.public_key, made.public_key, "what a gateway sees of it");
        assert!(seen.is_good(1_800_000_000));
        std::fs::write(&path, "no key").unwrap();
        assert!(open_or_make(&folder).is_err());
    }
}
