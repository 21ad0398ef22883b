//! `migrations/schema.sql`: what all migrations together make, as `pg_dump` shows it, without what changes by itself.

use crate::postgres::{Postgres, SUPERUSER};
use crate::run::captured;
use crate::trouble::Trouble;
use crate::workspace::{Workspace, read};
use anyhow::{Context, Result};
use tokio::process::Command;

/// The owner of the schema in throw-away databases.
const OWNER: &str = "weir_owner";

/// Makes the database `name` in a throw-away instance and applies the migrations by `psql`, in order.
/// Returns its connection string.
pub async fn migrated(ws: &Workspace, postgres: &Postgres, name: &str) -> Result<String> {
    postgres.ensure_owner(OWNER, &postgres.password, name).await?;
    let folder = ws.root.join("migrations");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .with_context(|| format!("list {}", folder.display()))?
        .flatten()
        .map(|it| it.path())
        .filter(|it| it.extension().is_some_and(|end| end == "sql"))
        .filter(|it| {
            it.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|it| it.starts_with(char::is_numeric))
        })
        .collect();
    files.sort();
    for file in files {
        let mut command = Command::new(postgres.bin.join("psql"));
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--single-transaction",
                "--set=ON_ERROR_STOP=1",
            ])
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &postgres.port.to_string(),
                "-U",
                OWNER,
                "-d",
                name,
                "-f",
            ])
            .arg(&file)
            .env("PGPASSWORD", &postgres.password);
        let output = captured(command).await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Trouble::new(format!("{}: {said}", file.display()))
                .remedy("mend the migration")
                .into());
        }
    }
    Ok(postgres.url(OWNER, &postgres.password, name))
}

/// The schema of a database as text that two machines agree on.
pub async fn dump(postgres: &Postgres, database: &str) -> Result<String> {
    let mut command = Command::new(postgres.bin.join("pg_dump"));
    command
        .args([
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            "--no-tablespaces",
        ])
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &postgres.port.to_string(),
            "-U",
            SUPERUSER,
            "-d",
            database,
        ])
        .env("PGPASSWORD", &postgres.password);
    let output = captured(command).await?;
    if !output.status.success() {
        return Err(Trouble::new(format!(
            "pg_dump: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))
        .into());
    }
    let major = major(postgres).await?;
    Ok(format!(
        "{}\n{}",
        header(&major),
        normalised(&String::from_utf8_lossy(&output.stdout))
    ))
}

/// Compares `migrations/schema.sql` with a fresh dump. A server of another major version writes dumps differently:
/// then nothing can be said, and the answer says that.
pub async fn check(ws: &Workspace, postgres: &Postgres) -> Result<String> {
    let held = read(&ws.root.join("migrations/schema.sql"))?;
    let major = major(postgres).await?;
    if held.lines().next() != Some(header(&major).as_str()) {
        return Ok(format!(
            "not compared: it was written by another PostgreSQL than {major}"
        ));
    }
    migrated(ws, postgres, "schema_check").await?;
    if dump(postgres, "schema_check").await? == held {
        return Ok("equals the migrations".to_owned());
    }
    Err(Trouble::new("migrations/schema.sql is stale")
        .remedy("`cargo xtask bless` and commit it")
        .into())
}

fn header(major: &str) -> String {
    format!(
        "-- What all migrations make, by pg_dump {major}. Written by `cargo xtask bless`; a test compares."
    )
}

async fn major(postgres: &Postgres) -> Result<String> {
    let version = postgres.psql("postgres", "show server_version").await?;
    Ok(version.split('.').next().unwrap_or_default().to_owned())
}

/// Drops comments, session settings, random marks and repeated blank lines.
fn normalised(dump: &str) -> String {
    let mut text = String::with_capacity(dump.len());
    let mut blank = true;
    for line in dump.lines() {
        let noise = [
            "--",
            "SET ",
            "SELECT pg_catalog.set_config",
            "\\restrict",
            "\\unrestrict",
        ];
        if noise.iter().any(|it| line.starts_with(it)) || (line.is_empty() && blank) {
            continue;
        }
        blank = line.is_empty();
        text.push_str(line);
        text.push('\n');
    }
    let end = text.trim_end().len();
    text.truncate(end);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_lose_what_changes_by_itself() {
        let dump = "--\n-- Dumped\n--\n\\restrict aB3\n\nSET x = 0;\n\nCREATE TABLE a (\n    id uuid\n);\n\n\n\nCREATE B;\n\n\\unrestrict aB3\n\n";
        assert_eq!(
            normalised(dump),
            "CREATE TABLE a (\n    id uuid\n);\n\nCREATE B;\n"
        );
    }
}
