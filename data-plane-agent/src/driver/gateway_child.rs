//! The gateway: a child of its own, that outlives this agent and is adopted by the next one.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;
use weir_spans::OtlpArgs;

use crate::config::{AgentConfig, GatewayListener};
use crate::platform::child::Child;
use crate::platform::process::{Processes, Program};

/// How long a gateway may take to hand over its counters and end.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct GatewayChild {
    child: Child,
    program: Option<Program>,
    fingerprint: String,
}

impl GatewayChild {
    pub(super) fn remembered(config: &AgentConfig) -> io::Result<Self> {
        let child = Child::remembered(&config.state_dir.join("run"), "gateway", Instant::now())?;
        let program = program(config);
        let mut started_with = env!("CARGO_PKG_VERSION").to_owned();
        for argument in program.iter().flat_map(|program| &program.arguments) {
            started_with.push('\n');
            started_with.push_str(argument);
        }
        Ok(Self {
            child,
            program,
            fingerprint: weir_credentials::hex(&weir_credentials::sha256(started_with.as_bytes())),
        })
    }

    /// Sees that it runs. Never waits.
    pub(super) fn turn(&mut self, processes: &dyn Processes, now: Instant) {
        let Some(program) = &self.program else { return };
        if let Err(error) = self.child.ensure(processes, program, &self.fingerprint, now) {
            tracing::error!(%error, "the gateway could not be started");
        }
    }

    /// Asks it to end; says whether it is gone. Never waits.
    pub(super) fn end(&mut self, processes: &dyn Processes, now: Instant) -> io::Result<bool> {
        self.child.end(processes, PATIENCE, now)
    }
}

fn program(config: &AgentConfig) -> Option<Program> {
    let executable = config.gateway_program.clone()?;
    let state = config.state_dir.join("gateway");
    let lane = config.state_dir.join("lane").join("gateway");
    let mut arguments = vec![
        "gateway".to_owned(),
        "--state-dir".to_owned(),
        state.display().to_string(),
        "--listen-host".to_owned(),
        config.listen_host.clone(),
        "--advertised-host".to_owned(),
        config.advertised_host.clone(),
        "--port-base".to_owned(),
        config.ports.gateway().to_string(),
        "--lane".to_owned(),
        format!("127.0.0.1:{}", config.ports.lane()),
        "--lane-identity".to_owned(),
        lane.display().to_string(),
        "--usage-window".to_owned(),
        duration(config.usage_window),
    ];
    let GatewayListener {
        tls,
        tls_own: _,
        sni_domain,
        proxy_from,
        tls_before,
        otlp,
        slow_request,
    } = &config.gateway_listener;
    if let Some((certificate, key)) = tls {
        arguments.extend(["--tls-cert".to_owned(), certificate.display().to_string()]);
        arguments.extend(["--tls-key".to_owned(), key.display().to_string()]);
    }
    if let Some(domain) = sni_domain {
        arguments.extend(["--sni-domain".to_owned(), domain.to_string()]);
    }
    for network in proxy_from {
        arguments.extend(["--proxy-from".to_owned(), network.to_string()]);
    }
    if *tls_before {
        arguments.push("--tls-before".to_owned());
    }
    arguments.extend(spans(otlp, *slow_request));
    Some(Program {
        name: "gateway".to_owned(),
        executable,
        arguments,
        log: config.state_dir.join("logs").join("gateway.log"),
        tag: state.display().to_string(),
        ..Program::default()
    })
}

/// Where it tells of slow requests. Headers stay in their file: command lines can be seen.
fn spans(otlp: &OtlpArgs, slow_request: Option<Duration>) -> Vec<String> {
    let OtlpArgs {
        otlp_endpoint,
        otlp_certificate,
        otlp_headers_file,
    } = otlp;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|it| it.display().to_string());
    [
        ("--otlp-endpoint", otlp_endpoint.clone()),
        ("--otlp-certificate", path(otlp_certificate)),
        ("--otlp-headers-file", path(otlp_headers_file)),
        ("--slow-request", slow_request.map(duration)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some([name.to_owned(), value?]))
    .flatten()
    .collect()
}

/// As the command line reads it.
fn duration(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_told_where_spans_go_and_no_header() {
        assert!(spans(&OtlpArgs::default(), None).is_empty());
        let otlp = OtlpArgs {
            otlp_endpoint: Some("https://collector:4317".to_owned()),
            otlp_certificate: Some("/etc/ca.pem".into()),
            otlp_headers_file: Some("/etc/headers".into()),
        };
        assert_eq!(
            spans(&otlp, Some(Duration::from_millis(250))),
            [
                "--otlp-endpoint",
                "https://collector:4317",
                "--otlp-certificate",
                "/etc/ca.pem",
                "--otlp-headers-file",
                "/etc/headers",
                "--slow-request",
                "250ms"
            ]
        );
    }
}
