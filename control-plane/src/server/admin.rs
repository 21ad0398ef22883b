//! What an operator does on the machine itself: migrate, and create the first operator.

use anyhow::Context as _;

use crate::auth::password;
use crate::config::{Admin, Migrate};
use crate::resources::member;
use crate::runtime::{Db, migrate};

/// `migrate`.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn migrate(arguments: Migrate) -> anyhow::Result<()> {
    let Migrate {
        database_url,
        app_role,
        app_password_file,
    } = arguments;
    let password = match app_password_file {
        Some(path) => Some(
            tokio::fs::read_to_string(&path)
                .await
                .with_context(|| format!("read {}", path.display()))?,
        ),
        None => None,
    };
    migrate::run(&database_url)
        .await
        .context("apply the migrations")?;
    migrate::grant(&database_url, &app_role, password.as_deref().map(str::trim))
        .await
        .context("grant the role")?;
    tracing::info!(role = app_role, "the database is at this version");
    Ok(())
}

/// `admin`.
///
/// # Errors
/// When the database cannot be reached or the input is not valid.
pub async fn run(arguments: Admin) -> anyhow::Result<()> {
    match arguments {
        Admin::Bootstrap {
            database_url,
            email,
            password_file,
        } => {
            let text = tokio::fs::read_to_string(&password_file).await;
            let text = text.with_context(|| format!("read {}", password_file.display()))?;
            let text = text.trim().to_owned();
            anyhow::ensure!(
                text.len() >= password::LENGTH_MIN,
                "the password needs at least 12 characters"
            );
            let db = Db::connect(&database_url, 2)
                .await
                .context("reach the database")?;
            let created = member::bootstrap(&db, &email, password::hash(text).await?).await?;
            tracing::info!(email, created, "the first operator exists");
            db.close().await;
            Ok(())
        }
    }
}
