//! Steps that call: addresses, headers and bodies that can be sent.

use super::expression::Wanted;
use super::{Compiler, escaped};
use crate::call::{Body, CallPlan, Chat};
use crate::limits::{
    CALLS_MAX, CONCURRENCY_MAX, ENTRIES_MAX, PATH_NAMES_MAX, RETRIES_MAX, TIMEOUT_MS_MAX, URL_BYTES_MAX,
    WORD_BYTES_MAX,
};
use crate::plan::{Expression, Op};
use crate::problem::ProblemCode;
use crate::spec::{Call, CallShape, Method};

/// Headers that are not for specs: what the host writes itself, and those that carry secrets.
const RESERVED: [&str; 10] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "proxy-authorization",
    "transfer-encoding",
    "upgrade",
];

impl Compiler<'_> {
    pub(super) fn call(&mut self, call: &Call) -> Option<Op> {
        let before = self.problems.len();
        self.calls += 1;
        if self.calls > CALLS_MAX {
            let message = format!("At most {CALLS_MAX} steps of a job may call; split the job.");
            self.problem(ProblemCode::TooLong, "", message);
        }
        self.called.get_or_insert(self.step + 1);
        if let Err(message) = url(&call.url) {
            self.problem(ProblemCode::BadUrl, "url", message);
        }
        self.numbers(call);
        self.headers(call);
        if call.path.len() > PATH_NAMES_MAX || call.query.len() > ENTRIES_MAX {
            let message =
                format!("At most {PATH_NAMES_MAX} parts of a path and {ENTRIES_MAX} of a query are allowed.");
            self.problem(ProblemCode::TooLong, "path", message);
            return None;
        }
        let path = call.path.iter().enumerate();
        let path: Vec<Expression> = path
            .filter_map(|(at, text)| self.expression(text, &format!("path/{at}"), Wanted::Anything))
            .map(|(expression, _known)| expression)
            .collect();
        let mut query = Vec::new();
        for (name, text) in &call.query {
            let field = format!("query/{}", escaped(name));
            if let Some((expression, _known)) = self.expression(text, &field, Wanted::Anything) {
                query.push((name.clone(), expression));
            }
        }
        let body = self.body(call);
        let set = self.set(&call.set, "set", true);
        let (Some(body), Some(set), true) = (body, set, before == self.problems.len()) else {
            return None;
        };
        Some(Op::Call(Box::new(CallPlan {
            method: call.method,
            url: call.url.clone(),
            path,
            query,
            headers: call.headers.clone().into_iter().collect(),
            secret: call.secret.clone(),
            body,
            set,
            timeout_ms: call.timeout_ms,
            retries: call.retries,
            concurrency: call.concurrency,
        })))
    }

    fn numbers(&mut self, call: &Call) {
        for (field, number, least, most) in [
            ("timeout_ms", call.timeout_ms, 1, TIMEOUT_MS_MAX),
            ("retries", call.retries, 0, RETRIES_MAX),
            ("concurrency", call.concurrency, 1, CONCURRENCY_MAX),
        ] {
            if !(least..=most).contains(&number) {
                self.problem(
                    ProblemCode::OutOfRange,
                    field,
                    format!("Choose {least} to {most}."),
                );
            }
        }
    }

    fn headers(&mut self, call: &Call) {
        if call.headers.len() > ENTRIES_MAX {
            let message = format!("At most {ENTRIES_MAX} headers are allowed.");
            self.problem(ProblemCode::TooLong, "headers", message);
            return;
        }
        for (name, value) in &call.headers {
            let field = format!("headers/{}", escaped(name));
            if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
                let message = "This header is not for specs; give a secret by its reference in `secret`.";
                self.problem(ProblemCode::BadHeader, &field, message);
            } else if !is_token(name) || !is_header_value(value) {
                let message = "A header is a name of letters, digits and -, and a value of printable ASCII.";
                self.problem(ProblemCode::BadHeader, &field, message);
            }
        }
        let Some(secret) = &call.secret else { return };
        let forbidden = RESERVED.iter().any(|it| {
            !matches!(*it, "authorization" | "cookie" | "proxy-authorization")
                && secret.header.eq_ignore_ascii_case(it)
        });
        if !is_token(&secret.header) || !is_header_value(&secret.prefix) || forbidden {
            let message = "The header of the secret is a name of letters, digits and -, and none that is written anyway.";
            self.problem(ProblemCode::BadHeader, "secret", message);
        }
        if secret.reference.is_empty() || secret.reference.len() > WORD_BYTES_MAX {
            let message = "Name the secret as the agent knows it.";
            self.problem(ProblemCode::Missing, "secret/reference", message);
        }
    }

    fn body(&mut self, call: &Call) -> Option<Body> {
        let chat_fields = [
            ("model", call.model.is_some()),
            ("messages", !call.messages.is_empty()),
            ("json", call.json),
            ("temperature", call.temperature.is_some()),
            ("tokens_max", call.tokens_max.is_some()),
        ];
        if call.shape == CallShape::Rest {
            let mut good = true;
            for (field, _given) in chat_fields.into_iter().filter(|(_field, given)| *given) {
                let message = "This field is for OPENAI_CHAT; set `shape`, or remove it.";
                self.problem(ProblemCode::NotForShape, field, message);
                good = false;
            }
            return good.then(|| self.rest_body(call)).flatten();
        }
        for (field, given) in [
            ("body", call.body.is_some()),
            ("method", call.method != Method::Post),
        ] {
            if given {
                let message = "This field is for REST; a chat is built from `messages`.";
                self.problem(ProblemCode::NotForShape, field, message);
            }
        }
        self.chat(call).map(Body::Chat)
    }

    fn rest_body(&mut self, call: &Call) -> Option<Body> {
        match (call.method, &call.body) {
            (Method::Get, Some(_)) => {
                let message = "GET has no body; put values into `path` or `query`.";
                self.problem(ProblemCode::NotForShape, "body", message);
                None
            }
            (Method::Get, None) => Some(Body::None),
            (_, None) => Some(Body::Message),
            (_, Some(text)) => {
                let (expression, _known) = self.expression(text, "body", Wanted::Anything)?;
                Some(Body::Value(expression))
            }
        }
    }

    fn chat(&mut self, call: &Call) -> Option<Chat> {
        let model = call.model.clone().filter(|model| !model.is_empty());
        if model.is_none() {
            self.problem(ProblemCode::Missing, "model", "Name the model.");
        }
        if call.messages.is_empty() || call.messages.len() > ENTRIES_MAX {
            let message = format!("Give 1 to {ENTRIES_MAX} messages.");
            self.problem(ProblemCode::Missing, "messages", message);
        }
        if call.temperature.is_some_and(|it| !(0.0..=2.0).contains(&it)) {
            self.problem(ProblemCode::OutOfRange, "temperature", "Choose 0 to 2.");
        }
        let mut messages = Vec::new();
        for (place, message) in call.messages.iter().take(ENTRIES_MAX).enumerate() {
            let field = format!("messages/{place}/content");
            let (content, _text) = self.expression(&message.content, &field, Wanted::Text)?;
            messages.push((message.role, content));
        }
        Some(Chat {
            model: model?,
            messages,
            json: call.json,
            temperature: call.temperature,
            tokens_max: call.tokens_max,
        })
    }
}

/// `https://host:port/path` and nothing behind it.
fn url(text: &str) -> Result<(), String> {
    let form =
        "An address is https://host/path, without query, user or blanks; give values in `path` and `query`.";
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or(form)?;
    let host = rest.split('/').next().unwrap_or_default();
    let plain = text
        .bytes()
        .all(|it| it.is_ascii_graphic() && !matches!(it, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'@'));
    let points = text.split('/').any(|part| matches!(part, "." | ".."));
    if host.is_empty() || host.starts_with(':') || !plain || points || text.len() > URL_BYTES_MAX {
        return Err(form.to_owned());
    }
    Ok(())
}

/// A name of RFC 9110 (section 5.6.2).
fn is_token(name: &str) -> bool {
    let plain = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
    !name.is_empty() && name.len() <= 256 && name.bytes().all(plain)
}

fn is_header_value(value: &str) -> bool {
    value.len() <= 4096 && value.bytes().all(|it| it == b' ' || it.is_ascii_graphic())
}
