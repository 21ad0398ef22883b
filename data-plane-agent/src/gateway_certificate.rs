//! The certificate that Kafka clients meet at the gateways: the customer's files, or made by the agent's own authority.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::config::{AgentConfig, GatewayListener};
use crate::local_tls::Authority;

/// Chain and key of a gateway's certificate that the agent makes.
#[must_use]
pub fn own_certificate(state_dir: &Path) -> (PathBuf, PathBuf) {
    let folder = state_dir.join("gateway-tls");
    (folder.join("client.pem"), folder.join("client.key"))
}

/// Makes the gateway's certificate at every start; a gateway that runs takes it by itself.
///
/// # Errors
/// As the file system and the certificates say.
pub fn make_own(config: &AgentConfig, authority: &Authority) -> anyhow::Result<()> {
    let GatewayListener {
        tls: _,
        tls_own,
        sni_domain,
        proxy_from: _,
        tls_before: _,
        otlp: _,
        slow_request: _,
    } = &config.gateway_listener;
    let (chain, _key) = own_certificate(&config.state_dir);
    let Some(folder) = chain.parent().filter(|_folder| *tls_own) else {
        return Ok(());
    };
    let below = sni_domain.as_ref().map(|it| format!("*.{it}"));
    let hosts: Vec<&str> = [config.listen_host.as_str(), config.advertised_host.as_str()]
        .into_iter()
        .chain(below.as_deref())
        .collect();
    authority
        .issue(folder, None, &hosts)
        .context("make the gateway's certificate")?;
    Ok(())
}
