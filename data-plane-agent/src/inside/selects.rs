//! The page on which a person asks the tables of a job, without scripts: a form, and what came of it.
//!
//! The token goes along with each question, in the form's body. There is no login: another site has nothing to send in a
//! browser's name.

use std::fmt::Write as _;

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Form, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde::Deserialize;
use serde_json::Value;

use super::Inside;
use super::page::escape;
use super::problem::Problem;
use crate::preview::{Answer, SELECT_BYTES_MAX, Tables, Wanted};

/// As everywhere here, but that the form may be sent to where it came from.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Characters of one value that are shown.
const VALUE_MAX: usize = 2_000;

/// The route.
pub(super) fn route() -> MethodRouter<Inside> {
    get(show).post(ask).layer(DefaultBodyLimit::max(SELECT_BYTES_MAX))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    #[serde(default)]
    job: String,
}

/// What the form holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filled {
    token: String,
    job: String,
    statement: String,
}

/// What is on the page beside the form.
enum Shown {
    Nothing,
    Problem(String),
    Rows(Box<Answer>),
}

async fn show(whose: Result<Query<Whose>, QueryRejection>) -> Result<Response, Problem> {
    let Query(Whose { job }) = whose.map_err(|it| Problem::of(it.status(), it.body_text()))?;
    let filled = Filled {
        job,
        ..Filled::default()
    };
    Ok(page(StatusCode::OK, &filled, None, &Shown::Nothing))
}

async fn ask(
    State(inside): State<Inside>,
    filled: Result<Form<Filled>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(mut filled) = filled.map_err(|it| Problem::of(it.status(), it.body_text()))?;
    filled.job = filled.job.trim().to_owned();
    if let Err(problem) = inside.sources.token.admits_text(filled.token.trim()) {
        filled.token.clear();
        return Ok(page(
            problem.status(),
            &filled,
            None,
            &Shown::Problem(problem.into_detail()),
        ));
    }
    let previews = &inside.sources.previews;
    let tables = previews.tables(&filled.job).ok();
    if filled.statement.trim().is_empty() {
        return Ok(page(StatusCode::OK, &filled, tables.as_ref(), &Shown::Nothing));
    }
    let wanted = Wanted {
        job: filled.job.clone(),
        statement: filled.statement.clone(),
        last: None,
    };
    let (status, shown) = match previews.select(wanted).await {
        Ok(answer) => (StatusCode::OK, Shown::Rows(Box::new(answer))),
        Err(refusal) => {
            let problem = Problem::from(refusal);
            (problem.status(), Shown::Problem(problem.into_detail()))
        }
    };
    Ok(page(status, &filled, tables.as_ref(), &shown))
}

fn page(status: StatusCode, filled: &Filled, tables: Option<&Tables>, shown: &Shown) -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))];
    (status, policy, Html(render(filled, tables, shown))).into_response()
}

fn render(filled: &Filled, tables: Option<&Tables>, shown: &Shown) -> String {
    let mut page = String::with_capacity(16 * 1024);
    let _infallible = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Try a SELECT</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body><main><h1>Try a SELECT</h1>\
         <p>Ask the tables of a job in SQL, with the rights of its service account. The answer stays in this network. One query with <code>LIMIT</code> up to 100; \
         of each partition the newest 10,000 records are read.</p>\
         <form method=\"post\" action=\"/selects\">\
         <label>Job<input name=\"job\" value=\"{}\" required maxlength=\"64\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"job_01...\"></label>\
         <label>Token<input name=\"token\" type=\"password\" value=\"{}\" required maxlength=\"128\" autocomplete=\"off\"></label>\
         <p>The token is the content of the file <code>inside-token</code> in the agent's state folder.</p>\
         <label>Query<textarea name=\"statement\" rows=\"6\" maxlength=\"65536\" spellcheck=\"false\" placeholder=\"SELECT * FROM payments WHERE amount &gt; 100 LIMIT 20\">{}</textarea></label>\
         <button>Run</button></form>",
        escape(&filled.job),
        escape(&filled.token),
        escape(&filled.statement),
    );
    match shown {
        Shown::Nothing if tables.is_some() => page.push_str("<p role=\"status\">Nothing was asked yet. These are the job's tables:</p>"),
        Shown::Nothing => page.push_str("<p role=\"status\">Nothing was asked yet. Without a query, Run tells what tables the job has.</p>"),
        Shown::Problem(detail) => {
            let _infallible = write!(page, "<div class=\"verdict bad\" role=\"alert\">{}</div>", escape(detail));
        }
        Shown::Rows(answer) => rows(&mut page, answer),
    }
    if let Some(tables) = tables {
        self::tables(&mut page, tables);
    }
    page.push_str("<p><a href=\"/\">What left this network</a></p></main></body></html>");
    page
}

fn rows(page: &mut String, answer: &Answer) {
    let count = answer.rows.len();
    let many = if count == 1 { "row" } else { "rows" };
    let seconds = answer.took_ms / 1000;
    let tenths = answer.took_ms % 1000 / 100;
    let _infallible = write!(
        page,
        "<h2 role=\"status\">{count} {many} in {seconds}.{tenths} s</h2>"
    );
    match answer.cut {
        Some("TIME") => page.push_str(
            "<div class=\"verdict bad\">Cut off: the answer took longer than 30 seconds. Rows that came until then are here; there may be more, and sums may be missing.</div>",
        ),
        Some(_bytes) => page.push_str(
            "<div class=\"verdict bad\">Cut off: the answer is larger than 1 MiB. There are more rows; ask for fewer columns or rows.</div>",
        ),
        None if count == 0 => page.push_str("<p>No record that was read answers this.</p>"),
        None => {}
    }
    for read in &answer.tables {
        let much = if read.whole {
            "all that it holds"
        } else {
            "the newest records of each partition, not all"
        };
        let _infallible = write!(
            page,
            "<p>Read of <code>{}</code> (topic <code>{}</code>): {much}.</p>",
            escape(&read.name),
            escape(&read.topic)
        );
    }
    if count == 0 {
        return;
    }
    page.push_str(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Rows\"><table><thead><tr>",
    );
    for column in &answer.columns {
        let _infallible = write!(
            page,
            "<th scope=\"col\">{}<br><small>{}</small></th>",
            escape(&column.name),
            escape(&column.kind)
        );
    }
    page.push_str("</tr></thead><tbody>");
    for row in &answer.rows {
        page.push_str("<tr>");
        for value in row {
            cell(page, value);
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div>");
}

fn cell(page: &mut String, value: &Value) {
    let (class, text) = match value {
        Value::Null => ("soft", "NULL".to_owned()),
        Value::String(text) => ("", text.clone()),
        Value::Number(number) => ("n", number.to_string()),
        other => ("", other.to_string()),
    };
    let shown: String = text.chars().take(VALUE_MAX).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    let _infallible = write!(page, "<td class=\"{class}\">{}{more}</td>", escape(&shown));
}

fn tables(page: &mut String, tables: &Tables) {
    page.push_str("<h2>Tables</h2><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Tables\"><table><thead><tr><th>Table</th><th>Topic</th><th>Columns</th></tr></thead><tbody>");
    for table in &tables.tables {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|it| format!("{} {}", it.name, it.kind))
            .collect();
        let _infallible = write!(
            page,
            "<tr><td><code>{}</code><br><small>{}</small></td><td>{}</td><td><code>{}</code></td></tr>",
            escape(&table.name),
            table.is.to_ascii_lowercase(),
            escape(&table.topic),
            escape(&columns.join(", "))
        );
    }
    page.push_str("</tbody></table></div>");
}

#[cfg(test)]
#[path = "selects_tests.rs"]
mod tests;
