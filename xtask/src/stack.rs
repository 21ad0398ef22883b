//! One running stack: `PostgreSQL`, control plane and agent, each in its own process group with a log and a pid file.

use crate::model::{Load, Model};
use crate::postgres::{Postgres, data_folder};
use crate::process::{Identity, pid_file, running_below, spawn};
use crate::progress::Progress;
use crate::run;
use crate::setup::Tools;
use crate::state::{Ports, Settings, StateDir};
use crate::story::client::Api;
use crate::trouble::Trouble;
use crate::workspace::{Workspace, make_dir, write_private};
use anyhow::{Context, Result};
use rustix::process::Signal;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// The first operator.
pub const OPERATOR: &str = "operator@weir.example";

/// Usage windows of a development agent: short, so that the story sees them.
const USAGE_WINDOW: &str = "5s";

/// Everything that is needed to start and stop the parts.
pub struct Stack {
    /// The repository.
    pub ws: Workspace,
    /// Where state lies.
    pub state: StateDir,
    /// What is remembered.
    pub settings: Settings,
    /// Programs of the machine.
    pub tools: Tools,
    /// Kafka's jars.
    pub kafka_libs: PathBuf,
    /// Flink's, where jobs in SQL shall run.
    pub flink_libs: Option<PathBuf>,
    /// Release binaries?
    pub release: bool,
    /// The model that a job of the story asks, once it listens.
    pub model: Option<Model>,
}

impl Stack {
    /// The ports.
    pub fn ports(&self) -> Ports {
        self.settings.ports()
    }

    /// The address of console and REST.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports().http())
    }

    /// Starts `PostgreSQL` and brings the schema up to date.
    pub async fn start_postgres(&mut self, progress: &Progress) -> Result<()> {
        let step = progress.step("PostgreSQL");
        let postgres = self.postgres()?;
        postgres.start().await?;
        let owner = self.settings.secret("postgres.weir_owner")?;
        postgres.ensure_owner("weir_owner", &owner, "weir").await?;
        step.done(format!("127.0.0.1:{}", postgres.port));
        let step = progress.step("schema");
        let app = self.settings.secret("postgres.weir_app")?;
        let password_file = self.state.root.join("app-password");
        write_private(&password_file, &app)?;
        let mut migrate = tokio::process::Command::new(self.binary("weir-control-plane"));
        migrate
            .args(["migrate", "--app-role", "weir_app", "--app-password-file"])
            .arg(&password_file)
            .env("WEIR_DATABASE_URL", postgres.url("weir_owner", &owner, "weir"));
        let log = self.state.log("migrate");
        run::logged(
            migrate,
            &log,
            "weir-control-plane migrate",
            "read the log; `cargo xtask down --purge` begins anew",
        )
        .await?;
        step.done("up to date");
        Ok(())
    }

    /// This stack's database server.
    pub fn postgres(&mut self) -> Result<Postgres> {
        let data = match &self.settings.postgres_data {
            Some(held) => held.clone(),
            None => {
                let (data, why) = data_folder(&self.state.root.join("postgres"))?;
                if let Some(why) = why {
                    println!("  · {why}");
                }
                self.settings.postgres_data = Some(data.clone());
                self.settings.save()?;
                data
            }
        };
        Ok(Postgres {
            bin: self.tools.postgres_bin.clone(),
            data,
            port: self.ports().postgres(),
            password: self.settings.secret("postgres.superuser")?,
            throw_away: false,
            log: self.state.log("postgres"),
            run: self.state.run(),
        })
    }

    fn binary(&self, name: &str) -> PathBuf {
        self.ws.binary(name, self.release)
    }

    fn app_url(&mut self) -> Result<String> {
        let password = self.settings.secret("postgres.weir_app")?;
        Ok(format!(
            "postgres://weir_app:{password}@127.0.0.1:{}/weir",
            self.ports().postgres()
        ))
    }

    /// Makes the first operator; repeating it changes nothing.
    pub async fn bootstrap_operator(&mut self) -> Result<()> {
        let password = self.settings.secret("operator")?;
        let file = self.state.root.join("operator-password");
        write_private(&file, &password)?;
        let mut command = tokio::process::Command::new(self.binary("weir-control-plane"));
        command
            .args(["admin", "bootstrap", "--email", OPERATOR, "--password-file"])
            .arg(&file)
            .env("WEIR_DATABASE_URL", self.app_url()?);
        let log = self.state.log("bootstrap");
        run::logged(
            command,
            &log,
            "weir-control-plane admin bootstrap",
            "read the log",
        )
        .await
    }

    /// Starts the control plane and waits until it is ready.
    pub async fn start_control_plane(&mut self) -> Result<Identity> {
        let (url, ports) = (self.url(), self.ports());
        let mut command = Command::new(self.binary("weir-control-plane"));
        command
            .args(["serve", "--state-dir"])
            .arg(self.state.control_plane())
            .args(["--http-listen", &format!("127.0.0.1:{}", ports.http())])
            .args(["--link-listen", &format!("127.0.0.1:{}", ports.link())])
            .args(["--public-url", &url])
            .args(["--link-public-address", &format!("127.0.0.1:{}", ports.link())])
            // Not as an argument: every user of the machine may read those.
            .env("WEIR_DATABASE_URL", self.app_url()?);
        let log = self.state.log("control-plane");
        let child = spawn(command, &log, &pid_file(&self.state.run(), "control-plane"))?;
        let api = Api::new(&url);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !api.ready().await {
            if !child.alive() || Instant::now() > deadline {
                return Err(Trouble::new("the control plane does not become ready")
                    .log(log)
                    .remedy("is the port free? `cargo xtask status` shows what runs")
                    .into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(child)
    }

    /// Starts the agent; `enrollment` are the arguments of the printed command, without `run`.
    pub fn start_agent(&mut self, enrollment: &[String]) -> Result<Identity> {
        if !self.state.policy().exists() {
            write_private(
                &self.state.policy(),
                "# The customer's own: refuses nothing, and lets jobs call nobody.\n",
            )?;
        }
        let mut command = Command::new(self.binary("weir-agent"));
        command
            .arg("run")
            .args(enrollment)
            .arg("--state-dir")
            .arg(self.state.agent())
            .arg("--kafka-libs")
            .arg(&self.kafka_libs)
            .arg("--java")
            .arg(&self.tools.java)
            .arg("--policy")
            .arg(self.state.policy())
            .args([
                "--port-base",
                &self.ports().agent().to_string(),
                "--usage-window",
                USAGE_WINDOW,
            ]);
        if let Some(libs) = &self.flink_libs {
            command.arg("--flink-libs").arg(libs);
        }
        let child = spawn(
            command,
            &self.state.log("agent"),
            &pid_file(&self.state.run(), "agent"),
        )?;
        // The token is used up; what tells the agent its control plane is kept for the next start.
        let mut kept = enrollment.to_vec();
        if let Some(at) = kept.iter().position(|it| it == "--token") {
            kept.drain(at..(at + 2).min(kept.len()));
        }
        self.settings.agent = kept;
        self.settings.save()?;
        Ok(child)
    }

    /// Starts the model, unless it listens already. It is a task of ours and ends with us.
    pub async fn start_model(&mut self) -> Result<()> {
        if self.model.is_none() {
            self.model = Some(Model::start(self.ports().model()).await?);
        }
        Ok(())
    }

    /// What the model was asked.
    pub fn model_load(&self) -> Result<Load> {
        self.model
            .as_ref()
            .map(Model::load)
            .context("the model does not listen")
    }

    /// Writes the customer's policy: jobs may call this host and no other.
    pub fn let_jobs_call(&self, host: &str) -> Result<()> {
        let text = format!(
            "# The customer's own, beside the agent. Whom jobs may call.\n[jobs]\nhosts = [\"{host}\"]\n"
        );
        write_private(&self.state.policy(), &text)
    }

    /// Writes a secret of the customer's, for jobs that call this host.
    pub fn give_secret(&self, name: &str, host: &str, secret: &str) -> Result<()> {
        let folder = self.state.agent().join("credentials");
        make_dir(&folder)?;
        let text = format!("hosts = [\"{host}\"]\npassword = \"{secret}\"\n");
        write_private(&folder.join(format!("{name}.toml")), &text)
    }

    /// The process of a part, if it runs.
    pub fn part(&self, name: &str) -> Option<Identity> {
        Identity::load(&pid_file(&self.state.run(), name)).filter(|it| it.alive())
    }

    /// Watches the parts; returns the failure of the first that ends unasked.
    pub async fn watch(&self) -> anyhow::Error {
        loop {
            for name in ["postgres", "control-plane", "agent"] {
                let known = Identity::load(&pid_file(&self.state.run(), name));
                if known.is_some_and(|it| !it.alive()) {
                    return Trouble::new(format!("{name} ended unasked"))
                        .log(self.state.log(name))
                        .remedy("read the log and run `cargo xtask up` again: it resumes")
                        .into();
                }
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Stops whatever runs of the stack in `state`, in the order that loses nothing. Says what had to be killed.
pub async fn stop_all(state: &StateDir) -> Vec<String> {
    let mut killed = Vec::new();
    let run = state.run();
    // The agent first: its gateway hands the last usage over while the control plane still listens.
    for (name, grace) in [("agent", 45), ("control-plane", 15)] {
        let file = pid_file(&run, name);
        if let Some(part) = Identity::load(&file)
            && part.alive()
            && !part.stop(Signal::TERM, Duration::from_secs(grace)).await
        {
            killed.push(name.to_owned());
        }
        let _gone = std::fs::remove_file(file);
    }
    // What an agent that was killed left behind.
    for child in running_below(&[&state.agent(), &state.control_plane()]) {
        let name = child
            .arguments
            .iter()
            .take(2)
            .cloned()
            .collect::<Vec<_>>()
            .join(" ");
        child.identity.stop(Signal::TERM, Duration::from_secs(20)).await;
        killed.push(format!("left behind: {name}"));
    }
    if !Postgres::stop(&run).await {
        killed.push("postgres".to_owned());
    }
    killed
}

/// The enrolment command that the control plane prints, as arguments after `weir-agent run`.
pub fn enrollment_arguments(printed: &str) -> Result<Vec<String>> {
    let mut words = printed.split_whitespace();
    let program = words.next().context("the enrolment command is empty")?;
    let verb = words.next().unwrap_or_default();
    if !program.ends_with("weir-agent") || verb != "run" {
        return Err(Trouble::new(format!(
            "the enrolment command is not `weir-agent run ..`: {program} {verb}"
        ))
        .into());
    }
    let mut kept = Vec::new();
    let mut words = words.filter(|it| *it != "\\");
    while let Some(word) = words.next() {
        // Where the state lies and which Kafka it runs is this machine's matter.
        if matches!(
            word,
            "--state-dir" | "--kafka-libs" | "--flink-libs" | "--port-base" | "--java"
        ) {
            let _placeholder = words.next();
        } else {
            kept.push(word.trim_matches(['\'', '"']).to_owned());
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_command_is_taken_apart() {
        let printed = "weir-agent run --control-plane 127.0.0.1:9641 \\\n --ca-sha256 'ab12' --token weire_x --state-dir /var/lib/weir --kafka-libs DIR";
        let expected = [
            "--control-plane",
            "127.0.0.1:9641",
            "--ca-sha256",
            "ab12",
            "--token",
            "weire_x",
        ];
        assert_eq!(enrollment_arguments(printed).unwrap(), expected);
        assert!(enrollment_arguments("rm -rf /").is_err());
        assert!(enrollment_arguments("").is_err());
    }
}
