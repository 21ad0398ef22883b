//! The files that a broker is started with. Pure.

use std::fmt::Write as _;
use std::path::Path;

use super::seat::{BROKER_HOST, Seat};
use crate::config::Ports;

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
}

/// `server.properties` of one broker. Holds the internal password, so the file is private.
#[must_use]
pub fn server_properties(settings: &BrokerSettings<'_>) -> String {
    let BrokerSettings {
        seat,
        ports,
        node,
        data,
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
    let mut lines: Vec<(&str, String)> = vec![
        ("process.roles", "broker,controller".into()),
        ("node.id", node.to_string()),
        ("controller.quorum.bootstrap.servers", voters.join(",")),
        (
            "listeners",
            format!("INTERNAL://{BROKER_HOST}:{port},CONTROLLER://{BROKER_HOST}:{controller}"),
        ),
        (
            "advertised.listeners",
            format!("INTERNAL://{BROKER_HOST}:{port},CONTROLLER://{BROKER_HOST}:{controller}"),
        ),
        (
            "listener.security.protocol.map",
            "INTERNAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT".into(),
        ),
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
    let mut text = String::from("# Written by the agent at every start of the broker.\n");
    for (name, value) in lines {
        let _infallible = writeln!(text, "{name}={value}");
    }
    text
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
        let seat = Seat::choose(slot, brokers).unwrap();
        let settings = BrokerSettings {
            seat: &seat,
            ports: Ports::above(9650).unwrap(),
            node,
            data: Path::new("/state/data"),
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
}
