//! A long-running Java program: started, watched by what it logs, killed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::clients::program::tool;

/// Cold, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// One process; killed when dropped.
pub struct Java {
    child: Child,
    log: PathBuf,
}

impl Java {
    /// Starts a class of the frameworks with a file of settings.
    pub fn start(class: &str, folder: &Path, name: &str, properties: &str) -> Self {
        let file = folder.join(format!("{name}.properties"));
        std::fs::write(&file, properties).expect("write the settings");
        let log = folder.join(format!("{name}.log"));
        let out = std::fs::File::create(&log).expect("create a log");
        let logging = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/frameworks/log4j2.properties");
        let child = Command::new(tool("WEIR_CLIENTS_JAVA"))
            .args([
                "-Xms64m",
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
            ])
            .arg(format!("-Dlog4j2.configurationFile=file:{}", logging.display()))
            .arg("-cp")
            .arg(tool("WEIR_CLIENTS_FRAMEWORKS"))
            .arg(class)
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("share the log"))
            .stderr(out)
            .kill_on_drop(true)
            .spawn()
            .expect("java starts");
        Self { child, log }
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it logged this.
    pub async fn says(&self, what: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.log().contains(what) {
            assert!(Instant::now() < end, "it never says {what}: {}", self.last());
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// The end of its log.
    pub fn last(&self) -> String {
        let log = self.log();
        let from = log.len().saturating_sub(6000);
        log.get(from..).unwrap_or(&log).to_owned()
    }

    /// SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("kill it");
    }
}
