//! The files that a broker is started with. Pure.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::seat::{BROKER_HOST, Seat};
use crate::config::Ports;

/// How often a connection to a broker's own listener has to show that its user is still there (KIP-368).
const REAUTHENTICATION_MS: u32 = 300_000;

/// Where brokers take clients themselves, for a cluster in native mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeListener {
    /// The address that they listen on.
    pub listen_host: String,
    /// The address that clients are told.
    pub advertised_host: String,
    /// Certificate chain and private key (PEM, PKCS #8); without, what clients send is not encrypted.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// What a broker's settings depend on.
#[derive(Debug, Clone, Copy)]
pub struct BrokerSettings<'a> {
    /// The pool's seat.
    pub seat: &'a Seat,
    /// The agent's ports.
    pub ports: Ports,
    /// Which broker, from 1.
    pub node: u16,
    /// Where it keeps its logs.
    pub data: &'a Path,
    /// How it takes clients itself, if it does, and with TLS the file of its key and certificates.
    pub native: Option<(&'a NativeListener, &'a Path)>,
}

/// `server.properties` of one broker. Holds the internal password, so the file is private.
#[must_use]
pub fn server_properties(settings: &BrokerSettings<'_>) -> String {
    let BrokerSettings {
        seat,
        ports,
        node,
        data,
        native,
    } = settings;
    let port = ports.broker(seat.slot, *node);
    let controller = ports.controller(seat.slot, *node);
    let voters: Vec<String> = (1..=seat.brokers)
        .map(|node| format!("{BROKER_HOST}:{}", ports.controller(seat.slot, node)))
        .collect();
    let login = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"{user}\" password=\"{password}\" user_{user}=\"{password}\";",
        user = seat.username,
        password = seat.password
    );
    let own = native.map(|(listener, keystore)| {
        let port = ports.native(seat.slot, *node);
        client_listener(listener, keystore, port)
    });
    let [listeners, advertised, protocols] = listeners(port, controller, own.as_ref());
    let mut lines: Vec<(&str, String)> = vec![
        ("process.roles", "broker,controller".into()),
        ("node.id", node.to_string()),
        ("controller.quorum.bootstrap.servers", voters.join(",")),
        ("listeners", listeners),
        ("advertised.listeners", advertised),
        ("listener.security.protocol.map", protocols),
        ("inter.broker.listener.name", "INTERNAL".into()),
        ("controller.listener.names", "CONTROLLER".into()),
        ("sasl.enabled.mechanisms", "PLAIN".into()),
        ("sasl.mechanism.inter.broker.protocol", "PLAIN".into()),
        ("sasl.mechanism.controller.protocol", "PLAIN".into()),
        ("listener.name.controller.sasl.enabled.mechanisms", "PLAIN".into()),
        ("listener.name.internal.plain.sasl.jaas.config", login.clone()),
        ("listener.name.controller.plain.sasl.jaas.config", login),
        (
            "authorizer.class.name",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer".into(),
        ),
        ("super.users", format!("User:{}", seat.username)),
        ("log.dirs", data.display().to_string()),
    ];
    lines.extend(storage(seat.brokers));
    lines.extend(own.into_iter().flat_map(|it| it.settings));
    let mut text = String::from("# Written by the agent at every start of the broker.\n");
    for (name, value) in lines {
        let _infallible = writeln!(text, "{name}={value}");
    }
    text
}

/// Where a broker listens, what it says of itself, and what it speaks there.
fn listeners(port: u16, controller: u16, own: Option<&ClientListener>) -> [String; 3] {
    let inner = format!("INTERNAL://{BROKER_HOST}:{port},CONTROLLER://{BROKER_HOST}:{controller}");
    let protocols = "INTERNAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT".to_owned();
    match own {
        None => [inner.clone(), inner, protocols],
        Some(own) => [
            format!("{inner},{}", own.listens),
            format!("{inner},{}", own.advertised),
            format!("{protocols},{}", own.protocol),
        ],
    }
}

struct ClientListener {
    listens: String,
    advertised: String,
    protocol: String,
    settings: Vec<(&'static str, String)>,
}

/// The listener of a cluster's clients: SCRAM, and the authorizer behind it lets in nobody whom no rule names.
fn client_listener(listener: &NativeListener, keystore: &Path, port: u16) -> ClientListener {
    let login = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    let mut settings = vec![
        (
            "listener.name.client.sasl.enabled.mechanisms",
            "SCRAM-SHA-512,SCRAM-SHA-256".to_owned(),
        ),
        (
            "listener.name.client.scram-sha-512.sasl.jaas.config",
            login.to_owned(),
        ),
        (
            "listener.name.client.scram-sha-256.sasl.jaas.config",
            login.to_owned(),
        ),
        (
            "listener.name.client.scram-sha-512.connections.max.reauth.ms",
            REAUTHENTICATION_MS.to_string(),
        ),
        (
            "listener.name.client.scram-sha-256.connections.max.reauth.ms",
            REAUTHENTICATION_MS.to_string(),
        ),
    ];
    if listener.tls.is_some() {
        settings.push(("listener.name.client.ssl.keystore.type", "PEM".to_owned()));
        settings.push((
            "listener.name.client.ssl.keystore.location",
            keystore.display().to_string(),
        ));
    }
    let protocol = if listener.tls.is_some() {
        "CLIENT:SASL_SSL"
    } else {
        "CLIENT:SASL_PLAINTEXT"
    };
    ClientListener {
        listens: format!("CLIENT://{}:{port}", bracketed(&listener.listen_host)),
        advertised: format!("CLIENT://{}:{port}", bracketed(&listener.advertised_host)),
        protocol: protocol.to_owned(),
        settings,
    }
}

/// An address of IPv6 stands in brackets.
fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Settings of storage and coordination, which depend on the number of brokers only.
fn storage(brokers: u16) -> Vec<(&'static str, String)> {
    let copies = brokers.min(3).to_string();
    let in_sync = if brokers >= 3 { "2" } else { "1" }.to_owned();
    vec![
        // Topics exist because somebody wished them, never because somebody asked for them.
        ("auto.create.topics.enable", "false".into()),
        // The gateway maps group names; a group must not change its kind under it.
        ("group.consumer.migration.policy", "disabled".into()),
        ("group.initial.rebalance.delay.ms", "0".into()),
        ("default.replication.factor", copies.clone()),
        ("min.insync.replicas", in_sync.clone()),
        ("offsets.topic.num.partitions", "4".into()),
        ("offsets.topic.replication.factor", copies.clone()),
        ("transaction.state.log.num.partitions", "4".into()),
        ("transaction.state.log.replication.factor", copies.clone()),
        ("transaction.state.log.min.isr", in_sync.clone()),
        ("share.coordinator.state.topic.num.partitions", "2".into()),
        ("share.coordinator.state.topic.replication.factor", copies),
        ("share.coordinator.state.topic.min.isr", in_sync),
        ("log.cleaner.dedupe.buffer.size", "8388608".into()),
        ("num.network.threads", "2".into()),
        ("num.io.threads", "4".into()),
    ]
}

/// Logging of one broker: to one file of its own, turned over by size.
#[must_use]
pub fn log4j2_properties(log: &Path) -> String {
    let log = log.display();
    format!(
        "status=error\n\
         appender.file.type=RollingFile\n\
         appender.file.name=FILE\n\
         appender.file.fileName={log}\n\
         appender.file.filePattern={log}.%i\n\
         appender.file.layout.type=PatternLayout\n\
         appender.file.layout.pattern=[%d] %p %m (%c)%n\n\
         appender.file.policies.type=Policies\n\
         appender.file.policies.size.type=SizeBasedTriggeringPolicy\n\
         appender.file.policies.size.size=20MB\n\
         appender.file.strategy.type=DefaultRolloverStrategy\n\
         appender.file.strategy.max=4\n\
         rootLogger.level=info\n\
         rootLogger.appenderRef.file.ref=FILE\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn properties(brokers: u16, node: u16, slot: u16) -> BTreeMap<String, String> {
        with_native(brokers, node, slot, None)
    }

    fn with_native(
        brokers: u16,
        node: u16,
        slot: u16,
        native: Option<&NativeListener>,
    ) -> BTreeMap<String, String> {
        let seat = Seat::choose(slot, brokers).unwrap();
        let settings = BrokerSettings {
            seat: &seat,
            ports: Ports::above(9650).unwrap(),
            node,
            data: Path::new("/state/data"),
            native: native.map(|it| (it, Path::new("/state/client.pem"))),
        };
        let text = server_properties(&settings);
        let pairs: Vec<(String, String)> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (name, value) = line.split_once('=').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        let count = pairs.len();
        let map: BTreeMap<_, _> = pairs.into_iter().collect();
        assert_eq!(map.len(), count, "no setting twice");
        map
    }

    #[test]
    fn one_broker_stands_alone_and_behind_a_login() {
        let one = properties(1, 1, 0);
        assert_eq!(
            one["listeners"],
            "INTERNAL://127.0.0.1:9671,CONTROLLER://127.0.0.1:9681"
        );
        assert_eq!(one["offsets.topic.replication.factor"], "1");
        assert_eq!(one["min.insync.replicas"], "1");
        assert_eq!(one["auto.create.topics.enable"], "false");
        assert_eq!(one["group.consumer.migration.policy"], "disabled");
        assert!(!one["listener.security.protocol.map"].contains(":PLAINTEXT"));
        assert!(one["listener.name.controller.plain.sasl.jaas.config"].contains("user_weir-internal="));
    }

    #[test]
    fn three_brokers_share_the_quorum_and_keep_three_copies() {
        let third = properties(3, 3, 1);
        assert_eq!(third["node.id"], "3");
        assert_eq!(
            third["controller.quorum.bootstrap.servers"],
            "127.0.0.1:9684,127.0.0.1:9685,127.0.0.1:9686"
        );
        assert_eq!(third["transaction.state.log.replication.factor"], "3");
        assert_eq!(third["transaction.state.log.min.isr"], "2");
    }

    #[test]
    fn clients_of_a_native_cluster_have_a_listener_with_a_login_of_their_own() {
        let mut listener = NativeListener {
            listen_host: "0.0.0.0".to_owned(),
            advertised_host: "kafka.acme.example".to_owned(),
            tls: None,
        };
        let plain = with_native(1, 1, 0, Some(&listener));
        assert_eq!(
            plain["advertised.listeners"],
            "INTERNAL://127.0.0.1:9671,CONTROLLER://127.0.0.1:9681,CLIENT://kafka.acme.example:9691"
        );
        assert!(plain["listeners"].ends_with(",CLIENT://0.0.0.0:9691"));
        assert!(plain["listener.security.protocol.map"].ends_with(",CLIENT:SASL_PLAINTEXT"));
        assert_eq!(
            plain["listener.name.client.sasl.enabled.mechanisms"],
            "SCRAM-SHA-512,SCRAM-SHA-256"
        );
        assert_eq!(
            plain["listener.name.client.scram-sha-512.connections.max.reauth.ms"],
            "300000"
        );
        assert_eq!(plain["super.users"], "User:weir-internal");
        assert!(!plain.contains_key("allow.everyone.if.no.acl.found"));
        listener.tls = Some((PathBuf::from("/c"), PathBuf::from("/k")));
        listener.advertised_host = "::1".to_owned();
        let sealed = with_native(1, 1, 0, Some(&listener));
        assert!(sealed["listener.security.protocol.map"].ends_with(",CLIENT:SASL_SSL"));
        assert!(sealed["advertised.listeners"].ends_with(",CLIENT://[::1]:9691"));
        assert_eq!(
            sealed["listener.name.client.ssl.keystore.location"],
            "/state/client.pem"
        );
        assert!(!properties(1, 1, 0)["listeners"].contains("CLIENT"));
    }
}
