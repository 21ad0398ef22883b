//! The keys of one pool's Flink: its processes believe each other and this agent, and nobody else on the machine.
//!
//! Java reads keys from stores that only Java writes well, so `keytool`, which comes with it, makes them once for each pool.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair};
use ring::rand::SecureRandom as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::configuration::{Folders, Stores};
use crate::disk;
use crate::platform::process::{Processes, Program};

/// How long `keytool` may take, once. A second on a quiet machine.
const KEYTOOL_MAX: Duration = Duration::from_secs(60);
const TEXT_BYTES_MAX: u64 = 64 * 1024;
/// The last file that is written: with it, all are there. Another name, and keys of before are made anew: those had no names.
const COMPLETE: &str = "complete-with-names";

/// What Flink's processes and the agent show each other.
pub struct Keys {
    /// For Flink.
    pub stores: Stores,
    /// For us.
    pub tls: TlsConnector,
}

/// Where they are made.
pub struct Shop<'a> {
    /// The pool's folders.
    pub folders: &'a Folders,
    /// A folder that only the agent can enter: its own key.
    pub own: &'a Path,
    /// The Java launcher, beside which `keytool` is.
    pub java: &'a Path,
    /// Who runs it.
    pub processes: &'a dyn Processes,
}

impl Shop<'_> {
    /// The keys of the pool, made if they are not there.
    ///
    /// # Errors
    /// As the file system says, and when `keytool` fails.
    pub async fn open_or_make(&self) -> io::Result<Keys> {
        if !self.own.join(COMPLETE).exists() {
            self.make().await?;
        }
        self.read()
    }

    fn stores(&self, password: String) -> Stores {
        let keys = self.folders.keys();
        Stores {
            key: keys.join("key.p12"),
            trust: keys.join("trust.p12"),
            password,
        }
    }

    async fn make(&self) -> io::Result<()> {
        // What an interrupted attempt left would be in the way.
        for folder in [&self.folders.keys(), self.own] {
            match std::fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _gone => disk::private_folder(folder)?,
            }
        }
        let mut random = [0_u8; 24];
        ring::rand::SystemRandom::new()
            .fill(&mut random)
            .map_err(|_none| io::Error::other("the system gives no random numbers"))?;
        let password = weir_credentials::hex(&random);
        let password_file = self.own.join("password");
        disk::write_atomic(&password_file, password.as_bytes())?;
        let (certificate, key) = agents_own().map_err(io::Error::other)?;
        let own_certificate = self.own.join("agent.pem");
        disk::write_atomic(&own_certificate, certificate.as_bytes())?;
        disk::write_atomic(&self.own.join("agent.key"), key.as_bytes())?;
        let Stores { key, trust, .. } = self.stores(password);
        let flinks = self.own.join("flink.pem");
        let by_file = ["-storepass:file", path(&password_file), "-storetype", "PKCS12"];
        let names = names();
        let make = [
            "-genkeypair",
            "-alias",
            "flink",
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-dname",
            "CN=flink",
            "-validity",
            "3650",
            "-ext",
            names.as_str(),
            "-keystore",
            path(&key),
        ];
        self.keytool(&make, &by_file).await?;
        let tell = [
            "-exportcert",
            "-rfc",
            "-alias",
            "flink",
            "-keystore",
            path(&key),
            "-file",
            path(&flinks),
        ];
        self.keytool(&tell, &by_file).await?;
        for (alias, file) in [("flink", &flinks), ("agent", &own_certificate)] {
            let believe = [
                "-importcert",
                "-noprompt",
                "-alias",
                alias,
                "-file",
                path(file),
                "-keystore",
                path(&trust),
            ];
            self.keytool(&believe, &by_file).await?;
        }
        disk::write_atomic(&self.own.join(COMPLETE), b"")
    }

    async fn keytool(&self, words: &[&str], more: &[&str]) -> io::Result<()> {
        let beside = self.java.parent().filter(|it| !it.as_os_str().is_empty());
        let program = Program {
            name: "keytool".to_owned(),
            executable: beside.map_or_else(|| PathBuf::from("keytool"), |it| it.join("keytool")),
            arguments: words.iter().chain(more).map(|it| (*it).to_owned()).collect(),
            log: self.own.join("keytool.log"),
            tag: self.own.display().to_string(),
            ..Program::default()
        };
        if self.processes.run(&program, KEYTOOL_MAX).await? {
            Ok(())
        } else {
            Err(io::Error::other(format!(
                "keytool failed: {}",
                program.log.display()
            )))
        }
    }

    fn read(&self) -> io::Result<Keys> {
        let password = disk::read_bounded(&self.own.join("password"), TEXT_BYTES_MAX)?.unwrap_or_default();
        let password = String::from_utf8(password).map_err(io::Error::other)?;
        let certificate = |name| CertificateDer::from_pem_file(self.own.join(name)).map_err(io::Error::other);
        let mut roots = RootCertStore::empty();
        roots.add(certificate("flink.pem")?).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from_pem_file(self.own.join("agent.key")).map_err(io::Error::other)?;
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate("agent.pem")?], key)
            .map_err(io::Error::other)?;
        Ok(Keys {
            stores: self.stores(password),
            tls: TlsConnector::from(Arc::new(config)),
        })
    }
}

/// What the processes are called by each other: TaskManagers look up the name of the address that they are given.
fn names() -> String {
    let mut names = "san=ip:127.0.0.1,dns:localhost,dns:localhost.localdomain".to_owned();
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = machine.trim();
    let is_plain = machine.starts_with(|it: char| it.is_ascii_alphanumeric())
        && machine
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "-.".contains(it));
    if is_plain {
        names.push_str(",dns:");
        names.push_str(machine);
    }
    names
}

/// Paths below the state folder, which are given as text to Java anyway.
fn path(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// The agent's certificate and its key.
fn agents_own() -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, "agent");
    let now = time::OffsetDateTime::now_utc();
    params.not_before = now - time::Duration::hours(1);
    params.not_after = now + time::Duration::days(3650);
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn task_managers_find_each_other_by_name() {
        let names = super::names();
        assert!(names.starts_with("san=ip:127.0.0.1,dns:localhost,"), "{names}");
        assert!(!names.contains(' '));
    }
}
