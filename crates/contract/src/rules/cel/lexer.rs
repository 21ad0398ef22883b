//! The words of an expression (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax>).

use super::CelError;
use super::literal;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A whole number; its sign is an operator.
    Int(u64),
    /// With `u` behind it.
    Uint(u64),
    /// With a point or an exponent.
    Double(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A name.
    Name(String),
    /// A name in back ticks, for fields that are no names.
    Quoted(String),
    /// An operator or a bracket.
    Mark(&'static str),
    /// Nothing more.
    End,
}

/// Longer ones first.
const MARKS: [&str; 27] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ",", ".", "(", ")",
    "[", "]", "{", "}", ";", "=", "@",
];

/// Cuts a text into words, each with the byte where it begins.
pub fn words(text: &str) -> Result<Vec<(Token, usize)>, CelError> {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        at = skip_blank(text, at);
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            words.push((Token::End, at));
            return Ok(words);
        };
        let (token, length) = if first.is_ascii_digit() || (first == '.' && second_is_digit(rest)) {
            number(rest).map_err(|message| CelError::new(at, message))?
        } else if let Some(found) = literal::text(rest) {
            found.map_err(|(offset, message)| CelError::new(at + offset, message))?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = rest
                .bytes()
                .take_while(|it| it.is_ascii_alphanumeric() || *it == b'_')
                .count();
            (Token::Name(rest[..length].to_owned()), length)
        } else if first == '`' {
            let Some(end) = rest[1..].find('`') else {
                return Err(CelError::new(
                    at,
                    "this name in back ticks does not end; close it with `",
                ));
            };
            (Token::Quoted(rest[1..=end].to_owned()), end + 2)
        } else if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
            (Token::Mark(mark), mark.len())
        } else {
            return Err(CelError::new(
                at,
                format!("the character {first:?} means nothing in CEL; remove it"),
            ));
        };
        words.push((token, at));
        at += length;
    }
}

fn second_is_digit(text: &str) -> bool {
    text.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

/// White space and comments to the end of the line.
fn skip_blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len();
        at += blank;
        if text[at..].starts_with("//") {
            at += text[at..].find('\n').unwrap_or(text.len() - at);
        } else if blank == 0 {
            return at;
        }
    }
}

/// A number at the beginning of the text.
fn number(text: &str) -> Result<(Token, usize), String> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|it| it.is_ascii_digit()).count();
    let unsigned = |at: usize| matches!(bytes.get(at), Some(b'u' | b'U'));
    let whole = |parsed: Option<u64>, end: usize| match parsed {
        None => Err("this number does not fit into 64 bits".to_owned()),
        Some(number) if unsigned(end) => Ok((Token::Uint(number), end + 1)),
        Some(number) => Ok((Token::Int(number), end)),
    };
    if bytes.len() > 2 && bytes[0] == b'0' && matches!(bytes[1], b'x' | b'X') {
        let count = bytes[2..].iter().take_while(|it| it.is_ascii_hexdigit()).count();
        return whole(u64::from_str_radix(&text[2..2 + count], 16).ok(), 2 + count);
    }
    let mut end = digits(0);
    let mut fraction = false;
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end += 1 + digits(end + 1);
        fraction = true;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let count = bytes
            .get(end + 1 + sign..)
            .map_or(0, |_rest| digits(end + 1 + sign));
        if count > 0 {
            end += 1 + sign + count;
            fraction = true;
        }
    }
    if fraction {
        let parsed = text[..end]
            .parse()
            .map_err(|_error| "this is no number".to_owned())?;
        return Ok((Token::Double(parsed), end));
    }
    whole(text[..end].parse().ok(), end)
}
