//! Verdicts beside those of other implementations: Python's `jsonschema` and the rule engine of confluent-kafka.
//!
//! A sample of their verdicts is kept in `equal/` and judged in every run; the whole comparison, with cases made anew, is
//! in ring slow (`cargo xtask test --ring slow --only "equal verdicts"`), which has a Python with these libraries. What
//! differs, and why, stands in docs/rules.md. Every record goes through the step `validate` of a job, too, and has the
//! contract's verdict there.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "equal/step.rs"]
mod step;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::verdict::{Contract, JudgeLimits, Place, ViolationKind};
use weir_contract::{Format, Schema};

use step::Step;

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
    /// Where it is judged; the gateway if nothing is said.
    place: Option<String>,
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
    /// The verdict here, where it is known to differ.
    here: Option<bool>,
}

#[derive(Default)]
struct Tally {
    equal: usize,
    valid: usize,
    /// By row of docs/rules.md.
    explained: BTreeMap<&'static str, usize>,
    different: Vec<String>,
    /// Records that went through the step of a job, too.
    stepped: usize,
    /// The line that had the contract.
    shown: String,
    /// The contract of the line before, as a job's step, and whether it has field rules.
    last: Option<(Contract, Step, bool)>,
}

impl Tally {
    fn judge(&mut self, line: &str) {
        let case: Line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if let Some(format) = case.format {
            let contract = compiled(format, &case).unwrap_or_else(|error| panic!("{error}: {line}"));
            let step = Step::compile(format, &case.schema, &case.rules)
                .unwrap_or_else(|error| panic!("{error}: {line}"));
            let has_field_rules = case
                .rules
                .domain_rules
                .iter()
                .any(|rule| rule.rule_type == "CEL_FIELD");
            line.clone_into(&mut self.shown);
            self.last = Some((contract, step, has_field_rules));
        }
        let (contract, step, has_field_rules) = self.last.as_ref().expect("the first line has a contract");
        let payload = match (&case.record, &case.payload) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(payload)) => STANDARD.decode(payload).expect("it is base64"),
            (None, None) => panic!("no record: {line}"),
        };
        let place = match case.place.as_deref() {
            None | Some("gateway") => Place::Gateway,
            Some("client") => Place::Client,
            Some("processor") => Place::Processor,
            Some(other) => panic!("no place: {other}"),
        };
        if let Some(what) = step.differs(&payload, &contract.judge(&payload, Place::Processor)) {
            self.different.push(format!("{what}\n  {line}\n  {}", self.shown));
        }
        self.stepped += 1;
        let verdict = contract.judge(&payload, place);
        self.valid += usize::from(verdict.is_valid());
        if verdict.is_valid() == case.expected {
            self.equal += 1;
        } else if let Some(row) = explained(&case, *has_field_rules, verdict.violation().map(|it| it.kind)) {
            *self.explained.entry(row).or_default() += 1;
        } else {
            self.different
                .push(format!("{verdict:?}\n  {line}\n  {}", self.shown));
        }
    }

    /// Both together.
    fn and(mut self, other: Self) -> Self {
        self.equal += other.equal;
        self.valid += other.valid;
        self.stepped += other.stepped;
        for (row, count) in other.explained {
            *self.explained.entry(row).or_default() += count;
        }
        self.different.extend(other.different);
        self
    }

    fn must_be_equal(&self, least: usize) {
        let shown: Vec<&String> = self.different.iter().take(10).collect();
        println!(
            "{} equal, explained {:?}, {} valid; {} through a job's step as well",
            self.equal, self.explained, self.valid, self.stepped
        );
        let explained: usize = self.explained.values().sum();
        assert!(
            self.different.is_empty(),
            "{} differ:\n{shown:#?}",
            self.different.len()
        );
        assert!(self.equal + explained >= least, "only {} cases", self.equal);
        // A comparison in which one side is always the same compares nothing.
        assert!(
            self.valid * 10 > self.equal && self.valid * 10 < self.equal * 9,
            "{} of {} are valid",
            self.valid,
            self.equal
        );
        assert!(
            explained * 20 < self.equal,
            "{explained} differences are explained away"
        );
    }
}

fn compiled(format: Format, case: &Line) -> Result<Contract, String> {
    let schema = Schema::parse(format, &case.schema, &[]).map_err(|error| error.to_string())?;
    Contract::compile(schema, &case.rules, &Metadata::default(), JudgeLimits::DEFAULT)
        .map_err(|error| error.to_string())
}

/// The row of docs/rules.md, "Beside other engines", that explains a difference.
fn explained(case: &Line, has_field_rules: bool, found: Option<ViolationKind>) -> Option<&'static str> {
    let passes_here_alone = !case.expected && found.is_none();
    // A guard without a value leaves the body out, as in the Java client; in the Python client the rule fails.
    if case.guard_failed && passes_here_alone {
        return Some("guard");
    }
    // The walk of confluent-kafka takes a boolean field that is false for a rule that failed.
    if has_field_rules && case.false_boolean && passes_here_alone {
        return Some("boolean field");
    }
    // It takes the results of a list's elements for a list, which is never false.
    if has_field_rules && case.expected && found == Some(ViolationKind::Condition) {
        return Some("element of a list");
    }
    // cel-python: `'str' object has no attribute 'contains'` for texts that `+` made.
    (case.joined && passes_here_alone).then_some("contains")
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

/// Every row of docs/rules.md has a smallest case, and it differs: a row that does not any more is struck.
#[test]
fn what_differs_is_listed() {
    let text = std::fs::read_to_string(folder().join("differences.jsonl")).expect("the list is there");
    assert_eq!(text.lines().count(), 6);
    for line in text.lines() {
        let case: Line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let contract = compiled(Format::Json, &case).unwrap_or_else(|error| panic!("{error}: {line}"));
        let record = case.record.as_deref().expect("it has a record");
        let verdict = contract.judge(record.as_bytes(), Place::Gateway);
        assert_eq!(Some(verdict.is_valid()), case.here, "{verdict:?}\n{line}");
        assert_ne!(Some(case.expected), case.here, "{line}");
    }
}

#[test]
#[ignore = "needs confluent-kafka's rule engine: ring slow"]
fn what_differs_still_does() {
    let output = Command::new(python())
        .arg(folder().join("cases.py"))
        .arg("differences")
        .output()
        .expect("Python can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let kept = std::fs::read_to_string(folder().join("differences.jsonl")).expect("the list is there");
    assert_eq!(String::from_utf8_lossy(&output.stdout), kept);
}

/// A Python that has what `requirements.txt` names.
fn python() -> PathBuf {
    std::env::var_os("WEIR_EQUAL_PYTHON")
        .map(PathBuf::from)
        .expect("WEIR_EQUAL_PYTHON names a Python with equal/requirements.txt, as ring slow has it")
}

/// One slice: cases made in Python while those before them are judged here.
fn slice(what: &str, count: usize, seed: usize) -> Tally {
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
    tally
}

/// Slices with seeds of their own, as many at a time as there are cores.
fn compare(what: &str, count: usize) {
    const SLICES: usize = 10;
    const SEED: usize = 20_260_121;
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= SLICES {
                return tally;
            }
            tally = tally.and(slice(what, count / SLICES, SEED + number));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let tally = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(SLICES)).map(|_| scope.spawn(worker)).collect();
        let tallies = workers
            .into_iter()
            .map(|it| it.join().expect("a slice was judged"));
        tallies.fold(Tally::default(), Tally::and)
    });
    println!("{what}, {SLICES} slices from seed {SEED}");
    tally.must_be_equal(count);
}

#[test]
#[ignore = "needs Python's jsonschema and some minutes: ring slow"]
fn verdicts_of_schemas_equal_those_of_pythons_jsonschema() {
    compare("json", 100_000);
}

#[test]
#[ignore = "needs confluent-kafka's rule engine and some minutes: ring slow"]
fn verdicts_of_rules_equal_those_of_confluent_kafka() {
    compare("rules", 20_000);
}
