//! Captured statements as a pgbench script that does the same work again and again, with fresh ids and names.

use super::capture::Statement;
use crate::postgres::Postgres;
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;

/// A script from one captured request; with `other`, a second capture of the same request, what differs between the
/// two is made fresh in every run.
pub async fn from(
    postgres: &Postgres,
    one: &[Statement],
    other: &[Statement],
    names: [&str; 2],
) -> Result<String> {
    if one.len() != other.len() || one.iter().zip(other).any(|(a, b)| a.sql != b.sql) {
        bail!("two captures of the same request ran different statements");
    }
    let fresh = Fresh::between(one, other, names);
    let mut script = String::from("\\set r random(1, 1000000000000000)\n");
    for statement in one {
        let parts: Vec<&str> = statement
            .sql
            .split(';')
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .collect();
        if parts.len() > 1 && statement.parameters.is_empty() {
            // Several statements in one message: one round trip here as there.
            writeln!(script, "\\startpipeline")?;
            for part in parts {
                writeln!(script, "{};", one_line(part))?;
            }
            writeln!(script, "\\endpipeline")?;
        } else {
            let types = types(postgres, statement).await?;
            writeln!(script, "{};", filled(statement, &types, &fresh))?;
        }
    }
    Ok(script)
}

/// Values that change from one request to the next.
#[derive(Default)]
struct Fresh {
    /// Ids of the first capture.
    ids: Vec<String>,
    /// The name in the first capture.
    name: String,
    /// All values of the first capture that the second has otherwise.
    changed: Vec<String>,
}

impl Fresh {
    fn between(one: &[Statement], other: &[Statement], names: [&str; 2]) -> Self {
        let mut fresh = Self {
            name: names[0].to_owned(),
            ..Self::default()
        };
        for (a, b) in one.iter().zip(other) {
            for (a, b) in a.parameters.iter().zip(&b.parameters) {
                if let (Some(a), Some(b)) = (a, b)
                    && a != b
                    && !fresh.changed.contains(a)
                {
                    fresh.changed.push(a.clone());
                    if is_uuid(a) {
                        fresh.ids.push(a.clone());
                    }
                }
            }
        }
        fresh
    }

    /// An SQL expression for a value of the first capture.
    fn expression(&self, value: &str) -> String {
        if let Some(at) = self.ids.iter().position(|it| it == value) {
            return fresh_id(at);
        }
        let Some(at) = self.changed.iter().position(|it| it == value) else {
            return quoted(value);
        };
        if value.starts_with("\\x") && value.len() == 2 + 64 {
            // A hash: must differ, and nothing reads it.
            return format!("sha256(('{at}-' || :r)::bytea)");
        }
        let mut text = quoted(value);
        for (at, id) in self.ids.iter().enumerate() {
            if value.contains(id.as_str()) {
                text = format!("replace({text}, '{id}', {}::text)", fresh_id(at));
            }
        }
        if !self.name.is_empty() && value.contains(&self.name) {
            text = format!("replace({text}, {}, 'bench-' || :r)", quoted(&self.name));
        }
        text
    }
}

fn fresh_id(at: usize) -> String {
    format!("md5('{at}-' || :r)::uuid")
}

fn filled(statement: &Statement, types: &[String], fresh: &Fresh) -> String {
    let mut sql = one_line(&statement.sql);
    // From the last, so that $1 does not match the beginning of $10.
    for (at, value) in statement.parameters.iter().enumerate().rev() {
        let expression = value
            .as_ref()
            .map_or_else(|| "NULL".to_owned(), |it| fresh.expression(it));
        let cast = types.get(at).map_or_else(String::new, |it| format!("::{it}"));
        sql = sql.replace(&format!("${}", at + 1), &format!("({expression}){cast}"));
    }
    sql
}

/// The types that the server infers for the parameters.
async fn types(postgres: &Postgres, statement: &Statement) -> Result<Vec<String>> {
    if statement.parameters.is_empty() {
        return Ok(Vec::new());
    }
    let ask = format!(
        "prepare captured as {}; select array_to_string(parameter_types::text[], '|') from pg_prepared_statements",
        statement.sql
    );
    let answer = postgres
        .psql("weir", &ask)
        .await
        .context("ask for the types of a captured statement")?;
    Ok(answer
        .split('|')
        .map(|it| it.trim().trim_matches('"').to_owned())
        .collect())
}

/// pgbench reads a statement to its semicolon; comments and line breaks go.
fn one_line(sql: &str) -> String {
    sql.lines()
        .map(|line| line.split("--").next().unwrap_or_default().trim())
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(value: &str) -> String {
    let escaped = value.replace('\'', "''");
    // Backslashes mean themselves in a plain literal, which is the default.
    format!("'{escaped}'")
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, it)| {
            if matches!(at, 8 | 13 | 18 | 23) {
                it == '-'
            } else {
                it.is_ascii_hexdigit()
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_made_fresh_and_the_rest_stays() {
        let id = |last: char| format!("0190a0b0-0000-7000-8000-00000000000{last}");
        let statement = |id: &str, name: &str| Statement {
            sql: "insert into t\n values ($1, $2, $3) -- why".into(),
            parameters: vec![Some(id.into()), Some(name.into()), Some("it's".into())],
        };
        let (one, other) = (statement(&id('1'), "n-1"), statement(&id('2'), "n-2"));
        let fresh = Fresh::between(std::slice::from_ref(&one), &[other], ["n-1", "n-2"]);
        let types = ["uuid", "text", "text"].map(str::to_owned);
        assert_eq!(
            filled(&one, &types, &fresh),
            "insert into t values ((md5('0-' || :r)::uuid)::uuid, (replace('n-1', 'n-1', 'bench-' || :r))::text, ('it''s')::text)"
        );
    }
}
