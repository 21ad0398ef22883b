//! What violations of contracts look like: one example of each sort, with types where the record had values.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::response::Html;
use serde::Serialize;
use weir_proto::lane::v1::ViolationExample;

use super::Inside;
use super::page::{escape, when};

/// One example.
#[derive(Debug, Serialize)]
struct Example {
    topic_id: String,
    part: &'static str,
    schema: String,
    kind: &'static str,
    rule: u32,
    rule_name: String,
    path: String,
    reason: String,
    record: String,
    at_unix_ms: i64,
}

/// All of them, the newest first.
#[derive(Debug, Serialize)]
pub(super) struct Examples {
    violations: Vec<Example>,
}

impl From<ViolationExample> for Example {
    fn from(example: ViolationExample) -> Self {
        let (part, kind) = (example.part().as_str_name(), example.kind().as_str_name());
        let ViolationExample {
            topic_id,
            part: _,
            schema,
            kind: _,
            rule,
            rule_name,
            path,
            reason,
            record,
            at_unix_ms,
        } = example;
        Self {
            topic_id,
            part: part.trim_start_matches("RECORD_PART_"),
            schema,
            kind: kind.trim_start_matches("VIOLATION_KIND_"),
            rule,
            rule_name,
            path,
            reason,
            record,
            at_unix_ms,
        }
    }
}

fn examples(inside: &Inside) -> Vec<Example> {
    let kept = inside.sources.contracts.examples();
    kept.into_iter().map(Example::from).collect()
}

pub(super) async fn list(State(inside): State<Inside>) -> Json<Examples> {
    Json(Examples {
        violations: examples(&inside),
    })
}

pub(super) async fn show(State(inside): State<Inside>) -> Html<String> {
    Html(render(&examples(&inside)))
}

fn render(examples: &[Example]) -> String {
    let mut page = String::with_capacity(16 * 1024);
    page.push_str(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Violations of contracts</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body><main>\
         <h1>Violations of contracts</h1>\
         <p>One example of each sort, since the agent started. It stays in this network; the control plane is told counts. \
         Where the record had a value, its type is shown; names that the schema does not have are shown as *.</p>",
    );
    if examples.is_empty() {
        page.push_str("<div class=\"verdict good\">No record has broken a contract</div>");
    } else {
        page.push_str(
            "<table><thead><tr><th>When</th><th>Topic</th><th>What</th><th>Record</th></tr></thead><tbody>",
        );
    }
    for it in examples {
        let rule = if it.rule > 0 {
            format!("rule {} ({})", it.rule, it.rule_name)
        } else {
            it.rule_name.clone()
        };
        let _infallible = write!(
            page,
            "<tr><td>{}</td><td><code>{}</code></td><td>{} of {}: {}<br>{} {} {}</td><td><code>{}</code></td></tr>",
            when(u64::try_from(it.at_unix_ms).unwrap_or(0)),
            escape(&it.topic_id),
            it.kind,
            it.part,
            escape(&it.reason),
            escape(&rule),
            escape(&it.path),
            escape(&it.schema),
            escape(&it.record),
        );
    }
    if !examples.is_empty() {
        page.push_str("</tbody></table>");
    }
    page.push_str("<p>The same as data: <code>/v1/contract-violations</code>. <a href=\"/\">What left this network</a></p></main></body></html>");
    page
}
