//! The only way to the database: a transaction that names its scope.
//!
//! A scope is set in the same round trip as BEGIN; row-level security then shows its rows and no others.
//! There is no function here that gives a connection without a scope.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

use crate::kernel::{DataPlaneId, Error, OrganizationId, Result, TenantId};

/// Whose rows a transaction may see and change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One tenant's rows.
    Tenant(TenantId),
    /// The rows that one data plane serves, of several tenants.
    DataPlane(DataPlaneId),
    /// An organization: its own rows, and its tenants' to read.
    Organization(OrganizationId),
    /// Every row.
    Operator,
    /// Before authentication: the one row that the presented key opens.
    Lookup(LookupKey),
}

/// What a caller presents before it is known.
#[derive(Clone, PartialEq, Eq)]
pub enum LookupKey {
    /// An e-mail address at sign-in.
    Email(String),
    /// The SHA-256 of a token.
    TokenSha256([u8; 32]),
    /// The id of an API key.
    Id(uuid::Uuid),
}

impl std::fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LookupKey(..)")
    }
}

impl Scope {
    /// What makes a transaction this scope's. Only typed ids and hashes are formatted into this text, never a caller's string.
    fn statement(&self) -> String {
        let (name, setting, value) = match self {
            Self::Tenant(id) => ("tenant", "app.tenant", id.uuid().to_string()),
            Self::DataPlane(id) => ("data_plane", "app.data_plane", id.uuid().to_string()),
            Self::Organization(id) => ("organization", "app.organization", id.uuid().to_string()),
            Self::Operator => ("operator", "app.tenant", uuid::Uuid::nil().to_string()),
            Self::Lookup(LookupKey::Id(id)) => ("lookup", "app.lookup", id.to_string()),
            Self::Lookup(LookupKey::TokenSha256(hash)) => {
                let hexadecimal = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                ("lookup", "app.lookup", hexadecimal)
            }
            // A caller's string: it is bound afterwards.
            Self::Lookup(LookupKey::Email(_)) => ("lookup", "app.lookup", String::new()),
        };
        format!("SELECT set_config('app.scope', '{name}', true), set_config('{setting}', '{value}', true)")
    }
}

/// A pool of connections as the plain application role.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
}

/// A transaction under one scope. Dropping it rolls back.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
}

impl Db {
    /// Opens the pool and checks that the database answers.
    ///
    /// # Errors
    /// When the URL is wrong or the database cannot be reached.
    pub async fn connect(url: &str, connections_max: u32) -> Result<Self, sqlx::Error> {
        let options: PgConnectOptions = url.parse()?;
        let options = options.application_name("weir-control-plane").options([
            ("idle_in_transaction_session_timeout", "30s"),
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        Ok(Self { pool })
    }

    /// A transaction that may write.
    ///
    /// # Errors
    /// When no connection is free in time or the database fails.
    pub async fn begin(&self, scope: &Scope) -> Result<Tx> {
        self.open("BEGIN", scope).await
    }

    /// A read-only transaction.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn read(&self, scope: &Scope) -> Result<Tx> {
        self.open("BEGIN READ ONLY", scope).await
    }

    /// A read-only transaction in which every statement sees the same moment.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn snapshot(&self, scope: &Scope) -> Result<Tx> {
        self.open("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", scope)
            .await
    }

    async fn open(&self, begin: &str, scope: &Scope) -> Result<Tx> {
        let statement = format!("{begin}; {}", scope.statement());
        // In a task of its own: a caller that is gone before BEGIN is answered (a browser leaves a page) would otherwise
        // give the connection back with the transaction open, and the next one would work inside it.
        let pool = self.pool.clone();
        let opening = tokio::spawn(async move { pool.begin_with(AssertSqlSafe(statement)).await });
        let mut inner = opening.await.map_err(Error::internal)??;
        if let Scope::Lookup(LookupKey::Email(email)) = scope {
            sqlx::query_scalar!("SELECT set_config('app.lookup', $1, true)", email)
                .fetch_one(&mut *inner)
                .await?;
        }
        Ok(Tx { inner })
    }

    /// A listener on its own connection.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn listener(&self) -> Result<sqlx::postgres::PgListener, sqlx::Error> {
        sqlx::postgres::PgListener::connect_with(&self.pool).await
    }

    /// Tells every control plane on this database to look again. Outside of any transaction, and without content.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notify(&self, channel: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_notify($1, '')")
            .bind(channel)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Waits until connections are closed.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Tx {
    /// The connection, for one statement.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Goes on under a tenant's scope: that of the key that was looked up. What showed under the scope before shows no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn turn_to(&mut self, tenant: TenantId) -> Result<()> {
        sqlx::query("SELECT set_config('app.scope', 'tenant', true), set_config('app.tenant', $1, true)")
            .bind(tenant.uuid().to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Goes on under the operator's scope, for what one data plane said and another has to be told. Call it last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn turn_to_operator(&mut self) -> Result<()> {
        sqlx::query("SELECT set_config('app.scope', 'operator', true)")
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// When the database fails or a deferred constraint does.
    pub async fn commit(self) -> Result<()> {
        Ok(self.inner.commit().await?)
    }

    /// Undoes everything now, rather than when the connection is next used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }
}
