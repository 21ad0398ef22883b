//! The one page, written without scripts.

use std::fmt::Write as _;

use chrono::DateTime;

use super::View;

/// Dark and light by the reader's own setting.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#16202b;--soft:#5b6875;--line:#d9dfe5;--paper:#f7f9fa;--card:#fff;--good:#116149;--bad:#a02020}\
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#93a1af;--line:#2b3640;--paper:#11171d;--card:#182027;--good:#5fd3a8;--bad:#ff8b8b}}\
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\
main{max-width:64rem;margin:0 auto;padding:2.5rem 1.25rem}h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}\
p{color:var(--soft);margin:.25rem 0;max-width:46rem}.verdict{display:inline-block;margin:1rem 0 0;padding:.35rem .75rem;border:1px solid;border-radius:.4rem;font-weight:600}\
.good{color:var(--good)}.bad{color:var(--bad)}table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:.4rem}\
th,td{text-align:left;padding:.4rem .75rem;border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--soft);font-weight:500;font-size:.85rem}\
td.n{font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap}th.n{text-align:right}\
details summary{cursor:pointer}pre{margin:.5rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere;font:12.5px/1.45 ui-monospace,monospace}\
code{font:12.5px ui-monospace,monospace;overflow-wrap:anywhere}\
form{display:grid;gap:.75rem;margin:1.5rem 0;max-width:46rem}form p{margin:-.4rem 0 0;font-size:.85rem}label{display:grid;gap:.25rem;color:var(--soft);font-size:.85rem}\
input,textarea{width:100%;padding:.5rem .6rem;border:1px solid var(--line);border-radius:.4rem;background:var(--card);color:var(--ink);font:14px/1.45 ui-monospace,monospace}\
textarea{resize:vertical}button{justify-self:start;padding:.55rem 1.5rem;border:0;border-radius:.4rem;background:var(--good);color:var(--paper);font:600 15px system-ui,sans-serif;cursor:pointer}\
:focus-visible{outline:2px solid var(--good);outline-offset:2px}.wide{overflow-x:auto}.wide table{min-width:100%;width:max-content}.wide td{max-width:28rem;overflow-wrap:anywhere}.soft{color:var(--soft)}";

pub(super) fn render(view: &View) -> String {
    let mut page = String::with_capacity(16 * 1024);
    page.push_str(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>What left this network</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body><main>\
         <h1>What left this network</h1>\
         <p>Every message to the control plane is written to this ledger before it is sent. This page is served by the agent itself, from your network; \
         it reads the ledger, checks its chain and decodes each entry against the published schema.</p>",
    );
    let summary = &view.summary;
    match &view.problem {
        None => {
            let _infallible = write!(
                page,
                "<div class=\"verdict good\">The chain is whole: {} entries, {} bytes</div><p>Head <code>{}</code></p>",
                summary.entries,
                summary.bytes,
                escape(&summary.head)
            );
        }
        Some(problem) => {
            let _infallible = write!(
                page,
                "<div class=\"verdict bad\">The ledger is not whole</div><p>{}</p>",
                escape(problem)
            );
        }
    }
    page.push_str("<h2>By kind</h2><table><thead><tr><th>Kind</th><th class=\"n\">Entries</th><th class=\"n\">Bytes</th></tr></thead><tbody>");
    for (kind, total) in &summary.kinds {
        let _infallible = write!(
            page,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escape(kind),
            total.entries,
            total.bytes
        );
    }
    page.push_str("</tbody></table><h2>The last entries</h2><table><thead><tr><th class=\"n\">No.</th><th>When</th><th>Kind and content</th><th class=\"n\">Bytes</th></tr></thead><tbody>");
    for line in view.lines.iter().take(100) {
        let message = serde_json::to_string_pretty(&line.message).unwrap_or_default();
        let _infallible = write!(
            page,
            "<tr><td class=\"n\">{}</td><td>{}</td><td><details><summary>{}</summary><pre>{}</pre></details></td><td class=\"n\">{}</td></tr>",
            line.seq,
            when(line.at_unix_ms),
            escape(&line.kind),
            escape(&message),
            line.bytes
        );
    }
    page.push_str("</tbody></table><p>The same as data: <code>/v1/ledger?limit=500</code>. Offline: <code>weir-agent ledger verify</code>. <a href=\"/contracts\">What violations of contracts look like</a>. <a href=\"/selects\">Try a SELECT</a>.</p></main></body></html>");
    page
}

pub(super) fn when(at_unix_ms: u64) -> String {
    i64::try_from(at_unix_ms)
        .ok()
        .and_then(DateTime::from_timestamp_millis)
        .map_or_else(String::new, |at| {
            at.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
        })
}

/// Names come from outside: nothing of them is markup.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
