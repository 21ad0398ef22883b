//! `weir-agent doctor`: what an installation needs, checked before anything is installed. A report for the security team.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::run::RunArgs;
use crate::config::AgentConfig;
use crate::link::enroll::Door;
use crate::link::replay::replay;
use crate::policy::PolicyFile;
use crate::resources::broker_pool::java_class_path;

const JAVA_LEAST: u32 = 17;
const DISK_LEAST_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const JARS: [&str; 3] = ["kafka_2.13-", "kafka-tools-", "log4j-core-"];

/// What one check found.
struct Finding {
    what: &'static str,
    result: Result<String, String>,
}

pub(super) async fn run(args: RunArgs) -> anyhow::Result<()> {
    let config = args.into_config()?;
    let findings = [
        Finding {
            what: "java",
            result: java(&config.kafka.java),
        },
        Finding {
            what: "kafka jars",
            result: jars(&config.kafka.libs),
        },
        Finding {
            what: "ports",
            result: ports(&config),
        },
        Finding {
            what: "disk",
            result: disk_space(&config.state_dir),
        },
        Finding {
            what: "policy",
            result: policy(&config),
        },
        Finding {
            what: "ledger",
            result: ledger(&config),
        },
        Finding {
            what: "control plane",
            result: control_plane(&config).await,
        },
    ];
    let mut out = std::io::stdout().lock();
    let mut failed = 0;
    for finding in findings {
        let (mark, text) = match finding.result {
            Ok(text) => ("ok  ", text),
            Err(text) => {
                failed += 1;
                ("FAIL", text)
            }
        };
        writeln!(out, "{mark}  {:<14} {text}", finding.what)?;
    }
    writeln!(
        out,
        "\nThe agent opens one connection, to {}. It listens on {} only for your own clients; brokers and lane on 127.0.0.1.",
        config.control_plane, config.listen_host
    )?;
    if failed > 0 {
        anyhow::bail!("{failed} checks failed");
    }
    Ok(())
}

fn java(java: &Path) -> Result<String, String> {
    let output = Command::new(java)
        .arg("-version")
        .output()
        .map_err(|error| format!("{} cannot be started: {error}", java.display()))?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let version = java_major(&text).ok_or("its version cannot be read")?;
    if version < JAVA_LEAST {
        return Err(format!("version {version}; Kafka needs {JAVA_LEAST} or later"));
    }
    Ok(format!("version {version}"))
}

/// The major version in `java -version`: `openjdk version "17.0.15" 2025-04-15`.
fn java_major(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    quoted.split(['.', '-', '+']).next()?.parse().ok()
}

fn jars(libs: &Path) -> Result<String, String> {
    let class_path = java_class_path(libs).map_err(|error| format!("{}: {error}", libs.display()))?;
    let names: Vec<&str> = class_path
        .split(':')
        .filter_map(|path| Path::new(path).file_name()?.to_str())
        .collect();
    let missing: Vec<&str> = JARS
        .into_iter()
        .filter(|wanted| !names.iter().any(|name| name.starts_with(wanted)))
        .collect();
    if missing.is_empty() {
        Ok(format!("{} jars", names.len()))
    } else {
        Err(format!("missing: {}", missing.join(", ")))
    }
}

fn ports(config: &AgentConfig) -> Result<String, String> {
    let all = config.ports.all();
    let taken: Vec<String> = all
        .iter()
        .filter(|port| TcpListener::bind((config.listen_host.as_str(), **port)).is_err())
        .map(ToString::to_string)
        .collect();
    if taken.is_empty() {
        Ok(format!(
            "{} free from {} on {}",
            all.len(),
            config.ports.gateway(),
            config.listen_host
        ))
    } else {
        Err(format!(
            "in use on {}: {} (an agent that already runs here?)",
            config.listen_host,
            taken.join(", ")
        ))
    }
}

fn disk_space(state: &Path) -> Result<String, String> {
    let there = state
        .ancestors()
        .find(|folder| folder.exists())
        .ok_or("no folder above it exists")?;
    let space = rustix::fs::statvfs(there).map_err(|error| error.to_string())?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let text = format!("{} MiB free under {}", free / 1024 / 1024, there.display());
    if free < DISK_LEAST_BYTES {
        Err(text)
    } else {
        Ok(text)
    }
}

fn policy(config: &AgentConfig) -> Result<String, String> {
    match &config.policy {
        None => Ok("none: nothing is refused".to_owned()),
        Some(path) => PolicyFile::open(Some(path))
            .map(|_read| format!("{} is understood", path.display()))
            .map_err(|error| format!("{}: {error}", path.display())),
    }
}

fn ledger(config: &AgentConfig) -> Result<String, String> {
    let folder = config.state_dir.join("ledger");
    if !folder.exists() {
        return Ok("nothing has left yet".to_owned());
    }
    replay(&folder, drop)
        .map(|summary| format!("{} entries, chain whole", summary.entries))
        .map_err(|error| error.to_string())
}

async fn control_plane(config: &AgentConfig) -> Result<String, String> {
    let door = Door {
        address: config.control_plane.clone(),
        ca_sha256: config.ca_sha256,
    };
    match tokio::time::timeout(Duration::from_secs(10), door.open(None)).await {
        Ok(Ok(_channel)) => Ok(format!("{} answers and is the pinned one", config.control_plane)),
        Ok(Err(error)) => Err(format!(
            "{} does not answer as the pinned one: {:#}",
            config.control_plane,
            anyhow::Error::from(error)
        )),
        Err(_late) => Err(format!("{} does not answer", config.control_plane)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_versions_are_read_in_all_their_spellings() {
        assert_eq!(java_major("openjdk version \"17.0.15\" 2025-04-15\n"), Some(17));
        assert_eq!(java_major("openjdk version \"25\" 2025-09-16\n"), Some(25));
        assert_eq!(java_major("openjdk version \"21-ea\"\n"), Some(21));
        assert_eq!(java_major("java: not found"), None);
    }
}
