//! Whom calls may reach. Pure.

use std::net::IpAddr;

use http::Uri;

/// May an address be called? `hosts` are `host:port`; a host that begins with `*.` stands for all below it, the port `*` for
/// every one.
#[must_use]
pub fn is_reachable(url: &str, hosts: &[String]) -> bool {
    let Some((host, port)) = place(url) else {
        return false;
    };
    // What stands for all below a name stands for no address.
    let is_name = host.parse::<IpAddr>().is_err();
    patterns(hosts, port).any(|name| match name.strip_prefix("*.") {
        Some(parent) => {
            is_name
                && host
                    .strip_suffix(parent)
                    .is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        }
        None => name == host,
    })
}

/// The hosts of patterns that are for a port, in small letters.
fn patterns(hosts: &[String], port: u16) -> impl Iterator<Item = String> {
    hosts.iter().filter_map(move |pattern| {
        let (name, at) = pattern.rsplit_once(':')?;
        let same_port = at == "*" || at.parse() == Ok(port);
        same_port.then(|| name.trim_matches(['[', ']']).to_ascii_lowercase())
    })
}

/// May a call go where a name has led to? Whoever answers for a name could lead it to this machine, or to what a cloud tells its
/// machines about themselves. So only an address that `hosts` name as such is link-local, and only what they name in full is
/// this machine.
#[must_use]
pub fn may_lead(host: &str, port: u16, address: IpAddr, hosts: &[String]) -> bool {
    if host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let address = address.to_canonical();
    let link_local = match address {
        IpAddr::V4(it) => it.is_link_local() || it.is_broadcast(),
        IpAddr::V6(it) => it.is_unicast_link_local(),
    };
    if link_local || address.is_unspecified() || address.is_multicast() {
        return false;
    }
    !address.is_loopback() || patterns(hosts, port).any(|name| name == host)
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
        let wide = ["*.0.0.1:80".to_owned(), "*.254:80".to_owned()];
        for not in [
            "http://127.0.0.1/",
            "http://169.254.169.254/",
            "http://2130706433/",
            "http://0x7f.1/",
        ] {
            assert!(!is_reachable(not, &wide), "{not}");
        }
        for not in [
            "file:///etc/passwd",
            "file://models.internal:443/etc/passwd",
            "unix:/run/agent",
            "//models.internal:443/",
        ] {
            assert!(!may(not), "{not}");
        }
    }

    #[test]
    fn a_name_leads_to_no_metadata_and_to_this_machine_only_if_it_is_named_in_full() {
        let hosts = ["models.internal:80", "*.lab.internal:80", "169.254.169.254:80"].map(str::to_owned);
        let may = |host: &str, address: &str| may_lead(host, 80, address.parse().unwrap(), &hosts);
        for host in ["models.internal", "a.lab.internal"] {
            assert!(may(host, "10.0.0.7") && may(host, "fd00::7"));
            for not in [
                "169.254.169.254",
                "::ffff:169.254.169.254",
                "fe80::1",
                "0.0.0.0",
                "::",
                "224.0.0.1",
                "255.255.255.255",
            ] {
                assert!(!may(host, not), "{host} {not}");
            }
        }
        for here in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(may("models.internal", here), "the customer's own name for it");
            assert!(
                !may("a.lab.internal", here),
                "a name that somebody else may have made"
            );
        }
        assert!(may("169.254.169.254", "169.254.169.254"), "as the customer says");
    }
}
