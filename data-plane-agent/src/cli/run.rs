//! `weir-agent run`: the agent itself, until a signal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use weir_spans::OtlpArgs;

use crate::agent::Agent;
use crate::config::{AgentConfig, GatewayListener, KafkaInstall, Ports, Token, parse_duration};
use crate::flink::launch::FlinkInstall;
use crate::flink::store::S3;
use crate::gateway::Domain;
use crate::gateway_certificate::own_certificate;
use crate::network::Network;
use crate::platform::Platform;

/// What `run` and `doctor` are told.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Folder of everything that the agent keeps.
    #[arg(long, env = "WEIR_STATE_DIR")]
    pub(super) state_dir: PathBuf,
    /// The control plane's agents' door, `host:port`.
    #[arg(long, env = "WEIR_CONTROL_PLANE")]
    pub(super) control_plane: String,
    /// SHA-256 of the control plane authority's certificate (DER), hexadecimal.
    #[arg(long, env = "WEIR_CA_SHA256", value_parser = pin)]
    pub(super) ca_sha256: [u8; 32],
    /// One-time enrolment token; needed until enrolled. Better given as WEIR_TOKEN, which other users cannot see.
    #[arg(long, env = "WEIR_TOKEN", hide_env_values = true, value_parser = token)]
    pub(super) token: Option<Token>,
    /// Folder of Kafka's jars.
    #[arg(long, env = "WEIR_KAFKA_LIBS")]
    pub(super) kafka_libs: PathBuf,
    /// Folder of Flink's jars (deploy/flink/pom.xml); without it, jobs in SQL are not run.
    #[arg(long, env = "WEIR_FLINK_LIBS")]
    pub(super) flink_libs: Option<PathBuf>,
    /// Where jobs in SQL keep what they remember, if not in the state folder: a file that names a bucket (docs/sql-jobs.md).
    #[arg(long, env = "WEIR_FLINK_STATE", requires = "flink_libs")]
    pub(super) flink_state: Option<PathBuf>,
    /// The Java launcher.
    #[arg(long, env = "WEIR_JAVA", default_value = "java")]
    pub(super) java: PathBuf,
    /// Address that the gateway and the inside endpoint listen on.
    #[arg(long, env = "WEIR_LISTEN_HOST", default_value = "127.0.0.1")]
    pub(super) listen_host: String,
    /// Address that clients are told; the listening one when not given.
    #[arg(long, env = "WEIR_ADVERTISED_HOST")]
    pub(super) advertised_host: Option<String>,
    /// The first of the agent's ports.
    #[arg(long, env = "WEIR_PORT_BASE", default_value = "9650", value_parser = ports)]
    pub(super) port_base: Ports,
    /// How often gateways close a usage window.
    #[arg(long, env = "WEIR_USAGE_WINDOW", default_value = "60s", value_parser = parse_duration)]
    pub(super) usage_window: Duration,
    /// Certificate chain (PEM) that Kafka clients meet at the gateway; read again when it changes. Without it they meet plain TCP.
    #[arg(long, env = "WEIR_GATEWAY_TLS_CERT", requires = "gateway_tls_key")]
    pub(super) gateway_tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM).
    #[arg(long, env = "WEIR_GATEWAY_TLS_KEY", requires = "gateway_tls_cert")]
    pub(super) gateway_tls_key: Option<PathBuf>,
    /// Kafka clients meet a certificate of the agent's own authority, whose certificate is `authority/ca.pem` in the state folder.
    #[arg(long, env = "WEIR_GATEWAY_TLS_OWN", conflicts_with = "gateway_tls_cert")]
    pub(super) gateway_tls_own: bool,
    /// With a certificate for `*.<domain>`: clients name their cluster by the host `<label>.<domain>`, brokers are `b<n>-<label>.<domain>`.
    #[arg(long, env = "WEIR_GATEWAY_SNI_DOMAIN")]
    pub(super) gateway_sni_domain: Option<Domain>,
    /// Networks of balancers before the gateway, such as 10.0.0.0/24: they say whom they carry (PROXY protocol, version 2).
    #[arg(long, env = "WEIR_GATEWAY_PROXY_FROM", value_delimiter = ',')]
    pub(super) gateway_proxy_from: Vec<Network>,
    /// A balancer before the gateway ends TLS: what is shared encrypted may be read without TLS at the gateway.
    #[arg(long, env = "WEIR_GATEWAY_TLS_BEFORE", conflicts_with_all = ["gateway_tls_cert", "gateway_tls_own"])]
    pub(super) gateway_tls_before: bool,
    /// Where the gateway tells of slow requests.
    #[command(flatten)]
    pub(super) otlp: OtlpArgs,
    /// From when on a request is slow: 500ms unless told otherwise.
    #[arg(long, env = "WEIR_SLOW_REQUEST", value_parser = parse_duration)]
    pub(super) slow_request: Option<Duration>,
    /// The customer's admission policy (TOML).
    #[arg(long, env = "WEIR_POLICY")]
    pub(super) policy: Option<PathBuf>,
}

impl RunArgs {
    pub(super) fn into_config(self) -> anyhow::Result<AgentConfig> {
        // Children are given absolute paths: they must mean the same after a restart elsewhere.
        let state_dir = std::path::absolute(&self.state_dir).context("find the state folder")?;
        let libs = std::path::absolute(&self.kafka_libs).context("find Kafka's jars")?;
        let bucket = self.flink_state.as_deref().map(bucket).transpose()?;
        let flink = match self.flink_libs {
            None => None,
            Some(libs) => Some(FlinkInstall {
                libs: std::path::absolute(libs).context("find Flink's jars")?,
                java: self.java.clone(),
                bucket,
            }),
        };
        let tls = match (self.gateway_tls_cert, self.gateway_tls_key) {
            (Some(certificate), Some(key)) => Some((
                std::path::absolute(certificate).context("find the gateway's certificate")?,
                std::path::absolute(key).context("find the gateway's private key")?,
            )),
            _none if self.gateway_tls_own => Some(own_certificate(&state_dir)),
            _plain => None,
        };
        if self.gateway_sni_domain.is_some() && tls.is_none() {
            anyhow::bail!(
                "--gateway-sni-domain needs TLS: --gateway-tls-cert and -key, or --gateway-tls-own"
            );
        }
        let gateway_listener = GatewayListener {
            tls,
            tls_own: self.gateway_tls_own,
            sni_domain: self.gateway_sni_domain,
            proxy_from: self.gateway_proxy_from,
            tls_before: self.gateway_tls_before,
            otlp: absolute(self.otlp)?,
            slow_request: self.slow_request,
        };
        Ok(AgentConfig {
            state_dir,
            control_plane: self.control_plane,
            ca_sha256: self.ca_sha256,
            token: self.token,
            kafka: KafkaInstall {
                libs,
                java: self.java,
            },
            advertised_host: self.advertised_host.unwrap_or_else(|| self.listen_host.clone()),
            listen_host: self.listen_host,
            ports: self.port_base,
            usage_window: self.usage_window,
            policy: self.policy,
            gateway_program: Some(std::env::current_exe().context("find our own program")?),
            gateway_listener,
            flink,
        })
    }
}

/// The customer's bucket, as their file says it.
fn bucket(path: &Path) -> anyhow::Result<S3> {
    S3::read(path).map_err(|text| anyhow::anyhow!("{}: {text}", path.display()))
}

/// Its files by absolute paths; what cannot be used is found out before a gateway is started with it.
fn absolute(otlp: OtlpArgs) -> anyhow::Result<OtlpArgs> {
    let OtlpArgs {
        otlp_endpoint,
        otlp_certificate,
        otlp_headers_file,
    } = otlp;
    let found = |path: Option<PathBuf>| path.map(std::path::absolute).transpose();
    let otlp = OtlpArgs {
        otlp_endpoint,
        otlp_certificate: found(otlp_certificate).context("find the collector's authorities")?,
        otlp_headers_file: found(otlp_headers_file).context("find the collector's headers")?,
    };
    otlp.collector()?;
    Ok(otlp)
}

pub(super) fn pin(text: &str) -> Result<[u8; 32], String> {
    weir_credentials::unhex32(text.trim()).ok_or_else(|| "expected 64 hexadecimal digits".to_owned())
}

fn token(text: &str) -> Result<Token, String> {
    Ok(Token::new(text.trim()))
}

pub(super) fn ports(text: &str) -> Result<Ports, String> {
    text.parse()
        .ok()
        .and_then(Ports::above)
        .ok_or_else(|| format!("expected a port from 1 to {}", Ports::BASE_MAX))
}

pub(super) async fn run(args: RunArgs) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let config = args.into_config()?;
    let starting = Agent::start(config, Platform::real());
    let mut agent = tokio::select! {
        started = starting => started?,
        _signal = terminate.recv() => return Ok(()),
        _signal = interrupt.recv() => return Ok(()),
    };
    tracing::info!(data_plane = agent.data_plane_id(), "the agent runs");
    tokio::select! {
        _signal = terminate.recv() => {}
        _signal = interrupt.recv() => {}
        () = agent.broken() => anyhow::bail!("the driver ended by itself"),
    }
    tracing::info!("ending: the gateway first, then the brokers");
    agent.shutdown().await?;
    tracing::info!("ended");
    Ok(())
}
