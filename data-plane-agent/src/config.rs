//! What an agent is told at its start, and the ports and paths that follow from it.

use std::path::PathBuf;
use std::time::Duration;

use weir_spans::OtlpArgs;

use crate::flink::launch::FlinkInstall;
use crate::gateway::Domain;
use crate::network::Network;

/// The settings of one agent.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Folder of everything that the agent keeps.
    pub state_dir: PathBuf,
    /// `host:port` of the control plane's agents' door.
    pub control_plane: String,
    /// SHA-256 of the control plane authority's certificate (DER): the pin.
    pub ca_sha256: [u8; 32],
    /// One-time enrolment token; needed until enrolled.
    pub token: Option<Token>,
    /// Where Kafka comes from.
    pub kafka: KafkaInstall,
    /// Address that the gateway and the inside endpoint listen on.
    pub listen_host: String,
    /// Address that clients of the gateway are told.
    pub advertised_host: String,
    /// The first of the agent's ports.
    pub ports: Ports,
    /// How often gateways close a usage window.
    pub usage_window: Duration,
    /// The customer's admission policy.
    pub policy: Option<PathBuf>,
    /// The program that serves `gateway`; none starts no gateway.
    pub gateway_program: Option<PathBuf>,
    /// How clients reach the gateway.
    pub gateway_listener: GatewayListener,
    /// Where Flink comes from; without it, jobs in SQL are not run.
    pub flink: Option<FlinkInstall>,
}

/// How clients reach the gateway.
#[derive(Debug, Clone, Default)]
pub struct GatewayListener {
    /// Certificate chain and private key (PEM); plain TCP without.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The agent makes them, by its own authority.
    pub tls_own: bool,
    /// Below which names are clusters; with TLS only.
    pub sni_domain: Option<Domain>,
    /// Networks of balancers that speak the PROXY protocol.
    pub proxy_from: Vec<Network>,
    /// A balancer ends TLS before the gateway.
    pub tls_before: bool,
    /// Where gateways tell of slow requests.
    pub otlp: OtlpArgs,
    /// From when on a request is slow; `None`: as the gateway has it.
    pub slow_request: Option<Duration>,
}

/// A directory of jars and the Java that runs them.
#[derive(Debug, Clone)]
pub struct KafkaInstall {
    /// Folder of Kafka's jars.
    pub libs: PathBuf,
    /// The Java launcher.
    pub java: PathBuf,
}

/// A one-time enrolment token. `Debug` hides it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Wraps a token.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token in clear, for the one call that sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

/// How many broker pools fit into one agent's ports.
pub const POOL_SLOTS: u16 = 3;
/// How many brokers a pool may have.
pub const POOL_BROKERS_MAX: u16 = 3;

/// The ports of one agent, all above one base: the gateway's bootstrap address at the base, the gateway's address of broker
/// n at base + n, the lane at base + 10, the inside endpoint at base + 11.
///
/// Broker n (1..=3) of the pool in slot s (0..3) listens on base + 20 + 3 s + n, its controller on base + 30 + 3 s + n; where a
/// cluster is in native mode, for its clients on base + 40 + 3 s + n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports(u16);

impl Ports {
    /// The highest base that leaves room for every port.
    pub const BASE_MAX: u16 = u16::MAX - 50;

    /// Ports above `base`; nothing when they would not fit.
    #[must_use]
    pub fn above(base: u16) -> Option<Self> {
        (1..=Self::BASE_MAX).contains(&base).then_some(Self(base))
    }

    /// The gateway's bootstrap port, which is the base.
    #[must_use]
    pub const fn gateway(self) -> u16 {
        self.0
    }

    /// The local lane.
    #[must_use]
    pub const fn lane(self) -> u16 {
        self.0 + 10
    }

    /// The endpoint inside the network.
    #[must_use]
    pub const fn inside(self) -> u16 {
        self.0 + 11
    }

    /// Kafka's port of broker `node` (from 1) of the pool in `slot`.
    #[must_use]
    pub const fn broker(self, slot: u16, node: u16) -> u16 {
        self.0 + 20 + slot * POOL_BROKERS_MAX + node
    }

    /// Kafka's controller port of broker `node` of the pool in `slot`.
    #[must_use]
    pub const fn controller(self, slot: u16, node: u16) -> u16 {
        self.0 + 30 + slot * POOL_BROKERS_MAX + node
    }

    /// Where broker `node` of the pool in `slot` takes clients of a cluster in native mode.
    #[must_use]
    pub const fn native(self, slot: u16, node: u16) -> u16 {
        self.0 + 40 + slot * POOL_BROKERS_MAX + node
    }

    /// Every port that one agent may open, for the preflight.
    #[must_use]
    pub fn all(self) -> Vec<u16> {
        let gateway = (0..=POOL_BROKERS_MAX).map(|n| self.0 + n);
        let own = [self.lane(), self.inside()];
        let kafka = (0..POOL_SLOTS).flat_map(move |slot| {
            (1..=POOL_BROKERS_MAX).flat_map(move |node| {
                [
                    self.broker(slot, node),
                    self.controller(slot, node),
                    self.native(slot, node),
                ]
            })
        });
        gateway.chain(own).chain(kafka).collect()
    }
}

/// Reads `250ms`, `60s`, `5m` or `1h`.
///
/// # Errors
/// A sentence for the command line.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits
        .parse()
        .map_err(|_not_a_number| format!("`{text}` is not a duration such as 60s"))?;
    let duration = match &text[digits.len()..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _other => None,
    };
    duration
        .filter(|it| !it.is_zero())
        .ok_or_else(|| format!("`{text}` is not a duration such as 250ms, 60s, 5m or 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_ports_are_the_same() {
        let ports = Ports::above(9650).unwrap();
        let mut all = ports.all();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(ports.broker(0, 1), 9671, "the first pool's first broker");
        assert_eq!(ports.controller(0, 1), 9681);
        assert_eq!(ports.native(0, 1), 9691);
        assert_eq!(Ports::above(65_530), None);
    }

    #[test]
    fn durations_read_with_their_unit() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        assert!(parse_duration("0s").is_err());
        assert!(parse_duration("1 fortnight").is_err());
    }
}
