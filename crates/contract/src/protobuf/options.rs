//! Options in text: `name = value`, with messages written over several lines.

use prost_reflect::prost_types::UninterpretedOption;

/// The name as it is sorted and written: extensions in parentheses.
pub(super) fn name_of(option: &UninterpretedOption) -> String {
    let mut name = String::new();
    for part in &option.name {
        if !name.is_empty() {
            name.push('.');
        }
        if part.is_extension {
            name.push('(');
            name.push_str(&part.name_part);
            name.push(')');
        } else {
            name.push_str(&part.name_part);
        }
    }
    name
}

/// `name = value`, without the word `option` and a semicolon.
pub(super) fn assignment(option: &UninterpretedOption) -> String {
    format!("{} = {}", name_of(option), value_of(option))
}

fn value_of(option: &UninterpretedOption) -> String {
    if let Some(word) = &option.identifier_value {
        word.clone()
    } else if let Some(number) = option.positive_int_value {
        number.to_string()
    } else if let Some(number) = option.negative_int_value {
        number.to_string()
    } else if let Some(number) = option.double_value {
        number.to_string()
    } else if let Some(bytes) = &option.string_value {
        quoted(&String::from_utf8_lossy(bytes))
    } else if let Some(text) = &option.aggregate_value {
        aggregate(text)
    } else {
        String::new()
    }
}

/// A string in quotes, escaped as the field's registry does.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for one in text.chars() {
        match one {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

/// A message in text format, a line for each field. What cannot be read is written as it is.
fn aggregate(text: &str) -> String {
    let mut reader = Reader { text, at: 0 };
    match reader.message(0) {
        Some(fields) if reader.at_end() => shown_message(&fields),
        _ => format!("{{ {} }}", text.trim()),
    }
}

enum Value {
    /// A number, a word, or a string in its quotes.
    Scalar(String),
    Message(Vec<(String, Value)>),
    List(Vec<Value>),
}

fn shown_message(fields: &[(String, Value)]) -> String {
    let mut out = String::from("{\n");
    for (index, (name, value)) in fields.iter().enumerate() {
        let comma = if index + 1 < fields.len() { "," } else { "" };
        out.push_str(&indented(&format!("{name}: {}{comma}", shown(value))));
    }
    out.push('}');
    out
}

fn shown(value: &Value) -> String {
    match value {
        Value::Scalar(text) => text.clone(),
        Value::Message(fields) => shown_message(fields),
        Value::List(items) => {
            let mut out = String::from("[\n");
            for (index, item) in items.iter().enumerate() {
                let comma = if index + 1 < items.len() { "," } else { "" };
                out.push_str(&indented(&format!("{}{comma}", shown(item))));
            }
            out.push(']');
            out
        }
    }
}

/// Each line two spaces further in.
pub(super) fn indented(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.lines() {
        out.push_str("  ");
        out.push_str(line);
        out.push('\n');
    }
    out
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// Deeper values are written as they are.
const DEPTH: usize = 30;

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let skipped = if trimmed.starts_with('#') {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else {
                0
            };
            let step = rest.len() - trimmed.len() + skipped;
            if step == 0 {
                return;
            }
            self.at += step;
        }
    }

    fn at_end(&mut self) -> bool {
        self.space();
        self.rest().is_empty()
    }

    fn take(&mut self, mark: char) -> bool {
        self.space();
        let found = self.rest().starts_with(mark);
        self.at += if found { mark.len_utf8() } else { 0 };
        found
    }

    /// Fields until a closing mark or the end. A name that comes again makes a list.
    fn message(&mut self, depth: usize) -> Option<Vec<(String, Value)>> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        loop {
            self.space();
            if self.rest().is_empty() || self.rest().starts_with(['}', '>']) {
                return Some(fields);
            }
            let name = self.name()?;
            let has_colon = self.take(':');
            self.space();
            if !has_colon && !self.rest().starts_with(['{', '<']) {
                return None;
            }
            let value = self.value(depth + 1)?;
            match fields.iter_mut().find(|(known, _)| *known == name) {
                None => fields.push((name, value)),
                Some((_, Value::List(items))) => items.push(value),
                Some((_, known)) => {
                    let first = std::mem::replace(known, Value::List(Vec::new()));
                    *known = Value::List(vec![first, value]);
                }
            }
            if !self.take(',') {
                self.take(';');
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        if self.rest().starts_with('[') {
            let end = self.rest().find(']')?;
            let name = self.rest().get(..=end)?.to_owned();
            self.at += end + 1;
            return Some(name);
        }
        let name = self.word();
        (!name.is_empty()).then_some(name)
    }

    fn word(&mut self) -> String {
        let is_part = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '.' | '-' | '+');
        let length = self.rest().find(|one| !is_part(one)).unwrap_or(self.rest().len());
        let word = self.rest()[..length].to_owned();
        self.at += length;
        word
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        self.space();
        match self.rest().chars().next()? {
            open @ ('{' | '<') => {
                self.at += 1;
                let fields = self.message(depth)?;
                self.take(if open == '{' { '}' } else { '>' })
                    .then_some(Value::Message(fields))
            }
            '[' => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.take(']') {
                    items.push(self.value(depth + 1)?);
                    self.take(',');
                }
                Some(Value::List(items))
            }
            quote @ ('"' | '\'') => self.string(quote).map(Value::Scalar),
            _ => {
                let word = self.word();
                (!word.is_empty()).then_some(Value::Scalar(word))
            }
        }
    }

    /// A string with its escapes as they are, in double quotes.
    fn string(&mut self, quote: char) -> Option<String> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut end = start;
        while *bytes.get(end)? != quote as u8 {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let inner = self.text.get(start..end)?;
        self.at = end + 1;
        let inner = if quote == '\'' {
            inner.replace("\\'", "'").replace('"', "\\\"")
        } else {
            inner.to_owned()
        };
        Some(format!("\"{inner}\""))
    }
}
