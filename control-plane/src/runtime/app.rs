//! What every handler and task shares.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::kernel::Policy;
use crate::runtime::agents::Agents;
use crate::runtime::{Db, Memory, Seal, Wake};

/// Fixed at start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people and programs reach the API and console, for example `https://weir.example.com`.
    pub public_url: String,
    /// Where agents reach the link: `host:port`.
    pub link_public_address: String,
    /// SHA-256 of the certificate authority's DER in hex: agents pin it.
    pub ca_sha256: String,
    /// How long an access token is good.
    pub token_lifetime: Duration,
    /// Seals what the database keeps of the installation's own secrets.
    pub seal: Seal,
}

impl Settings {
    /// Cookies are marked Secure unless people come by plain http (development).
    #[must_use]
    pub fn secure_cookies(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// The shared parts; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// Behind [`App`].
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// Wake-ups.
    pub wake: Wake,
    /// What is kept of the database while wake-ups run.
    pub memory: Arc<Memory>,
    /// Connected agents.
    pub agents: Agents,
    /// Fixed at start.
    pub settings: Settings,
    /// What every change must pass; none allows all.
    pub policies: Vec<Policy>,
    /// Ends streams and background work when the process stops.
    pub stop: CancellationToken,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(db: Db, settings: Settings, policies: Vec<Policy>) -> Self {
        let memory = Arc::new(Memory::default());
        Self(Arc::new(Parts {
            db,
            wake: Wake::new(Arc::clone(&memory)),
            memory,
            agents: Agents::default(),
            settings,
            policies,
            stop: CancellationToken::new(),
        }))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
