//! `CREATE MODEL`: which model a program asks, how patiently, and what its failures become.
//!
//! A program never says a key, and Flink never learns one: it asks the agent, which asks the endpoint. So an address and a
//! secret's name are read here and kept apart from what Flink is told.

use std::collections::BTreeMap;

use crate::ddl::{Ddl, head};
use crate::problem::{Place, Problem, ProblemCode};
use crate::settings::duration_ms;
use crate::token::{Kind, Token, quoted};

/// What an answer begins with that is a failure's code and nothing that a model said.
pub const FAILURE_MARK: &str = "weir:";
/// How long a question may be under way with all its attempts. Flink takes a question back after three minutes.
const WHOLE_MS_MAX: u64 = 150_000;
/// The wait before the second attempt, which doubles with each, up to a bound.
const AGAIN_MS: u64 = 200;
const AGAIN_MS_MAX: u64 = 10_000;
const TIMEOUT_MS_DEFAULT: u32 = 10_000;
const RETRIES_DEFAULT: u32 = 2;
const NAME_BYTES_MAX: usize = 63;
const URL_BYTES_MAX: usize = 2048;
const PROMPT_BYTES_MAX: usize = 8 * 1024;
const SUFFIX: &str = "/chat/completions";

/// A model that a program asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// As the program calls it: letters, digits and underscores.
    pub name: String,
    /// Where it is.
    pub endpoint: String,
    /// The name of the secret that it is asked with, as the agent knows it.
    pub secret: Option<String>,
    /// How long one attempt may take.
    pub timeout_ms: u32,
    /// Attempts after the first.
    pub retries: u32,
    /// A failure is an answer, which begins with [`FAILURE_MARK`]; else it is the job's.
    pub answers_failures: bool,
    input: String,
    output: String,
    /// What Flink is told of how to ask.
    options: Vec<(String, String)>,
}

/// How Flink reaches the agent. `Debug` hides the token.
#[derive(Clone, PartialEq, Eq)]
pub struct Relay {
    /// The address below which the job's models are.
    pub base: String,
    /// What the job shows there.
    pub token: String,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({})", self.base)
    }
}

impl Model {
    /// As Flink is told of it: it asks the agent, with the job's token.
    #[must_use]
    pub fn ddl(&self, relay: &Relay) -> Ddl {
        let mut ddl = head(format!(
            "CREATE TEMPORARY MODEL {} INPUT ({} STRING) OUTPUT ({} STRING)",
            quoted(&self.name),
            quoted(&self.input),
            quoted(&self.output)
        ));
        ddl.option("provider", "openai");
        ddl.option("endpoint", format!("{}/{}{SUFFIX}", relay.base, self.name));
        ddl.secret("api-key", &relay.token);
        for (key, value) in &self.options {
            ddl.option(key, value);
        }
        // The agent tries again and says when it is enough. What Flink itself tries again is a question to an agent that is away.
        ddl.option("error-handling-strategy", "retry");
        ddl.option("retry-num", "100");
        ddl.option("retry-fallback-strategy", "failover");
        ddl
    }

    /// How long to wait after this attempt, the first of which is 1; `None`: it was the last.
    #[must_use]
    pub fn again_ms(&self, attempt: u32) -> Option<u64> {
        (attempt <= self.retries).then(|| wait_ms(attempt))
    }
}

fn wait_ms(attempt: u32) -> u64 {
    let doubled = 1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
    AGAIN_MS.saturating_mul(doubled).min(AGAIN_MS_MAX)
}

/// Reads what stands behind `CREATE MODEL`: `name INPUT (a STRING) OUTPUT (b STRING) WITH ('key' = 'value', ..)`.
pub(crate) fn read(tokens: &[Token], place: Place) -> Result<Model, Problem> {
    let (name, rest) = plain_name(tokens, place)?;
    let (input, rest) = column(rest, "INPUT", place)?;
    let (output, rest) = column(rest, "OUTPUT", place)?;
    let mut said = options(rest, place)?;
    let mut model = Model {
        name,
        endpoint: String::new(),
        secret: None,
        timeout_ms: TIMEOUT_MS_DEFAULT,
        retries: RETRIES_DEFAULT,
        answers_failures: false,
        input,
        output,
        options: Vec::new(),
    };
    for wanted in ["provider", "endpoint", "model"] {
        if !said.contains_key(wanted) {
            return Err(malformed(place, format!("A model needs the option '{wanted}'.")));
        }
    }
    while let Some((key, (value, at))) = said.pop_first() {
        model
            .take(&key, value)
            .map_err(|text| Problem::new(ProblemCode::OptionForbidden, at, text))?;
    }
    let waits: u64 = (1..=model.retries).map(wait_ms).sum();
    let whole = u64::from(model.timeout_ms) * u64::from(model.retries + 1) + waits;
    if whole > WHOLE_MS_MAX {
        let text = format!(
            "A question may take {} s with all its attempts; these take up to {} s: make 'timeout' or 'retry-num' smaller.",
            WHOLE_MS_MAX / 1000,
            whole / 1000
        );
        return Err(Problem::new(ProblemCode::OptionForbidden, place, text));
    }
    Ok(model)
}

impl Model {
    fn take(&mut self, key: &str, value: String) -> Result<(), String> {
        match key {
            "endpoint" => self.endpoint = endpoint(&value)?,
            "secret" => self.secret = Some(secret(value)?),
            "timeout" => {
                let ms = duration_ms(&value).and_then(|it| u32::try_from(it).ok());
                let ms = ms.filter(|it| (100..=60_000).contains(it));
                self.timeout_ms = ms.ok_or_else(|| such_as(key, "10 s', from '100 ms' to '60 s"))?;
            }
            "retry-num" => {
                let retries = value.parse::<u32>().ok().filter(|it| *it <= 10);
                self.retries = retries.ok_or_else(|| such_as(key, "2', from '0' to '10"))?;
            }
            "error-handling-strategy" => match value.as_str() {
                "failover" => self.answers_failures = false,
                "answer" => self.answers_failures = true,
                _lossy => {
                    return Err(format!(
                        "'{key}' is 'failover' (the job waits until the model answers) or 'answer' (the answer is '{FAILURE_MARK}' and a code). Others lose records unseen."
                    ));
                }
            },
            "provider" if value == "openai" => {}
            "provider" => return Err(such_as(key, "openai")),
            "api-key" => {
                return Err("No key stands in a program: name the agent's secret by 'secret'.".to_owned());
            }
            _passed_on => {
                passes(key, &value)?;
                self.options.push((key.to_owned(), value));
            }
        }
        Ok(())
    }
}

fn such_as(key: &str, example: &str) -> String {
    format!("'{key}' has values such as '{example}'.")
}

/// May Flink be told of this?
fn passes(key: &str, value: &str) -> Result<(), String> {
    let number = |most: f64| value.parse::<f64>().is_ok_and(|it| (0.0..=most).contains(&it));
    let (fits, example) = match key {
        "model" => ((1..=256).contains(&value.len()), "small"),
        "system-prompt" => (
            value.len() <= PROMPT_BYTES_MAX,
            "Answer with a number from 0 to 1.",
        ),
        "temperature" => (number(2.0), "0.2"),
        "top-p" => (number(1.0), "0.9"),
        "max-tokens" => (
            value.parse::<u32>().is_ok_and(|it| (1..=1_000_000).contains(&it)),
            "16",
        ),
        "seed" => (value.parse::<u32>().is_ok(), "1"),
        "response-format" => (matches!(value, "text" | "json_object"), "json_object"),
        _unknown => {
            return Err(format!(
                "Models do not have this option here. They have {}.",
                KEYS.join(", ")
            ));
        }
    };
    if fits { Ok(()) } else { Err(such_as(key, example)) }
}

/// As files of credentials are named.
fn secret(value: String) -> Result<String, String> {
    let fits = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_".contains(&it);
    if (1..=NAME_BYTES_MAX).contains(&value.len()) && value.bytes().all(fits) {
        Ok(value)
    } else {
        Err("'secret' is the name of a credential that the agent has, such as 'models'.".to_owned())
    }
}

const KEYS: [&str; 13] = [
    "provider",
    "endpoint",
    "model",
    "secret",
    "timeout",
    "retry-num",
    "error-handling-strategy",
    "system-prompt",
    "temperature",
    "top-p",
    "max-tokens",
    "seed",
    "response-format",
];

/// An address of chat completions, without what could hide another.
fn endpoint(value: &str) -> Result<String, String> {
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"));
    let fits = rest.is_some_and(|rest| {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        !authority.is_empty()
            && rest
                .bytes()
                .all(|it| it.is_ascii_graphic() && !b"@?#\\\"<>%".contains(&it))
            && format!("/{path}").ends_with(SUFFIX)
    });
    if fits && value.len() <= URL_BYTES_MAX {
        Ok(value.to_owned())
    } else {
        Err(format!(
            "'endpoint' is the whole address of chat completions, such as 'https://models.example/v1{SUFFIX}'."
        ))
    }
}

/// The name becomes a part of an address.
fn plain_name(tokens: &[Token], place: Place) -> Result<(String, &[Token]), Problem> {
    let (first, rest) = tokens
        .split_first()
        .ok_or_else(|| malformed(place, "A name is missing."))?;
    let name = first.name().filter(|it| {
        let begins = it.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
        let fits = it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        begins && fits && it.len() <= NAME_BYTES_MAX
    });
    match name {
        Some(name) => Ok((name.to_owned(), rest)),
        None => {
            let text =
                "A model is called by 1 to 63 letters, digits and underscores, and not first by a digit.";
            Err(malformed(first.place, text))
        }
    }
}

/// `WORD (name STRING)`
fn column<'t>(tokens: &'t [Token], word: &str, place: Place) -> Result<(String, &'t [Token]), Problem> {
    let text = || {
        format!(
            "A model is written CREATE MODEL name INPUT (name STRING) OUTPUT (name STRING) WITH ('key' = 'value', ..): one text comes in, one goes out; see {word}."
        )
    };
    let at = tokens.first().map_or(place, |it| it.place);
    let [begin, open, name, kind, close, rest @ ..] = tokens else {
        return Err(malformed(at, text()));
    };
    let fits = begin.is(word) && open.is_symbol("(") && kind.is("STRING") && close.is_symbol(")");
    match name.name().filter(|_name| fits) {
        Some(name) => Ok((name.to_owned(), rest)),
        None => Err(malformed(at, text())),
    }
}

/// `WITH ('key' = 'value', ..)`, and nothing behind it.
fn options(tokens: &[Token], place: Place) -> Result<BTreeMap<String, (String, Place)>, Problem> {
    let wrong = |at: Place| malformed(at, "Options are written WITH ('key' = 'value', ..).");
    let at = tokens.first().map_or(place, |it| it.place);
    let [with, open, inside @ .., close] = tokens else {
        return Err(wrong(at));
    };
    if !(with.is("WITH") && open.is_symbol("(") && close.is_symbol(")")) {
        return Err(wrong(at));
    }
    let mut found = BTreeMap::new();
    for pair in inside.split(|it| it.is_symbol(",")) {
        let [key, equals, value] = pair else {
            return Err(wrong(pair.first().map_or(at, |it| it.place)));
        };
        let (Kind::Text(text), true, Kind::Text(value)) = (&key.kind, equals.is_symbol("="), &value.kind)
        else {
            return Err(wrong(key.place));
        };
        if found.insert(text.clone(), (value.clone(), key.place)).is_some() {
            return Err(malformed(
                key.place,
                format!("The option '{text}' stands there twice."),
            ));
        }
    }
    Ok(found)
}

fn malformed(place: Place, message: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::Malformed, place, message)
}
