//! A database per test, cloned from one migrated template, and a caller that speaks to the router in process.
//!
//! `WEIR_TEST_DATABASE_URL` names a PostgreSQL superuser; `cargo xtask test` starts a throw-away server and sets it.

mod agent;
mod caller;
mod database;

pub use agent::{Door, Identity, Served, Session};
pub use caller::{Caller, Reply};
pub use database::{Database, TenantIds};

use weir_control_plane::runtime::{App, Db, Seal, Settings};

/// Connects with more patience than a server has: a machine whose disk stands still for some seconds makes no test red.
async fn connect(url: &str) -> Db {
    let mut tries = 0;
    loop {
        tries += 1;
        match Db::connect(url, 5).await {
            Ok(db) => return db,
            Err(error) => assert!(tries < 6, "connect as the application: {error}"),
        }
    }
}

/// One control plane on its own database.
pub struct Bench {
    /// The shared parts.
    pub app: App,
    /// Kept so that the database lives as long as the test.
    pub database: Database,
    pub router: axum::Router,
}

impl Bench {
    /// A fresh database and a router on it.
    pub async fn start() -> Self {
        Self::on(Database::create().await).await
    }

    /// The same with its wake-ups running, so that it keeps facts in memory.
    pub async fn listening() -> Self {
        let bench = Self::start().await;
        bench.listen().await;
        bench
    }

    /// Another control plane on the same database, which keeps facts in memory, too.
    pub async fn beside(&self) -> Self {
        let bench = Self::on(self.database.clone()).await;
        bench.listen().await;
        bench
    }

    async fn listen(&self) {
        let app = &self.app;
        tokio::spawn(app.wake.clone().run(app.db.clone(), app.stop.clone()));
        while app.memory.rights.asof().is_none() || app.memory.schemas.asof().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    async fn on(database: Database) -> Self {
        let db = connect(&database.app_url).await;
        let settings = Settings {
            public_url: "http://127.0.0.1:1".into(),
            link_public_address: "127.0.0.1:2".into(),
            ca_sha256: "00".repeat(32),
            token_lifetime: std::time::Duration::from_secs(900),
            seal: Seal::load_or_create(tempfile::tempdir().expect("a folder").path()).expect("a key"),
        };
        let app = App::new(db, settings, Vec::new());
        let router = weir_control_plane::server::rest::router(&app);
        Self {
            app,
            database,
            router,
        }
    }

    /// A caller without credentials.
    pub fn nobody(&self) -> Caller {
        Caller::new(self.router.clone(), None)
    }

    /// A caller with a session of a new tenant member with this role, in a new tenant of a new organization.
    pub async fn tenant(&self, role: &str) -> (Caller, database::TenantIds) {
        let (token, ids) = self.database.tenant_with_member(role).await;
        (Caller::new(self.router.clone(), Some(token)), ids)
    }

    /// A further member of a tenant.
    pub async fn member(&self, tenant: &database::TenantIds, role: &str) -> Caller {
        let token = self.database.member(Some(tenant), role).await;
        Caller::new(self.router.clone(), Some(token))
    }
}
