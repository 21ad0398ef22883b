//! The state folder (`.weir`): layout, ports, and what must be remembered between runs.

use crate::trouble::Trouble;
use crate::workspace::{make_dir, random_hex, read, write_private};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The port base when none is given.
pub const PORT_BASE: u16 = 9640;

/// The state folder of one stack.
#[derive(Debug, Clone)]
pub struct StateDir {
    /// Its absolute path.
    pub root: PathBuf,
}

impl StateDir {
    /// A state folder, relative to the repository when the path is relative.
    pub fn new(repository: &Path, wished: &Path) -> Self {
        Self {
            root: repository.join(wished),
        }
    }

    /// Creates the folders.
    pub fn create(&self) -> Result<()> {
        for dir in [
            self.root.clone(),
            self.logs(),
            self.run(),
            self.clients(),
            self.agent(),
            self.control_plane(),
        ] {
            make_dir(&dir)?;
        }
        Ok(())
    }

    /// Logs of what xtask starts.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The customer's policy of the agent.
    pub fn policy(&self) -> PathBuf {
        self.root.join("policy.toml")
    }

    /// One log.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    /// Pid files.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Configuration of Kafka clients, and the records that they read and wrote.
    pub fn clients(&self) -> PathBuf {
        self.root.join("clients")
    }

    /// The agent's state.
    pub fn agent(&self) -> PathBuf {
        self.root.join("agent")
    }

    /// The control plane's state.
    pub fn control_plane(&self) -> PathBuf {
        self.root.join("control-plane")
    }

    fn settings(&self) -> PathBuf {
        self.root.join("settings.json")
    }
}

/// The ports of a stack, all from one base.
#[derive(Debug, Clone, Copy)]
pub struct Ports(pub u16);

impl Ports {
    /// Console and REST.
    pub fn http(self) -> u16 {
        self.0
    }
    /// The agents' door.
    pub fn link(self) -> u16 {
        self.0 + 1
    }
    /// `PostgreSQL`.
    pub fn postgres(self) -> u16 {
        self.0 + 2
    }
    /// The model that a job of the story asks.
    pub fn model(self) -> u16 {
        self.0 + 3
    }
    /// The agent's own base: the gateway's bootstrap port.
    pub fn agent(self) -> u16 {
        self.0 + 10
    }
    /// The agent's inside endpoint.
    pub fn inside(self) -> u16 {
        self.agent() + 11
    }
    /// The broker behind the gateway; only the benchmark goes there.
    pub fn broker(self) -> u16 {
        self.agent() + 21
    }
    /// Every port that a stack with one broker listens on.
    pub fn all(self) -> [u16; 11] {
        let agent = self.agent();
        [
            self.0,
            self.0 + 1,
            self.0 + 2,
            self.0 + 3,
            agent,
            agent + 1,
            agent + 10,
            agent + 11,
            agent + 21,
            agent + 31,
            agent + 41,
        ]
    }

    /// The first base at or after `from` (in steps) whose ports are all free.
    pub fn free_from(from: u16) -> Result<Self> {
        (0..100)
            .map(|turn| Self(from + turn * 60))
            .find(|ports| ports.all().into_iter().all(is_free))
            .context("find a free range of ports")
    }
}

/// Can the port be listened on now?
pub fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// What a stack remembers. Secrets of a development stack: the file is readable by its owner only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Settings {
    /// The port base; brokers remember their ports, so it cannot change.
    pub port_base: u16,
    /// Passwords and API secrets by name.
    pub secrets: BTreeMap<String, String>,
    /// The data folder of `PostgreSQL`, when it is not in the state folder.
    pub postgres_data: Option<PathBuf>,
    /// `--control-plane` and `--ca-sha256` of the printed enrolment command, once the agent has enrolled.
    pub agent: Vec<String>,
    /// The story held to its end once.
    #[serde(default)]
    pub story_told: bool,
    /// How many batches of payments the story has sent.
    pub batches: u64,
    #[serde(skip)]
    path: PathBuf,
}

impl Settings {
    /// Reads the settings, or begins new ones on `port_base`.
    pub fn open(state: &StateDir, port_base: Option<u16>) -> Result<Self> {
        let path = state.settings();
        if !path.is_file() {
            let port_base = port_base.unwrap_or(PORT_BASE);
            return Ok(Self {
                port_base,
                path,
                ..Self::default()
            });
        }
        let mut held: Self = serde_json::from_str(&read(&path)?).map_err(|error| {
            Trouble::new(format!("{} cannot be read: {error}", path.display()))
                .remedy("`cargo xtask down --purge` removes the state and lets you begin anew")
        })?;
        held.path = path;
        if let Some(wished) = port_base
            && wished != held.port_base
        {
            return Err(Trouble::new(format!(
                "{} was set up with port base {}, not {wished}: its brokers remember their ports",
                state.root.display(),
                held.port_base
            ))
            .remedy("use another --state-dir, or `cargo xtask down --purge` first")
            .into());
        }
        Ok(held)
    }

    /// Writes the settings.
    pub fn save(&self) -> Result<()> {
        write_private(
            &self.path,
            &serde_json::to_string_pretty(self).context("encode the settings")?,
        )
    }

    /// The named secret, made at random when it is new.
    pub fn secret(&mut self, name: &str) -> Result<String> {
        if let Some(held) = self.secrets.get(name) {
            return Ok(held.clone());
        }
        let fresh = random_hex(16)?;
        self.remember(name, &fresh)?;
        Ok(fresh)
    }

    /// Keeps a secret that someone else made.
    pub fn remember(&mut self, name: &str, secret: &str) -> Result<()> {
        self.secrets.insert(name.to_owned(), secret.to_owned());
        self.save()
    }

    /// The ports of this stack.
    pub fn ports(&self) -> Ports {
        Ports(self.port_base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_and_hold_on_to_their_ports() {
        let root = std::env::temp_dir().join(format!("weir-settings-{}", std::process::id()));
        let state = StateDir { root: root.clone() };
        state.create().unwrap();
        let mut settings = Settings::open(&state, Some(22_000)).unwrap();
        let made = settings.secret("operator").unwrap();
        let mut again = Settings::open(&state, None).unwrap();
        assert_eq!(
            (again.port_base, again.secret("operator").unwrap()),
            (22_000, made)
        );
        assert!(Settings::open(&state, Some(22_100)).is_err());
        std::fs::remove_dir_all(root).unwrap();
    }
}
