//! The customer's credentials for Kafka that is attached: files of theirs, named by wishes, read here and nowhere else.
//!
//! `<state folder>/credentials/<name>.toml`:
//! ```toml
//! hosts = ["kafka-1.internal:9093", "*.kafka.internal:9093"]   # the only addresses that it is used for
//! password = "..."                                             # left out: brokers that ask for no login
//! tenants = ["tenant_01..."]                                   # whose jobs may use it; those of every tenant if nothing is said
//! ```
//! Without such a file nothing is attached: the file is the customer's consent, and whoever writes wishes cannot have the
//! password sent anywhere else.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::disk;

const FILE_BYTES_MAX: u64 = 64 * 1024;
const NAME_LENGTH_MAX: usize = 63;

/// What a file says. `Debug` hides the password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    hosts: Vec<String>,
    #[serde(default)]
    password: String,
    #[serde(default)]
    tenants: Vec<String>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoCredential {
    /// The name could name another file, or there is no such file.
    #[error("there is no file of this name")]
    Missing,
    /// It cannot be read.
    #[error("read the credential's file")]
    File(#[from] std::io::Error),
    /// It is not what a credential looks like; what it holds is not told.
    #[error("the credential's file is no TOML with hosts and a password")]
    Form,
}

impl Credential {
    /// The credential of this name in a folder.
    ///
    /// # Errors
    /// When there is none that can be used.
    pub fn read(folder: &Path, name: &str) -> Result<Self, NoCredential> {
        let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-' || it == b'_';
        if !(1..=NAME_LENGTH_MAX).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(NoCredential::Missing);
        }
        let path: PathBuf = folder.join(format!("{name}.toml"));
        let bytes = disk::read_bounded(&path, FILE_BYTES_MAX)?.ok_or(NoCredential::Missing)?;
        let text = std::str::from_utf8(&bytes).map_err(|_no_text| NoCredential::Form)?;
        // The parser's words would repeat the line.
        toml::from_str(text).map_err(|_words| NoCredential::Form)
    }

    /// The password in clear, for the login itself.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// May jobs of this tenant use it?
    #[must_use]
    pub fn is_for_tenant(&self, tenant: &str) -> bool {
        self.tenants.is_empty() || self.tenants.iter().any(|it| it == tenant)
    }

    /// May it be used for this address?
    #[must_use]
    pub fn is_for(&self, host: &str, port: u16) -> bool {
        self.hosts.iter().any(|pattern| {
            let Some((name, at)) = pattern.rsplit_once(':') else {
                return false;
            };
            let port_fits = at == "*" || at.parse() == Ok(port);
            let host_fits = match name.strip_prefix("*.") {
                None => name.eq_ignore_ascii_case(host),
                Some(domain) => {
                    host.len() > domain.len() + 1 && {
                        let (_first, rest) = host.split_at(host.len() - domain.len() - 1);
                        rest.strip_prefix('.')
                            .is_some_and(|it| it.eq_ignore_ascii_case(domain))
                    }
                }
            };
            port_fits && host_fits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_used_for_its_hosts_only() {
        let credential = Credential {
            hosts: ["kafka:9093", "*.internal:9094", "10.0.0.1:*", "broken"]
                .map(str::to_owned)
                .into(),
            password: "secret".to_owned(),
            tenants: Vec::new(),
        };
        assert!(credential.is_for_tenant("tenant_1"), "as files of before");
        let of_one = Credential {
            tenants: vec!["tenant_1".to_owned()],
            ..credential.clone()
        };
        assert!(of_one.is_for_tenant("tenant_1"));
        assert!(!of_one.is_for_tenant("tenant_2") && !of_one.is_for_tenant(""));
        for (host, port) in [
            ("kafka", 9093),
            ("KAFKA", 9093),
            ("a.b.internal", 9094),
            ("10.0.0.1", 1),
        ] {
            assert!(credential.is_for(host, port), "{host}:{port}");
        }
        for (host, port) in [
            ("kafka", 9092),
            ("kafka.evil", 9093),
            ("internal", 9094),
            (".internal", 9094),
            ("evilinternal", 9094),
            ("10.0.0.11", 1),
            ("broken", 0),
        ] {
            assert!(!credential.is_for(host, port), "{host}:{port}");
        }
        assert!(!format!("{credential:?}").contains("secret"));
    }

    #[test]
    fn a_file_is_read_by_its_name_and_strictly() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("east.toml", "hosts = [\"kafka:9093\"]\npassword = \"p\"\n");
        let east = Credential::read(folder.path(), "east").unwrap();
        assert!(east.is_for("kafka", 9093));
        assert_eq!(east.password(), "p");
        write("open.toml", "hosts = [\"kafka:9092\"]\n");
        assert_eq!(Credential::read(folder.path(), "open").unwrap().password(), "");
        write("bad.toml", "password = \"canary\"\n");
        let refused = Credential::read(folder.path(), "bad").unwrap_err();
        assert!(matches!(refused, NoCredential::Form));
        assert!(!format!("{refused:?} {refused}").contains("canary"));
        for missing in ["west", "", "../east", "east.toml", "a/b", "East"] {
            let refused = Credential::read(folder.path(), missing);
            assert!(matches!(refused, Err(NoCredential::Missing)), "{missing}");
        }
    }
}
