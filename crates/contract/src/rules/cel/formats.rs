//! The forms of texts that the field's rule engines test: `isEmail` and its kin, as protovalidate defined them first.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::functions::Form;

/// Whether a text has a form.
pub fn has_form(text: &str, form: Form) -> bool {
    match form {
        Form::Email => is_email(text),
        Form::Hostname => is_hostname(text),
        Form::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
        Form::Ipv6 => text
            .split_once('%')
            .map_or(text, |(address, _zone)| address)
            .parse::<Ipv6Addr>()
            .is_ok(),
        Form::Uri => is_uri(text),
        Form::UriRef => is_uri_reference(text),
        Form::Uuid => is_uuid(text),
    }
}

/// One `@`; before it at most 64 characters of an atom (RFC 5322, 3.2.3), behind it a host name.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else {
        return false;
    };
    let atom = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&it);
    text.len() <= 254
        && !local.is_empty()
        && local.len() <= 64
        && local.bytes().all(atom)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && is_hostname(host)
}

/// Labels of letters, digits and hyphens (RFC 1034, 3.5); the last one is no number.
fn is_hostname(text: &str) -> bool {
    let host = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
    };
    !text.is_empty()
        && text.len() <= 253
        && host.split('.').all(label)
        && !host
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|it| it.is_ascii_digit()))
}

/// A scheme, an authority and a path (RFC 3986, section 3).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let Some(rest) = rest.strip_prefix("//") else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    is_scheme(scheme) && !authority.is_empty() && path.starts_with('/') && text.bytes().all(is_uri_byte)
}

fn is_uri_reference(text: &str) -> bool {
    text.bytes().all(is_uri_byte)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it))
}

const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562, section 4).
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, it)| match index {
            8 | 13 | 18 | 23 => it == b'-',
            _ => it.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        let cases: [(Form, &[&str], &[&str]); 7] = [
            (
                Form::Email,
                &["a@example.com", "a.b+c@x.org"],
                &["a", "a@", "@x.org", "a@@x.org", "a b@x.org", ".a@x.org", "a@1"],
            ),
            (
                Form::Hostname,
                &["example.com", "a", "a.b.", "xn--bcher-kva.example"],
                &["", "-a.b", "a..b", "a_b", "1.2.3.4"],
            ),
            (
                Form::Ipv4,
                &["127.0.0.1"],
                &["127.0.0", "256.0.0.1", "01.2.3.4", "::1"],
            ),
            (Form::Ipv6, &["::1", "fe80::1%eth0"], &["127.0.0.1", ":::", "g::"]),
            (
                Form::Uri,
                &["https://example.com/", "a+b://x/y?z#w"],
                &["example.com/", "https:/x", "https://", "1a://x/y", "https://x/ y"],
            ),
            (Form::UriRef, &["", "./a", "/a?b"], &["a b", "a\\b"]),
            (
                Form::Uuid,
                &["0189dd40-0000-7000-8000-00000000000F"],
                &[
                    "0189dd40000070008000000000000000",
                    "0189dd40-0000-7000-8000-00000000000g",
                ],
            ),
        ];
        for (form, right, wrong) in cases {
            for text in right {
                assert!(has_form(text, form), "{form:?} {text}");
            }
            for text in wrong {
                assert!(!has_form(text, form), "{form:?} {text}");
            }
        }
    }
}
