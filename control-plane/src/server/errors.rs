//! `docs/errors.md` as a page: where the `type` of every problem leads.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, header};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, html};

const TEXT: &str = include_str!("../../../docs/errors.md");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c2430}\
    h2{font:600 1rem ui-monospace,monospace;margin:2rem 0 .25rem}:target{background:#fff3c4}p{margin:.25rem 0}";

static PAGE: LazyLock<String> = LazyLock::new(page);

/// The page.
pub async fn serve() -> Response {
    let policy = HeaderValue::from_static(POLICY);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(PAGE.as_str())).into_response()
}

fn page() -> String {
    let mut events: Vec<Event<'_>> = Parser::new_ext(TEXT, Options::empty()).collect();
    // Each code's heading carries the code as its anchor.
    for at in 1..events.len() {
        let (before, text) = events.split_at_mut(at);
        if let (
            Some(Event::Start(Tag::Heading {
                level: HeadingLevel::H2,
                id,
                ..
            })),
            Some(Event::Text(code)),
        ) = (before.last_mut(), text.first())
        {
            *id = Some(CowStr::clone(code));
        }
    }
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Errors of Weir</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>{body}</body></html>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_anchor() {
        let page = page();
        for code in TEXT.lines().filter_map(|line| line.strip_prefix("## ")) {
            assert!(page.contains(&format!("<h2 id=\"{code}\">")), "{code}");
        }
    }
}
