//! Servers that stand beside the control plane while it is measured; they end with their value.

use super::load::Registry;
use crate::postgres::Postgres;
use crate::process::open_log;
use crate::run::Group;
use crate::setup::peers::Apicurio;
use crate::stack::Stack;
use crate::state::is_free;
use crate::story::client::Api;
use crate::trouble::Trouble;
use crate::workspace::random_hex;
use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::json;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long a JVM may take to answer first.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Where Apicurio speaks the Schema Registry API.
const CCOMPAT: &str = "/apis/ccompat/v7";

/// One server.
pub struct Server {
    /// Asks it.
    pub api: Api,
    /// Its process.
    pub pid: i32,
    _group: Group,
    _child: Child,
}

/// Where Apicurio keeps what is registered, if not in its memory.
pub struct Database {
    url: String,
    password: String,
}

/// The role of Apicurio, and its database.
const NAME: &str = "apicurio";

/// A database for Apicurio on the stack's own server.
pub async fn database(postgres: &Postgres) -> Result<Database> {
    let password = random_hex(12)?;
    postgres.ensure_owner(NAME, &password, NAME).await?;
    // The role may be there from a run that was stopped.
    let again = format!("alter role {NAME} password '{password}'");
    postgres.psql("postgres", &again).await?;
    let url = format!("jdbc:postgresql://127.0.0.1:{}/{NAME}", postgres.port);
    Ok(Database { url, password })
}

impl Server {
    /// A bare axum server.
    pub async fn hello(stack: &Stack) -> Result<Self> {
        let port = free_port(stack, 0)?;
        let mut command = Command::new(stack.ws.binary("weir-bench", true));
        command.args(["hello", "--listen", &format!("127.0.0.1:{port}")]);
        Self::start(stack, "hello", command, port, "/").await
    }

    /// Apicurio Registry, in its own memory or in a database.
    pub async fn apicurio(stack: &Stack, program: &Apicurio, database: Option<&Database>) -> Result<Self> {
        let (port, management) = (free_port(stack, 100)?, free_port(stack, 200)?);
        let mut command = Command::new(&program.java);
        command
            .args(["-Xms512m", "-Xmx512m", "-jar"])
            .arg(&program.jar)
            .env("QUARKUS_HTTP_HOST", "127.0.0.1")
            .env("QUARKUS_HTTP_PORT", port.to_string())
            .env("QUARKUS_MANAGEMENT_HOST", "127.0.0.1")
            .env("QUARKUS_MANAGEMENT_PORT", management.to_string())
            // A line for each request would be held against it.
            .env("QUARKUS_HTTP_ACCESS_LOG_ENABLED", "false")
            .env("QUARKUS_OTEL_SDK_DISABLED", "true");
        if let Some(Database { url, password }) = database {
            command
                .env("APICURIO_STORAGE_KIND", "sql")
                .env("APICURIO_STORAGE_SQL_KIND", "postgresql")
                .env("APICURIO_DATASOURCE_URL", url)
                .env("APICURIO_DATASOURCE_USERNAME", NAME)
                .env("APICURIO_DATASOURCE_PASSWORD", password);
        }
        Self::start(stack, NAME, command, port, &format!("{CCOMPAT}/subjects")).await
    }

    /// Apicurio's Schema Registry API, with the level that is ours where nobody says otherwise.
    pub async fn registry(&self) -> Result<Registry> {
        let level = json!({"compatibility": "BACKWARD"});
        let path = format!("{CCOMPAT}/config");
        let answer = self.api.send(Method::PUT, &path, Some(&level), None).await?;
        if answer.status != 200 {
            bail!("PUT {path}: answered {} {}", answer.status, answer.body);
        }
        Ok(Registry {
            api: self.api.clone(),
            base: CCOMPAT,
        })
    }

    async fn start(stack: &Stack, name: &str, mut command: Command, port: u16, probe: &str) -> Result<Self> {
        let log = stack.state.log(name);
        let out = open_log(&log)?;
        let err = out.try_clone().context("share the log file")?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        let group = Group::of(&child);
        let pid = child.id().with_context(|| format!("{name} ended at once"))?;
        let api = Api::new(&format!("http://127.0.0.1:{port}"));
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let answer = api.send(Method::GET, probe, None, None).await;
            if answer.is_ok_and(|it| it.status == 200) {
                break;
            }
            if child.try_wait().context("watch a server")?.is_some() || Instant::now() > deadline {
                let text = format!("{name} does not become ready");
                return Err(Trouble::new(text).log(log).remedy("read the log").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(Self {
            api,
            pid: i32::try_from(pid).context("read a process id")?,
            _group: group,
            _child: child,
        })
    }
}

/// Behind the stack's own ports.
fn free_port(stack: &Stack, offset: u16) -> Result<u16> {
    let from = stack.settings.port_base + 1000 + offset;
    (from..from + 100)
        .find(|port| is_free(*port))
        .context("find a free port")
}
