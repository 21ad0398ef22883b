//! A throw-away `PostgreSQL` for test rings: no durability, a free port, gone at the end.

use crate::postgres::{Postgres, data_folder};
use crate::workspace::{Workspace, make_dir, random_hex};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// The running instance.
pub struct TestDatabase {
    run: PathBuf,
    data: PathBuf,
    /// The superuser's connection string; tests make databases of their own.
    pub url: String,
    bin: PathBuf,
    password: String,
    port: u16,
}

impl TestDatabase {
    /// Starts one below the target folder.
    pub async fn start(ws: &Workspace, bin: PathBuf, name: &str) -> Result<Self> {
        let run = ws.scratch(&format!("postgres-{name}"))?;
        Postgres::stop(&run).await;
        let (data, _elsewhere) = data_folder(&run.join("data"))?;
        remove(&data)?;
        make_dir(&data)?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("find a free port")?;
        let port = listener.local_addr().context("find a free port")?.port();
        drop(listener);
        let password = random_hex(12)?;
        let log = run.join("postgres.log");
        let instance = Postgres {
            bin,
            data,
            port,
            password,
            throw_away: true,
            log,
            run,
        };
        instance.start().await?;
        let url = instance.superuser_url("postgres");
        let Postgres {
            bin,
            data,
            password,
            run,
            ..
        } = instance;
        Ok(Self {
            run,
            data,
            url,
            bin,
            password,
            port,
        })
    }

    /// The same instance, to run statements on.
    pub fn instance(&self) -> Postgres {
        Postgres {
            bin: self.bin.clone(),
            data: self.data.clone(),
            port: self.port,
            password: self.password.clone(),
            throw_away: true,
            log: self.run.join("postgres.log"),
            run: self.run.clone(),
        }
    }

    /// Stops it and removes its data.
    pub async fn stop(self) -> Result<()> {
        Postgres::stop(&self.run).await;
        remove(&self.data)
    }

    /// Stops one that an interrupted run left.
    pub async fn sweep(ws: &Workspace) {
        for entry in std::fs::read_dir(ws.target.join("xtask"))
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.file_name().to_string_lossy().starts_with("postgres-") {
                Postgres::stop(&entry.path()).await;
            }
        }
    }
}

fn remove(data: &std::path::Path) -> Result<()> {
    if data.exists() {
        std::fs::remove_dir_all(data).with_context(|| format!("remove {}", data.display()))?;
    }
    Ok(())
}
