//! From values to text, as Jackson writes it.

use std::fmt::Write as _;

use super::{Json, Node};

/// How keys and decimal numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Keys as they came; numbers as Java's `BigDecimal`.
    Kept,
    /// Keys in order of their characters; numbers as Java's `BigDecimal`.
    Sorted,
    /// Keys as they came; numbers with a fraction as Java's `double`: Avro's library reads them so.
    KeptDoubles,
}

/// Writes without spaces.
pub(crate) fn write(out: &mut String, node: &Node, writing: Writing) {
    match &node.json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(raw) => out.push_str(&number_text(raw, writing)),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, item, writing);
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut order: Vec<&(String, Node)> = members.iter().collect();
            if writing == Writing::Sorted {
                order.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            }
            out.push('{');
            for (index, (key, value)) in order.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write(out, value, writing);
            }
            out.push('}');
        }
    }
}

/// A string in quotes, escaped as Jackson does.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

fn number_text(raw: &str, writing: Writing) -> String {
    let whole = !raw.contains(['.', 'e', 'E']);
    if whole {
        return if raw == "-0" {
            "0".to_owned()
        } else {
            raw.to_owned()
        };
    }
    match writing {
        Writing::Kept | Writing::Sorted => java_decimal(raw),
        Writing::KeptDoubles => raw.parse().map_or_else(|_| raw.to_owned(), java_double),
    }
}

/// `java.math.BigDecimal.toString` of a JSON number.
fn java_decimal(raw: &str) -> String {
    let (sign, raw) = raw.strip_prefix('-').map_or(("", raw), |rest| ("-", rest));
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let joined = format!("{whole}{fraction}");
    let digits = joined.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let sign = if digits == "0" { "" } else { sign };
    let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX) - exponent;
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let adjusted = length - 1 - scale;
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    if scale > 0 && adjusted >= -6 {
        let point = usize::try_from(length - scale).unwrap_or(0);
        return if length > scale {
            format!("{sign}{}.{}", &digits[..point], &digits[point..])
        } else {
            let zeros = "0".repeat(usize::try_from(scale - length).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        };
    }
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    let plus = if adjusted > 0 { "+" } else { "" };
    if adjusted == 0 {
        format!("{sign}{first}{dot}{rest}")
    } else {
        format!("{sign}{first}{dot}{rest}E{plus}{adjusted}")
    }
}

/// `Double.toString` of Java 19 and later: the shortest digits that read back the same.
fn java_double(value: f64) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() {
            "-0.0".to_owned()
        } else {
            "0.0".to_owned()
        };
    }
    if (1e-3..1e7).contains(&value.abs()) {
        let plain = value.to_string();
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{dot}E{exponent}")
}
