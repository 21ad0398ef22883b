//! Texts and bytes in quotes: eight kinds of quotation and their escapes.

use super::lexer::Token;

type Found = Result<(Token, usize), (usize, String)>;

/// A text or bytes at the beginning, with the length of all of it; `None` if something else stands there.
pub fn text(source: &str) -> Option<Found> {
    let prefix = source
        .bytes()
        .take_while(|it| matches!(it, b'r' | b'R' | b'b' | b'B'))
        .count();
    if prefix > 2 || !source[prefix..].starts_with(['"', '\'']) {
        return None;
    }
    let mark = &source[..prefix].to_ascii_lowercase();
    if mark == "rr" || mark == "bb" {
        return None;
    }
    let (raw, bytes) = (mark.contains('r'), mark.contains('b'));
    let quote = &source[prefix..=prefix];
    let triple = quote.repeat(3);
    let quote = if source[prefix..].starts_with(&triple) {
        triple.as_str()
    } else {
        quote
    };
    Some(quoted(source, prefix + quote.len(), quote, raw, bytes))
}

fn quoted(source: &str, from: usize, quote: &str, raw: bool, bytes: bool) -> Found {
    let mut out: Vec<u8> = Vec::new();
    let mut at = from;
    loop {
        let rest = &source[at..];
        if rest.starts_with(quote) {
            break;
        }
        let Some(next) = rest.chars().next() else {
            return Err((0, format!("this text does not end; close it with {quote}")));
        };
        if quote.len() == 1 && matches!(next, '\n' | '\r') {
            return Err((
                0,
                "a text in single quotation marks must end on its line; triple them".to_owned(),
            ));
        }
        if next == '\\' && !raw {
            at += escape(rest, bytes, &mut out).map_err(|message| (at, message))?;
        } else {
            if next == '\\' && rest[1..].starts_with(quote) && quote.len() == 1 {
                // In a raw text a quotation mark behind a backslash does not end it.
                out.push(b'\\');
                at += 1;
            }
            let next = source[at..].chars().next().unwrap_or(next);
            out.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
            at += next.len_utf8();
        }
    }
    let length = at + quote.len();
    if bytes {
        return Ok((Token::Bytes(out), length));
    }
    match String::from_utf8(out) {
        Ok(text) => Ok((Token::Text(text), length)),
        Err(_error) => Err((0, "this text is not UTF-8".to_owned())),
    }
}

/// What an escape at the beginning stands for; returns its length.
fn escape(source: &str, bytes: bool, out: &mut Vec<u8>) -> Result<usize, String> {
    let Some(kind) = source[1..].chars().next() else {
        return Err("nothing stands behind this backslash".to_owned());
    };
    let simple = match kind {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' | '"' | '\'' | '`' | '?' => u8::try_from(kind).unwrap_or(b'?'),
        'x' | 'X' => return coded(source, 2, 2, 16, bytes, out),
        'u' if !bytes => return coded(source, 2, 4, 16, bytes, out),
        'U' if !bytes => return coded(source, 2, 8, 16, bytes, out),
        '0'..='3' => return coded(source, 1, 3, 8, bytes, out),
        other => {
            return Err(format!(
                "\\{other} is no escape; write \\\\ for a backslash, or r\"...\""
            ));
        }
    };
    out.push(simple);
    Ok(2)
}

fn coded(
    source: &str,
    from: usize,
    digits: usize,
    radix: u32,
    bytes: bool,
    out: &mut Vec<u8>,
) -> Result<usize, String> {
    let code = source
        .get(from..from + digits)
        .and_then(|it| u32::from_str_radix(it, radix).ok());
    let wrong = || format!("this escape wants {digits} digits of a character");
    let code = code.ok_or_else(wrong)?;
    if bytes {
        out.push(u8::try_from(code).map_err(|_error| wrong())?);
    } else {
        let character = char::from_u32(code).ok_or_else(wrong)?;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(from + digits)
}
