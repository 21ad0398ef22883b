//! Verdicts beside those of other implementations: Python's `jsonschema` and the rule engine of confluent-kafka.
//!
//! A sample of their verdicts is kept in `equal/` and judged in every run; the whole comparison, with cases made anew, is
//! in ring slow: it makes a virtual environment of its own. What differs, and why, stands in docs/rules.md.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::verdict::{Contract, JudgeLimits, Place, ViolationKind};
use weir_contract::{Format, Schema};

#[derive(Deserialize)]
struct Line {
    /// Missing where it is that of the line before, as are schema and rules.
    format: Option<Format>,
    #[serde(default)]
    schema: String,
    #[serde(default)]
    rules: RuleSet,
    /// A JSON record as text.
    record: Option<String>,
    /// Any record, in base64.
    payload: Option<String>,
    expected: bool,
    /// The record has a field that is `false`; see [`explained`].
    #[serde(default)]
    false_boolean: bool,
    /// A guard had no value.
    #[serde(default)]
    guard_failed: bool,
    /// A text that was put together is asked for a part.
    #[serde(default)]
    joined: bool,
}

#[derive(Default)]
struct Tally {
    equal: usize,
    valid: usize,
    explained: usize,
    different: Vec<String>,
    /// The line that had the contract.
    shown: String,
    /// The contract of the line before, and whether it has field rules.
    last: Option<(Contract, bool)>,
}

impl Tally {
    fn judge(&mut self, line: &str) {
        let case: Line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if let Some(format) = case.format {
            let contract = compiled(format, &case).unwrap_or_else(|error| panic!("{error}: {line}"));
            let has_field_rules = case
                .rules
                .domain_rules
                .iter()
                .any(|rule| rule.rule_type == "CEL_FIELD");
            line.clone_into(&mut self.shown);
            self.last = Some((contract, has_field_rules));
        }
        let (contract, has_field_rules) = self.last.as_ref().expect("the first line has a contract");
        let payload = match (&case.record, &case.payload) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(payload)) => STANDARD.decode(payload).expect("it is base64"),
            (None, None) => panic!("no record: {line}"),
        };
        let verdict = contract.judge(&payload, Place::Gateway);
        self.valid += usize::from(verdict.is_valid());
        if verdict.is_valid() == case.expected {
            self.equal += 1;
        } else if explained(&case, *has_field_rules, verdict.violation().map(|it| it.kind)) {
            self.explained += 1;
        } else {
            self.different
                .push(format!("{verdict:?}\n  {line}\n  {}", self.shown));
        }
    }

    fn must_be_equal(&self, least: usize) {
        let shown: Vec<&String> = self.different.iter().take(10).collect();
        println!(
            "{} equal, {} explained, {} valid",
            self.equal, self.explained, self.valid
        );
        assert!(
            self.different.is_empty(),
            "{} differ:\n{shown:#?}",
            self.different.len()
        );
        assert!(self.equal + self.explained >= least, "only {} cases", self.equal);
        // A comparison in which one side is always the same compares nothing.
        assert!(
            self.valid * 10 > self.equal && self.valid * 10 < self.equal * 9,
            "{} of {} are valid",
            self.valid,
            self.equal
        );
        assert!(
            self.explained * 20 < self.equal,
            "{} differences are explained away",
            self.explained
        );
    }
}

fn compiled(format: Format, case: &Line) -> Result<Contract, String> {
    let schema = Schema::parse(format, &case.schema, &[]).map_err(|error| error.to_string())?;
    Contract::compile(schema, &case.rules, &Metadata::default(), JudgeLimits::DEFAULT)
        .map_err(|error| error.to_string())
}

/// Differences that docs/rules.md explains, "Beside other engines".
fn explained(case: &Line, has_field_rules: bool, found: Option<ViolationKind>) -> bool {
    // A guard without a value leaves the body out, as in the Java client; in the Python client the rule fails.
    let guard = case.guard_failed && !case.expected && found.is_none();
    // The walk of confluent-kafka takes a boolean field that is false for a rule that failed.
    let false_is_failure = has_field_rules && case.false_boolean && !case.expected && found.is_none();
    // It takes the results of a list's elements for a list, which is never false.
    let lists_never_fail = has_field_rules && case.expected && found == Some(ViolationKind::Condition);
    // cel-python: `'str' object has no attribute 'contains'` for texts that `+` made.
    let no_contains = case.joined && !case.expected && found.is_none();
    guard || false_is_failure || lists_never_fail || no_contains
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/equal")
}

#[test]
fn a_sample_of_verdicts_equals_those_of_other_implementations() {
    for (name, least) in [("json.jsonl", 1_000), ("rules.jsonl", 300)] {
        let text = std::fs::read_to_string(folder().join(name)).expect("the sample is there");
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.judge(line));
        tally.must_be_equal(least);
    }
}

/// A Python that has what `requirements.txt` names; made once in the target folder.
fn python() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("equal-venv");
    let python = home.join("bin/python");
    let requirements = folder().join("requirements.txt");
    let made = home.join("made-of.txt");
    let wanted = std::fs::read_to_string(&requirements).expect("the requirements are there");
    if std::fs::read_to_string(&made).is_ok_and(|found| found == wanted) {
        return python;
    }
    let run = |program: &Path, args: &[&str]| {
        let status = Command::new(program).args(args).status().expect("it can be run");
        assert!(status.success(), "{} {args:?}", program.display());
    };
    run(
        Path::new("python3"),
        &["-m", "venv", "--clear", home.to_str().expect("a path in UTF-8")],
    );
    run(
        &python,
        &[
            "-m",
            "pip",
            "install",
            "--quiet",
            "-r",
            requirements.to_str().expect("a path in UTF-8"),
        ],
    );
    std::fs::write(made, wanted).expect("it can be written");
    python
}

fn compare(what: &str, count: usize, seed: u64) {
    let mut child = Command::new(python())
        .arg(folder().join("cases.py"))
        .args([what, &count.to_string(), &seed.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python can be run");
    let mut tally = Tally::default();
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    lines.for_each(|line| tally.judge(&line.expect("a line of text")));
    assert!(child.wait().expect("it ends").success(), "Python failed");
    println!("{what}, seed {seed}");
    tally.must_be_equal(count);
}

#[test]
#[ignore = "makes a virtual environment from PyPI and 100,000 cases"]
fn verdicts_of_schemas_equal_those_of_pythons_jsonschema() {
    compare("json", 100_000, 20_260_121);
}

#[test]
#[ignore = "makes a virtual environment from PyPI and 20,000 cases"]
fn verdicts_of_rules_equal_those_of_confluent_kafka() {
    compare("rules", 20_000, 20_260_121);
}
