//! A `PostgreSQL` of our own: one folder, one TCP port on loopback, passwords, no socket.

use crate::process::{Identity, pid_file, spawn};
use crate::run;
use crate::trouble::Trouble;
use crate::workspace::{fingerprint, make_dir, write_private};
use anyhow::{Context, Result};
use rustix::process::Signal;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The superuser that `initdb` makes.
pub const SUPERUSER: &str = "weir_super";

/// One instance.
#[derive(Debug, Clone)]
pub struct Postgres {
    /// The folder of the server programs.
    pub bin: PathBuf,
    /// The data folder.
    pub data: PathBuf,
    /// TCP port on 127.0.0.1.
    pub port: u16,
    /// The superuser's password.
    pub password: String,
    /// A throw-away instance trades durability for speed.
    pub throw_away: bool,
    /// The log of the server.
    pub log: PathBuf,
    /// Where its pid file lies.
    pub run: PathBuf,
}

impl Postgres {
    /// Creates the data folder when there is none, and starts the server.
    pub async fn start(&self) -> Result<Identity> {
        if !self.data.join("PG_VERSION").is_file() {
            self.initialise().await?;
        }
        let mut command = Command::new(self.bin.join("postgres"));
        command.arg("-D").arg(&self.data);
        let port = self.port.to_string();
        let mut settings = vec![
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", ""),
        ];
        settings.extend([
            ("logging_collector", "off"),
            ("max_connections", "200"),
            ("timezone", "UTC"),
        ]);
        if self.throw_away {
            settings.extend([
                ("fsync", "off"),
                ("synchronous_commit", "off"),
                ("full_page_writes", "off"),
            ]);
        }
        for (name, value) in settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        as_another_user(&mut command)?;
        let child = spawn(command, &self.log, &pid_file(&self.run, "postgres"))?;
        self.ready(child).await?;
        Ok(child)
    }

    /// Fast shutdown: open transactions are rolled back, the data folder is left clean.
    pub async fn stop(run: &Path) -> bool {
        let file = pid_file(run, "postgres");
        let Some(server) = Identity::load(&file) else {
            return true;
        };
        let clean = server.stop(Signal::INT, Duration::from_secs(20)).await;
        let _gone = std::fs::remove_file(file);
        clean
    }

    /// A connection string for `user`.
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The superuser's connection string.
    pub fn superuser_url(&self, database: &str) -> String {
        self.url(SUPERUSER, &self.password, database)
    }

    /// Runs statements as the superuser and returns what `psql` prints.
    pub async fn psql(&self, database: &str, statements: &str) -> Result<String> {
        let mut command = tokio::process::Command::new(self.bin.join("psql"));
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set=ON_ERROR_STOP=1",
            ])
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                SUPERUSER,
                "-d",
                database,
            ])
            .args(["-c", statements])
            .env("PGPASSWORD", &self.password);
        let output = run::captured(command).await?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Trouble::new(format!("psql: {said}")).log(&self.log).into())
    }

    /// Makes a login role and a database that it owns, unless they exist.
    pub async fn ensure_owner(&self, role: &str, password: &str, database: &str) -> Result<()> {
        // Both names are constants of ours and the password is hexadecimal: nothing needs quoting.
        if self
            .psql(
                "postgres",
                &format!("select 1 from pg_roles where rolname = '{role}'"),
            )
            .await?
            .is_empty()
        {
            self.psql(
                "postgres",
                &format!("create role {role} login createrole password '{password}'"),
            )
            .await?;
        }
        if self
            .psql(
                "postgres",
                &format!("select 1 from pg_database where datname = '{database}'"),
            )
            .await?
            .is_empty()
        {
            self.psql("postgres", &format!("create database {database} owner {role}"))
                .await?;
        }
        Ok(())
    }

    async fn initialise(&self) -> Result<()> {
        make_dir(&self.data)?;
        let password_file = self.data.with_extension("initial-password");
        write_private(&password_file, &self.password)?;
        if let Some((uid, gid)) = unprivileged_user()? {
            for path in [&self.data, &password_file] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid))
                    .with_context(|| format!("give {} to user {uid}", path.display()))?;
            }
        }
        std::fs::set_permissions(&self.data, std::fs::Permissions::from_mode(0o700))
            .with_context(|| format!("protect {}", self.data.display()))?;
        let mut command = Command::new(self.bin.join("initdb"));
        command
            .arg("-D")
            .arg(&self.data)
            .args([
                "-U",
                SUPERUSER,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions",
            ])
            .arg(format!("--pwfile={}", password_file.display()));
        if self.throw_away {
            command.arg("--no-sync");
        }
        as_another_user(&mut command)?;
        let done = run::logged(
            command.into(),
            &self.log,
            "initdb",
            "read the log; remove the data folder, try again",
        )
        .await;
        let _gone = std::fs::remove_file(&password_file);
        done
    }

    /// Waits for `ready` in the eighth line of `postmaster.pid`.
    async fn ready(&self, child: Identity) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let file = self.data.join("postmaster.pid");
        loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let mut lines = text.lines();
            let owner = lines.next().and_then(|it| it.trim().parse().ok());
            if owner == Some(child.pid) && lines.nth(6).is_some_and(|it| it.trim() == "ready") {
                return Ok(());
            }
            if !child.alive() || Instant::now() > deadline {
                return Err(Trouble::new("PostgreSQL does not start")
                    .log(&self.log)
                    .remedy("is the port free? `cargo xtask down` stops what an earlier run left")
                    .into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Where the data lies: `wished`, unless the server's user cannot get there; then a folder below /var/lib.
pub fn data_folder(wished: &Path) -> Result<(PathBuf, Option<String>)> {
    let Some((uid, gid)) = unprivileged_user()? else {
        return Ok((wished.to_owned(), None));
    };
    let blocked = wished
        .ancestors()
        .skip(1)
        .filter(|dir| dir.exists())
        .find(|dir| !passable(dir, uid, gid));
    let Some(blocked) = blocked else {
        return Ok((wished.to_owned(), None));
    };
    let key = fingerprint([wished.display().to_string().as_bytes()]);
    let place = Path::new("/var/lib/weir-dev").join(key).join("postgres");
    let why = format!(
        "PostgreSQL refuses to run as root and its user cannot enter {}: the database lies in {}",
        blocked.display(),
        place.display()
    );
    Ok((place, Some(why)))
}

fn passable(dir: &Path, uid: u32, gid: u32) -> bool {
    let Ok(meta) = std::fs::metadata(dir) else {
        return false;
    };
    let bit = if meta.uid() == uid {
        0o100
    } else if meta.gid() == gid {
        0o010
    } else {
        0o001
    };
    meta.mode() & bit != 0
}

/// The user that stands in for root, which `PostgreSQL` refuses to run as; none when we are not root.
fn unprivileged_user() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = crate::workspace::read(Path::new("/etc/passwd"))?;
    let found = ["postgres", "nobody"].iter().find_map(|name| {
        let line = users.lines().find(|it| it.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    match found {
        Some(ids) => Ok(Some(ids)),
        None => Err(Trouble::new(
            "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`",
        )
        .remedy("run this as another user")
        .into()),
    }
}

fn as_another_user(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    if let Some((uid, gid)) = unprivileged_user()? {
        // The folder that we stand in may be closed to that user.
        command.uid(uid).gid(gid).current_dir("/");
    }
    Ok(())
}
