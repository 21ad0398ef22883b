//! The request that a record makes.

use weir_contract::record::{WriteErrorKind, write_json};
use weir_contract::value::{Key, Map, Text, Value};

use super::{Body, CallPlan, Chat, Request};
use crate::limits::{REQUEST_BYTES_MAX, URL_BYTES_MAX};
use crate::plan::Expression;
use crate::run::{DeadLetterCode as Code, Stop};
use crate::spec::Method;

/// Builds the first attempt; `evaluate` gives the values of expressions, `message` is the record.
pub(crate) fn build<'a>(
    step: usize,
    call: &'a CallPlan,
    message: &Value<'a>,
    evaluate: &mut dyn FnMut(&'a Expression) -> Result<Value<'a>, Stop>,
) -> Result<Request, Stop> {
    let mut url = call.url.clone();
    for part in &call.path {
        let value = evaluate(part)?;
        if !url.ends_with('/') {
            url.push('/');
        }
        write_path_segment(&mut url, &text(&value)?)?;
    }
    for (place, (name, value)) in call.query.iter().enumerate() {
        let value = evaluate(value)?;
        url.push(if place == 0 { '?' } else { '&' });
        encode(&mut url, name);
        url.push('=');
        encode(&mut url, &text(&value)?);
    }
    if url.len() > 4 * URL_BYTES_MAX {
        return Err(refused("The address of the request would be too long."));
    }
    let body = match &call.body {
        Body::None => None,
        Body::Message => Some(json(message)?),
        Body::Value(expression) => Some(json(&evaluate(expression)?)?),
        Body::Chat(chat) => Some(json(&chat_body(chat, evaluate)?)?),
    };
    let mut headers = call.headers.clone();
    headers.push(("Accept".to_owned(), "application/json".to_owned()));
    if body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    Ok(Request {
        step,
        method: match call.body {
            Body::Chat(_) => Method::Post.as_str(),
            _ => call.method.as_str(),
        },
        url,
        headers,
        secret: call.secret.clone(),
        body,
        timeout_ms: call.timeout_ms,
        attempt: 1,
        wait_ms: 0,
    })
}

fn refused(sentence: &str) -> Stop {
    Stop::Dead(Code::BadRequest, sentence.to_owned())
}

fn json(value: &Value<'_>) -> Result<Vec<u8>, Stop> {
    write_json(value, REQUEST_BYTES_MAX).map_err(|error| match error.kind {
        WriteErrorKind::TooLarge => refused("The body of the request would be too large or too deep."),
        WriteErrorKind::Unfit => refused("The body of the request cannot be written as JSON."),
    })
}

fn text(value: &Value<'_>) -> Result<String, Stop> {
    match value {
        Value::Text(text) => Ok(text.as_str().to_owned()),
        Value::Int(number) => Ok(number.to_string()),
        Value::Uint(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err(refused(
            "A part of the address is neither a string nor a whole number nor a bool.",
        )),
    }
}

/// One part of a path. Never one that leads elsewhere.
fn write_path_segment(url: &mut String, text: &str) -> Result<(), Stop> {
    if matches!(text, "" | "." | "..") {
        return Err(refused("A part of the path is empty or made of points."));
    }
    encode(url, text);
    Ok(())
}

/// What RFC 3986 (section 2.3) reserves for nothing stays; all other bytes are percent-encoded.
fn encode(url: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn entry<'a>(name: &'static str, value: Value<'a>) -> (Key<'a>, Value<'a>) {
    (Key::Text(Text::Borrowed(name)), value)
}

fn chat_body<'a>(
    chat: &'a Chat,
    evaluate: &mut dyn FnMut(&'a Expression) -> Result<Value<'a>, Stop>,
) -> Result<Value<'a>, Stop> {
    let mut messages = Vec::with_capacity(chat.messages.len());
    for (role, content) in &chat.messages {
        let content = evaluate(content)?;
        if !matches!(content, Value::Text(_)) {
            return Err(refused("The content of a message is no string."));
        }
        messages.push(Value::Map(Map::of(vec![
            entry("role", Value::text(role.as_str())),
            entry("content", content),
        ])));
    }
    let mut body = vec![
        entry("model", Value::text(&chat.model)),
        entry("messages", Value::list(messages)),
    ];
    if chat.json {
        let format = Map::of(vec![entry("type", Value::text("json_object"))]);
        body.push(entry("response_format", Value::Map(format)));
    }
    if let Some(temperature) = chat.temperature {
        body.push(entry("temperature", Value::Double(temperature)));
    }
    if let Some(tokens) = chat.tokens_max {
        body.push(entry("max_tokens", Value::Uint(tokens.into())));
    }
    Ok(Value::Map(Map::of(body)))
}
