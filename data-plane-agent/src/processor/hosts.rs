//! Whom calls may reach. Pure.

use http::Uri;

/// May an address be called? `hosts` are `host:port`; a host that begins with `*.` stands for all below it, the port `*` for
/// every one.
#[must_use]
pub fn is_reachable(url: &str, hosts: &[String]) -> bool {
    let Some((host, port)) = place(url) else {
        return false;
    };
    hosts.iter().any(|pattern| {
        let Some((name, at)) = pattern.rsplit_once(':') else {
            return false;
        };
        let same_port = at == "*" || at.parse() == Ok(port);
        let name = name.trim_matches(['[', ']']).to_ascii_lowercase();
        same_port
            && match name.strip_prefix("*.") {
                Some(parent) => host
                    .strip_suffix(parent)
                    .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
                None => name == host,
            }
    })
}

/// Host, in small letters, and port of an address.
#[must_use]
pub fn place(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let port = match uri.scheme_str()? {
        "http" => 80,
        "https" => 443,
        _other => return None,
    };
    // What stands before an `@` is a login, and could be taken for the host by a reader.
    let authority = uri.authority().filter(|it| !it.as_str().contains('@'))?;
    let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
    (!host.is_empty()).then(|| (host, authority.port_u16().unwrap_or(port)))
}

/// Host and port of an address, for a sentence.
#[must_use]
pub fn shown(url: &str) -> String {
    place(url).map_or_else(
        || "what is no address".to_owned(),
        |(host, port)| format!("{host}:{port}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_hosts_on_named_ports_are_reachable() {
        let hosts = [
            "models.internal:443",
            "*.lab.internal:8080",
            "[::1]:81",
            "any.internal:*",
            "bad",
        ]
        .map(str::to_owned);
        let may = |url| is_reachable(url, &hosts);
        assert!(may("https://models.internal/score"));
        assert!(may("https://MODELS.internal:443/x?y=z"));
        assert!(may("http://a.b.lab.internal:8080/"));
        assert!(may("http://[::1]:81/"));
        assert!(may("http://any.internal:8999/"));
        for not in [
            "http://models.internal/score",
            "https://models.internal:444/",
            "https://xmodels.internal/",
            "http://lab.internal:8080/",
            "http://.lab.internal:8080/",
            "http://evil-lab.internal:8080/",
            "https://models.internal@evil.example/",
            "https://evil.example/models.internal:443",
            "ftp://models.internal:443/",
            "bad",
            "",
        ] {
            assert!(!may(not), "{not}");
        }
        assert!(!is_reachable("https://models.internal/", &[]));
    }
}
