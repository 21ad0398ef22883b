//! The examples of docs/actions.md are executed, and its tables have every code.

use serde_json::{Value as Json, json};
use weir_contract::Format;

use super::host::*;
use crate::*;

const PAGE: &str = include_str!("../../../../docs/actions.md");

/// What stands between fences: what is said behind the first, and the lines.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in PAGE.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(said), None) => open = Some((said, String::new())),
            (Some(_end), Some(_)) => blocks.extend(open.take()),
            (None, Some((_said, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    blocks
}

/// An example as it is gathered.
#[derive(Default)]
struct Example {
    spec: Option<Json>,
    contract: Option<String>,
    before: Vec<String>,
    request: Option<Json>,
    answer: Option<String>,
}

fn read(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Words and a value: spaces and the order of keys say nothing.
fn parted(line: &str) -> (&str, Option<Json>) {
    match line.find('{') {
        Some(start) => (line[..start].trim(), Some(read(&line[start..]))),
        None => (line, None),
    }
}

impl Example {
    /// What comes of one record, as the page writes it.
    fn came(&self, plan: &Plan, host: &Fake, seen: &mut Seen, place: usize) -> String {
        let text = &self.before[place];
        let record = Record {
            offset: i64::try_from(place).expect("it fits"),
            ..record(text.as_bytes())
        };
        let mut next = plan.begin(&record, seen, host);
        if let (Some(expected), Next::Call(request, _)) = (&self.request, &next) {
            let body = request
                .body
                .as_deref()
                .map(|body| read(std::str::from_utf8(body).expect("it is text")));
            let said = json!({"method": request.method, "url": request.url, "body": body});
            assert_eq!(&said, expected);
        }
        while let Next::Call(_request, suspended) = next {
            let body = self.answer.clone().expect("the page has an answer").into_bytes();
            next = suspended.resume(&Answer::Response { status: 200, body }, host);
        }
        let Next::Done(outcome) = next else {
            panic!("it is done")
        };
        match told(host, text.as_bytes(), &outcome) {
            said if said.get("dropped").is_some() => "dropped".to_owned(),
            said if said.get("dead").is_some() => {
                format!("dead letter {}", said["dead"].as_str().expect("a code"))
            }
            said if said["sink"] == "out" => said["value"].to_string(),
            said => format!("{} {}", said["sink"].as_str().expect("a name"), said["value"]),
        }
    }

    fn hold(&self, after: &str) {
        let spec = spec(self.spec.as_ref().expect("the page has a step"));
        let again = ActionSpec::read(&serde_json::to_string(&spec).expect("it can be written"));
        assert_eq!(again.as_ref(), Ok(&spec));
        let host = Fake::default();
        let input = match &self.contract {
            None => plain(),
            Some(schema) => Input {
                value: ValueForm::Registered {
                    newest: registered(7, Format::Json, schema),
                    unframed: true,
                },
                key: KeyForm::Text,
            },
        };
        let plan = compiled(&spec, input, &host);
        let mut seen = plan.seen();
        assert_eq!(
            after.lines().count(),
            self.before.len(),
            "a line for each record:\n{after}"
        );
        for (place, expected) in after.lines().enumerate() {
            let came = self.came(&plan, &host, &mut seen, place);
            assert_eq!(parted(&came), parted(expected), "{}", self.before[place]);
        }
    }
}

#[test]
fn every_example_of_the_page_is_true() {
    let mut example = Example::default();
    let mut held = 0;
    for (said, text) in blocks() {
        match said {
            "json contract" => example.contract = Some(text),
            "json spec" => example.spec = Some(read(&text)),
            "json step" => {
                example.spec = Some(json!({"steps": [read(&text)], "sinks": {"out": {"topic": "out"}}}));
            }
            "json before" => example.before = text.lines().map(str::to_owned).collect(),
            "json request" => example.request = Some(read(&text)),
            "json answer" => example.answer = Some(text),
            "text after" => {
                example.hold(&text);
                held += 1;
                example = Example::default();
            }
            other => panic!("a block of another sort: {other}"),
        }
    }
    assert!(held >= 15, "only {held} examples");
}

#[test]
fn the_tables_have_every_code_and_every_step() {
    let part = |heading: &str| {
        let (_before, after) = PAGE.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
        after.split("\n## ").next().unwrap_or_default()
    };
    let codes = |text: &str| -> Vec<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| row.split('`').next().unwrap_or_default().to_owned())
            .collect()
    };
    let problems: Vec<&str> = ProblemCode::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(codes(part("## When a spec is wrong")), problems);
    let letters: Vec<&str> = DeadLetterCode::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(codes(part("## Dead letters")), letters);
    for word in [
        "filter",
        "project",
        "drop",
        "rename",
        "mask",
        "cast",
        "set",
        "flatten",
        "route",
        "deduplicate",
        "validate",
        "call",
    ] {
        assert!(PAGE.contains(&format!("\n### {word}\n")), "{word}");
    }
}
