//! The agent's identity on disk: key, certificate, and what was pinned at enrolment.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use weir_proto::agent::v1::EnrollResponse;

use crate::disk;
use crate::local_tls::{TlsError, uri_names};

/// What enrolment pinned, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// This data plane's id.
    pub data_plane_id: String,
    /// SHA-256 of the control plane authority's certificate, hexadecimal.
    pub ca_sha256: String,
    signing_public_key: String,
}

/// A certificate with its validity.
#[derive(Clone)]
pub struct Certificate {
    /// Leaf, then authority.
    pub chain: Vec<CertificateDer<'static>>,
    not_before: i64,
    not_after: i64,
}

/// What can be wrong with an identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Files.
    #[error("keep the identity on disk")]
    File(#[from] io::Error),
    /// Keys and certificates.
    #[error("use the identity's certificate")]
    Tls(#[from] TlsError),
    /// The key cannot be made or read.
    #[error("use the identity's key")]
    Key(#[from] rcgen::Error),
    /// The answer of the control plane does not fit.
    #[error("the control plane's answer does not fit: {0}")]
    Answer(&'static str),
    /// The state folder belongs to another control plane.
    #[error("this state folder was enrolled with another control plane (its pinned authority differs)")]
    OtherControlPlane,
}

/// The enrolled identity.
pub struct Identity {
    folder: PathBuf,
    pinned: Pinned,
    signing_public_key: Vec<u8>,
    key: KeyPair,
    current: Mutex<Certificate>,
}

impl Identity {
    /// Reads the identity of `folder`; nothing when not enrolled yet.
    ///
    /// # Errors
    /// When files are damaged, or were made with another pin.
    pub fn open(folder: &Path, ca_sha256: &[u8; 32]) -> Result<Option<Self>, IdentityError> {
        let Some(pinned) = disk::read_json::<Pinned>(&folder.join("pinned.json"), 64 * 1024)? else {
            return Ok(None);
        };
        if weir_credentials::unhex32(&pinned.ca_sha256).as_ref() != Some(ca_sha256) {
            return Err(IdentityError::OtherControlPlane);
        }
        let signing_public_key = STANDARD
            .decode(&pinned.signing_public_key)
            .map_err(|_not_base64| IdentityError::Answer("the stored signing key is damaged"))?;
        let key = stored_key(folder)?;
        let pem = std::fs::read(folder.join("cert.pem"))?;
        let current = Mutex::new(certificate(&pem)?);
        Ok(Some(Self {
            folder: folder.to_owned(),
            pinned,
            signing_public_key,
            key,
            current,
        }))
    }

    /// Stores what enrolment brought. The pins are written last: without them there is no identity.
    ///
    /// # Errors
    /// When the answer does not fit the key, or cannot be stored.
    pub fn enrolled(
        folder: &Path,
        ca_sha256: &[u8; 32],
        answer: &EnrollResponse,
    ) -> Result<Self, IdentityError> {
        if answer.signing_public_key.len() != 32 {
            return Err(IdentityError::Answer("the signing key is not an Ed25519 key"));
        }
        let stored = certificate(answer.certificate_pem.as_bytes())?;
        names_the_data_plane(&stored, &answer.data_plane_id)?;
        let pinned = Pinned {
            data_plane_id: answer.data_plane_id.clone(),
            ca_sha256: weir_credentials::hex(ca_sha256),
            signing_public_key: STANDARD.encode(&answer.signing_public_key),
        };
        disk::write_atomic(&folder.join("cert.pem"), answer.certificate_pem.as_bytes())?;
        disk::write_json(&folder.join("pinned.json"), &pinned)?;
        Ok(Self {
            folder: folder.to_owned(),
            pinned,
            signing_public_key: answer.signing_public_key.clone(),
            key: stored_key(folder)?,
            current: Mutex::new(stored),
        })
    }

    /// Takes a renewed certificate. The pins stay as enrolment set them, whatever the answer says.
    ///
    /// # Errors
    /// When the answer is for another data plane, or cannot be stored.
    pub fn renewed(&self, answer: &EnrollResponse) -> Result<(), IdentityError> {
        let fresh = certificate(answer.certificate_pem.as_bytes())?;
        names_the_data_plane(&fresh, &self.pinned.data_plane_id)?;
        disk::write_atomic(&self.folder.join("cert.pem"), answer.certificate_pem.as_bytes())?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// What enrolment pinned.
    #[must_use]
    pub fn pinned(&self) -> &Pinned {
        &self.pinned
    }

    /// The Ed25519 key that signs desired state, pinned at enrolment.
    #[must_use]
    pub fn signing_public_key(&self) -> &[u8] {
        &self.signing_public_key
    }

    /// The certificate to show now.
    #[must_use]
    pub fn current(&self) -> Certificate {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Chain and key for a connection.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn shown(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), IdentityError> {
        let key = PrivateKeyDer::try_from(self.key.serialize_der())
            .map_err(|_form| IdentityError::Answer("the stored key is damaged"))?;
        Ok((self.current().chain, key))
    }

    /// A certificate request of the same key.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn request(&self) -> Result<String, IdentityError> {
        request(&self.key)
    }
}

impl Certificate {
    /// When to ask for the next one: at two thirds of its life.
    #[must_use]
    pub fn renew_at(&self) -> SystemTime {
        let life = self.not_after.saturating_sub(self.not_before).max(0);
        unix(self.not_before + life / 3 * 2)
    }

    /// When it ends.
    #[must_use]
    pub fn ends_at(&self) -> SystemTime {
        unix(self.not_after)
    }
}

fn unix(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

fn names_the_data_plane(certificate: &Certificate, id: &str) -> Result<(), IdentityError> {
    let wanted = format!("weir://data-plane/{id}");
    let named = certificate
        .chain
        .first()
        .is_some_and(|leaf| uri_names(leaf).contains(&wanted));
    if named {
        Ok(())
    } else {
        Err(IdentityError::Answer(
            "the certificate does not name this data plane",
        ))
    }
}

fn certificate(pem: &[u8]) -> Result<Certificate, IdentityError> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(TlsError::from)?;
    let leaf = chain
        .first()
        .ok_or(IdentityError::Answer("there is no certificate"))?;
    let (_rest, parsed) = x509_parser::parse_x509_certificate(leaf)
        .map_err(|_unreadable| IdentityError::Answer("the certificate cannot be read"))?;
    let validity = parsed.validity();
    let (not_before, not_after) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    Ok(Certificate {
        chain,
        not_before,
        not_after,
    })
}

fn stored_key(folder: &Path) -> Result<KeyPair, IdentityError> {
    Ok(KeyPair::from_pem(&std::fs::read_to_string(
        folder.join("key.pem"),
    )?)?)
}

/// The key of `folder`, made at the first call, and a request for it: an enrolment that is tried again asks for the same key.
///
/// # Errors
/// As the file system and the cryptography say.
pub fn first_request(folder: &Path) -> Result<String, IdentityError> {
    disk::private_folder(folder)?;
    let key = match stored_key(folder) {
        Ok(key) => key,
        Err(_absent) => {
            let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
            disk::write_atomic(&folder.join("key.pem"), key.serialize_pem().as_bytes())?;
            key
        }
    };
    request(&key)
}

fn request(key: &KeyPair) -> Result<String, IdentityError> {
    Ok(CertificateParams::default().serialize_request(key)?.pem()?)
}
