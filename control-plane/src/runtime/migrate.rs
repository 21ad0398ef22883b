//! Migrations, embedded in the binary, and the plain role that the application uses.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// Brings the database to this version.
///
/// # Errors
/// When a migration fails or an applied one was changed.
pub async fn run(owner_url: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(owner_url).await?;
    MIGRATOR.run(&mut connection).await?;
    Ok(())
}

/// Creates the application's role, if it is missing, and grants it the rows: no ownership, no schema, no bypass of
/// row-level security. The record of what happened may be added to, not rewritten.
///
/// # Errors
/// When the name is not a plain identifier, or the database refuses.
pub async fn grant(owner_url: &str, role: &str, password: Option<&str>) -> anyhow::Result<()> {
    let plain = !role.is_empty() && role.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    anyhow::ensure!(plain, "the role's name may only hold a-z and '_'");
    let mut connection = PgConnection::connect(owner_url).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        sqlx::query(AssertSqlSafe(format!(
            "CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS"
        )))
        .execute(&mut connection)
        .await?;
    }
    if let Some(password) = password {
        let quoted: String = sqlx::query_scalar("SELECT quote_literal($1)")
            .bind(password)
            .fetch_one(&mut connection)
            .await?;
        sqlx::query(AssertSqlSafe(format!("ALTER ROLE {role} PASSWORD {quoted}")))
            .execute(&mut connection)
            .await?;
    }
    let statements = format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
         REVOKE UPDATE, DELETE, TRUNCATE ON audit_event FROM {role};
         REVOKE ALL ON _sqlx_migrations FROM {role};"
    );
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut connection)
        .await?;
    Ok(())
}
