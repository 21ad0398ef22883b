//! Addresses of schemas: relative ones joined (RFC 3986), and their fragments as JSON pointers (RFC 6901).

/// A key as a token of a JSON pointer (RFC 6901).
pub(crate) fn escape(key: &str) -> String {
    if key.contains(['~', '/']) {
        key.replace('~', "~0").replace('/', "~1")
    } else {
        key.to_owned()
    }
}

pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn without_fragment(address: &str) -> &str {
    address.split_once('#').map_or(address, |(address, _)| address)
}

/// Resolves an address against another (RFC 3986, section 5.2, without queries of the base).
pub(super) fn join(base: &str, address: &str) -> String {
    let has_scheme = address.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one))
    });
    if has_scheme {
        return address.to_owned();
    }
    let base = without_fragment(base);
    if address.is_empty() || address.starts_with('#') {
        return format!("{base}{address}");
    }
    let authority_end = base.find("://").map_or(0, |at| {
        base[at + 3..]
            .find('/')
            .map_or(base.len(), |slash| at + 3 + slash)
    });
    let (authority, path) = base.split_at(authority_end);
    let joined = match address.strip_prefix('/') {
        Some(_) => address.to_owned(),
        None => match path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{address}"),
            None if base.contains(':') && authority.is_empty() => return address.to_owned(),
            None => format!("/{address}"),
        },
    };
    format!("{authority}{}", without_dots(&joined))
}

fn without_dots(path: &str) -> String {
    let (path, fragment) = path
        .split_once('#')
        .map_or((path, None), |(path, fragment)| (path, Some(fragment)));
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.len() > 1 => {
                parts.pop();
            }
            ".." => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    fragment.map_or(joined.clone(), |fragment| format!("{joined}#{fragment}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined() {
        for (base, address, joined) in [
            ("http://a.test/b/c.json", "d.json", "http://a.test/b/d.json"),
            ("http://a.test/b/c.json", "/d.json", "http://a.test/d.json"),
            ("http://a.test/b/c.json", "../d.json#x", "http://a.test/d.json#x"),
            ("http://a.test", "d.json", "http://a.test/d.json"),
            ("http://a.test/b#f", "#x", "http://a.test/b#x"),
            ("weir:///", "d.json", "weir:///d.json"),
            ("weir:///", "urn:x:y", "urn:x:y"),
            ("urn:x:y", "z", "z"),
        ] {
            assert_eq!(join(base, address), joined, "{base} {address}");
        }
    }
}
