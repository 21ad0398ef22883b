//! Who a job is to gateways: a secret that the agent makes and that never leaves this machine.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_credentials::{Mechanism, NotASecret, ScramVerifier, Secret, SecretKind};
use weir_proto::agent::v1::{ApiKey, Job, Scram};

use crate::disk;

const FILE_BYTES_MAX: u64 = 64 * 1024;
const FILE: &str = "identity.json";

/// A secret, and what gateways keep of it. The salts are kept, too, so that the same secret is always the same key.
pub struct Identity {
    secret: Secret,
    scram_sha_256: ScramVerifier,
    scram_sha_512: ScramVerifier,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    secret: String,
    salt_sha_256: String,
    salt_sha_512: String,
}

impl Identity {
    /// The job's identity in its folder, made if there is none.
    ///
    /// # Errors
    /// As the file system says, and when the system gives no random numbers.
    pub fn open_or_make(folder: &Path) -> io::Result<Self> {
        disk::private_folder(folder)?;
        let path = folder.join(FILE);
        // What cannot be read is made anew: nobody else has the old one.
        if let Some(identity) = disk::read_json::<Kept>(&path, FILE_BYTES_MAX)
            .unwrap_or(None)
            .and_then(Self::kept)
        {
            return Ok(identity);
        }
        let made = Self::make().map_err(io::Error::other)?;
        let kept = Kept {
            secret: made.secret.reveal().to_owned(),
            salt_sha_256: weir_credentials::hex(&made.scram_sha_256.salt),
            salt_sha_512: weir_credentials::hex(&made.scram_sha_512.salt),
        };
        disk::write_json(&path, &kept)?;
        Ok(made)
    }

    fn make() -> Result<Self, NotASecret> {
        let secret = Secret::generate(SecretKind::ApiKey)?;
        Ok(Self {
            scram_sha_256: ScramVerifier::derive(Mechanism::Sha256, secret.reveal())?,
            scram_sha_512: ScramVerifier::derive(Mechanism::Sha512, secret.reveal())?,
            secret,
        })
    }

    fn kept(kept: Kept) -> Option<Self> {
        let Kept {
            secret,
            salt_sha_256,
            salt_sha_512,
        } = kept;
        let secret = Secret::parse(SecretKind::ApiKey, &secret).ok()?;
        let verifier = |mechanism, salt: &str| {
            let rounds = weir_credentials::SCRAM_ITERATIONS;
            Some(ScramVerifier::with_salt(
                mechanism,
                secret.reveal(),
                unhex(salt)?,
                rounds,
            ))
        };
        Some(Self {
            scram_sha_256: verifier(Mechanism::Sha256, &salt_sha_256)?,
            scram_sha_512: verifier(Mechanism::Sha512, &salt_sha_512)?,
            secret,
        })
    }

    /// The secret, for the file that is handed to a worker.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.secret.reveal()
    }

    /// The key that gateways are told.
    #[must_use]
    pub fn key(&self, job: &Job) -> ApiKey {
        ApiKey {
            id: job.id.clone(),
            principal_id: job.principal_id.clone(),
            cluster_id: job.cluster_id.clone(),
            sha256: self.secret.sha256().to_vec(),
            scram_sha_256: Some(told(&self.scram_sha_256)),
            scram_sha_512: Some(told(&self.scram_sha_512)),
            expires_at_unix_seconds: 0,
            public_key_sha256: Vec::new(),
            sealed: Vec::new(),
            cluster_link_id: String::new(),
        }
    }
}

fn told(verifier: &ScramVerifier) -> Scram {
    Scram {
        salt: verifier.salt.clone(),
        iterations: verifier.iterations.get(),
        stored_key: verifier.stored_key.clone(),
        server_key: verifier.server_key.clone(),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect::<Option<Vec<u8>>>().filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_identity_is_kept_private_and_the_same_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("job_1");
        let job = Job {
            id: "job_1".to_owned(),
            principal_id: "service_account_1".to_owned(),
            cluster_id: "cluster_1".to_owned(),
            ..Job::default()
        };
        let made = Identity::open_or_make(&folder).unwrap();
        let again = Identity::open_or_make(&folder).unwrap();
        assert_eq!(
            made.key(&job),
            again.key(&job),
            "the same key: nobody has to log in anew"
        );
        assert_eq!(made.reveal(), again.reveal());
        assert_eq!(
            made.key(&job).sha256,
            weir_credentials::sha256(made.reveal().as_bytes())
        );
        let mode = |name: &str| {
            let path = folder.join(name);
            path.metadata().unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode(""), mode(FILE)), (0o700, 0o600));
        std::fs::write(folder.join(FILE), b"{").unwrap();
        let anew = Identity::open_or_make(&folder).unwrap();
        assert_ne!(anew.reveal(), made.reveal());
    }
}
