//! Which SQL does one request run? `PostgreSQL` itself tells: its log, while the request is served on an idle stack.
//! So the peer always runs the statements of today's code, not a copy that grew stale.

use crate::postgres::Postgres;
use anyhow::{Context, Result, bail};
use std::time::{Duration, Instant};

/// Marks the lines that we parse.
const PREFIX: &str = "weirsql";

/// A statement as the server executed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// SQL with `$1`, `$2`, ...; may be several statements in one message.
    pub sql: String,
    /// The values as text; none for NULL.
    pub parameters: Vec<Option<String>>,
}

/// Switches the log of statements on or off.
pub async fn logging(postgres: &Postgres, on: bool) -> Result<()> {
    let (statements, prefix) = if on {
        ("all", format!("{PREFIX} %p "))
    } else {
        ("none", "%m [%p] ".to_owned())
    };
    postgres
        .psql(
            "postgres",
            &format!("alter system set log_line_prefix = '{prefix}'"),
        )
        .await?;
    postgres
        .psql(
            "postgres",
            &format!("alter system set log_statement = '{statements}'"),
        )
        .await?;
    postgres.psql("postgres", "select pg_reload_conf()").await?;
    // A reload reaches the sessions one by one, at their next message.
    let deadline = Instant::now() + Duration::from_secs(10);
    while postgres.psql("postgres", "show log_statement").await? != statements {
        if Instant::now() > deadline {
            bail!("PostgreSQL does not take up log_statement = {statements}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// The length of the log now.
pub fn position(postgres: &Postgres) -> Result<u64> {
    Ok(std::fs::metadata(&postgres.log)
        .context("read PostgreSQL's log")?
        .len())
}

/// The statements that were logged after `from`, in order. A request may use several sessions, one after the other (who
/// asks, then what is asked for); what runs in the background meanwhile is among them too, so compare two captures.
pub fn since(postgres: &Postgres, from: u64) -> Result<Vec<Statement>> {
    let found = logged(postgres, from)?;
    if found.is_empty() {
        bail!("PostgreSQL logged no statement of the request");
    }
    Ok(found)
}

/// How many there were; a request that is answered from memory has none.
pub fn count(postgres: &Postgres, from: u64) -> Result<usize> {
    Ok(logged(postgres, from)?.len())
}

fn logged(postgres: &Postgres, from: u64) -> Result<Vec<Statement>> {
    let bytes = std::fs::read(&postgres.log).context("read PostgreSQL's log")?;
    let tail = bytes.get(usize::try_from(from)?..).unwrap_or_default();
    Ok(parse(&String::from_utf8_lossy(tail)))
}

/// Statements in order.
fn parse(log: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    // The server writes the values of a statement right after it, but another session's line may come between.
    let mut sessions: Vec<String> = Vec::new();
    for entry in entries(log) {
        let Some((pid, text)) = entry.split_once(' ') else {
            continue;
        };
        let text = text.trim_start();
        if let Some(rest) = text.strip_prefix("LOG:") {
            let rest = rest.trim_start();
            let sql = match rest.strip_prefix("statement: ") {
                Some(sql) => Some(sql),
                None => rest
                    .strip_prefix("execute ")
                    .and_then(|it| it.split_once(": "))
                    .map(|it| it.1),
            };
            if let Some(sql) = sql {
                sessions.push(pid.to_owned());
                statements.push(Statement {
                    sql: sql.trim().to_owned(),
                    parameters: Vec::new(),
                });
            }
        } else if let Some(rest) = text.strip_prefix("DETAIL:")
            && let Some(values) = rest
                .trim_start()
                .strip_prefix("parameters: ")
                .or_else(|| rest.trim_start().strip_prefix("Parameters: "))
            && let Some(at) = sessions.iter().rposition(|it| it == pid)
        {
            statements[at].parameters = parameters(values.trim_end());
        }
    }
    statements
}

/// Log entries of ours without their prefix; continued lines begin with a tab.
fn entries(log: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    let mut ours = false;
    for line in log.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some(last) = entries.last_mut().filter(|_| ours) {
                last.push('\n');
                last.push_str(more);
            }
        } else {
            let entry = line.strip_prefix(PREFIX).map(str::trim_start);
            ours = entry.is_some();
            entries.extend(entry.map(str::to_owned));
        }
    }
    entries
}

/// `$1 = 'a', $2 = NULL, $3 = 'it''s'`
fn parameters(text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(" = ") {
        if let Some(more) = after.strip_prefix("NULL") {
            values.push(None);
            rest = more;
            continue;
        }
        let Some(quoted) = after.strip_prefix('\'') else {
            break;
        };
        let (mut value, mut characters) = (String::new(), quoted.char_indices().peekable());
        let mut end = quoted.len();
        while let Some((at, character)) = characters.next() {
            if character != '\'' {
                value.push(character);
            } else if characters.next_if(|it| it.1 == '\'').is_some() {
                value.push('\'');
            } else {
                end = at + 1;
                break;
            }
        }
        values.push(Some(value));
        rest = &quoted[end..];
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_becomes_statements() {
        let log = "weirsql 7 LOG:  statement: BEGIN; SELECT set_config('a','b',true)\n\
            weirsql 9 LOG:  execute sqlx_s_3: SELECT 1\n\
            weirsql 7 LOG:  execute sqlx_s_1: SELECT *\n\t  FROM t WHERE id = $1 AND n = $2\n\
            weirsql 7 DETAIL:  parameters: $1 = 'it''s, $2 = ''x''', $2 = NULL\n\
            other\n\
            weirsql 7 LOG:  statement: COMMIT\n";
        let found = parse(log);
        assert_eq!(found.len(), 4);
        assert_eq!(found[1].sql, "SELECT 1");
        assert_eq!(found[2].sql, "SELECT *\n  FROM t WHERE id = $1 AND n = $2");
        assert_eq!(found[2].parameters, [Some("it's, $2 = 'x'".to_owned()), None]);
        assert_eq!(found[3].sql, "COMMIT");
    }
}
