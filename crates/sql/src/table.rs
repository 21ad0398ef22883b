//! The tables that a job sees: `CREATE TABLE` statements from its topics, through the gateway, as the job.
//!
//! Secrets stand in them, so a table shows itself without; only [`Ddl::reveal`] has them.

use std::fmt;

use crate::columns::{Column, exact_kind, kind};
use crate::ddl::begin;
use crate::model::Relay;
use crate::token::quoted;

pub use crate::ddl::Ddl;

/// How long Kafka lets a transaction of a job stand open: the longest that brokers let clients ask for, unless told otherwise.
const TRANSACTION_TIMEOUT_MS: u32 = 900_000;

/// How tables reach Kafka. `Debug` hides the secret.
#[derive(Clone)]
pub struct Login {
    /// `host:port` of the gateway.
    pub bootstrap: String,
    /// Authorities (PEM) to believe: `None`, the connection is plain; empty, those that Java has.
    pub tls: Option<String>,
    /// The job's id: user, consumer group, and what transactional ids begin with.
    pub job: String,
    /// Its secret.
    pub secret: String,
    /// Where it asks for schemas.
    pub registry: Relay,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({} at {})", self.job, self.bootstrap)
    }
}

/// How values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueFormat {
    /// JSON without a frame.
    Json,
    /// Avro behind the frame of the Schema Registry.
    AvroConfluent {
        /// The name that the schema is asked for by.
        subject: String,
        /// The schema that the table is of, whose types are exactly those of its columns.
        schema: String,
    },
}

/// Which column says when something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTime {
    /// A column of the table; none: the time that the record itself carries.
    pub column: Option<String>,
    /// Of a column with whole numbers.
    pub unit: TimeUnit,
    /// How much later than others a record may come and still count.
    pub delay_ms: u32,
}

/// What whole numbers of a time count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeUnit {
    /// Milliseconds since 1970.
    #[default]
    Milliseconds,
    /// Seconds since 1970.
    Seconds,
}

/// The column that event time gets where the table has none of a type for it.
pub const EVENT_TIME: &str = "event_time";

/// A topic that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The table's name.
    pub name: String,
    /// The topic's, as clients of the cluster call it.
    pub topic: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// How values are read.
    pub format: ValueFormat,
    /// The column that takes the record's key as text; it is one of the columns.
    pub key: Option<String>,
    /// Event time, if windows go by it.
    pub event_time: Option<EventTime>,
}

/// A topic that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// The table's name.
    pub name: String,
    /// The topic's.
    pub topic: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// How values are written.
    pub format: ValueFormat,
    /// The columns that become the record's key.
    pub key: Vec<String>,
    /// Later records of a key replace earlier ones, and a record without a value takes it away; else records are added.
    pub upserts: bool,
    /// Its place among the job's sinks: part of its transactional ids.
    pub number: usize,
}

/// The table of a source: read from the offsets that are committed for the job, until it has a state of its own.
///
/// # Errors
/// A sentence, where the parts do not fit together.
pub fn source(source: &Source, login: &Login) -> Result<Ddl, String> {
    let mut ddl = reads(source, login)?;
    ddl.option("properties.group.id", &login.job);
    // The one mode in which a log without the wanted offset is an error, and not read from elsewhere.
    ddl.option("scan.startup.mode", "group-offsets");
    ddl.option("properties.auto.offset.reset", "none");
    Ok(ddl)
}

/// The table of a topic that is looked at once: from these offsets of its partitions, or without any from the oldest record, up to
/// where it ends. Nothing is committed for anybody.
///
/// # Errors
/// A sentence, where the parts do not fit together.
pub fn glance(source: &Source, login: &Login, from: &[(i32, i64)]) -> Result<Ddl, String> {
    let mut ddl = reads(source, login)?;
    ddl.option("properties.group.id", format!("{}-select", login.job));
    ddl.option("properties.enable.auto.commit", "false");
    if from.is_empty() {
        ddl.option("scan.startup.mode", "earliest-offset");
    } else {
        let each = from
            .iter()
            .map(|(partition, offset)| format!("partition:{partition},offset:{offset}"));
        ddl.option("scan.startup.mode", "specific-offsets");
        ddl.option(
            "scan.startup.specific-offsets",
            each.collect::<Vec<_>>().join(";"),
        );
    }
    Ok(ddl.bounded(true))
}

/// A table that is read, but for where from.
fn reads(source: &Source, login: &Login) -> Result<Ddl, String> {
    let Source {
        name,
        topic,
        columns,
        format,
        key,
        event_time,
    } = source;
    let mut lines = lines(columns, format)?;
    if let Some(event_time) = event_time {
        lines.extend(watermark(event_time, columns)?);
    }
    let mut ddl = begin(name, &lines);
    ddl.option("connector", "kafka");
    reach(&mut ddl, topic, login);
    ddl.option("properties.isolation.level", "read_committed");
    values(&mut ddl, format, &login.registry);
    if let Some(key) = key {
        has(columns, key)?;
        ddl.option("key.format", "raw");
        ddl.option("key.fields", key);
        ddl.option("value.fields-include", "EXCEPT_KEY");
    }
    Ok(ddl)
}

/// The table of a sink: written in transactions, which end with Flink's checkpoints.
///
/// # Errors
/// A sentence, where the parts do not fit together.
pub fn sink(sink: &Sink, login: &Login) -> Result<Ddl, String> {
    let Sink {
        name,
        topic,
        columns,
        format,
        key,
        upserts,
        number,
    } = sink;
    let mut lines = lines(columns, format)?;
    for column in key {
        has(columns, column)?;
    }
    if *upserts {
        if key.is_empty() {
            return Err(format!(
                "sink `{name}` replaces records by their keys, and names no column for them"
            ));
        }
        let names: Vec<String> = key.iter().map(|it| quoted(it)).collect();
        lines.push(format!("PRIMARY KEY ({}) NOT ENFORCED", names.join(", ")));
    }
    let mut ddl = begin(name, &lines);
    ddl.option("connector", if *upserts { "upsert-kafka" } else { "kafka" });
    reach(&mut ddl, topic, login);
    ddl.option("sink.delivery-guarantee", "exactly-once");
    ddl.option("sink.transactional-id-prefix", format!("{}-{number}", login.job));
    // A few ids that are used again, instead of a new one for each checkpoint, which brokers remember for a week.
    ddl.option("sink.transaction-naming-strategy", "pooling");
    ddl.option(
        "properties.transaction.timeout.ms",
        TRANSACTION_TIMEOUT_MS.to_string(),
    );
    values(&mut ddl, format, &login.registry);
    if let [only] = key.as_slice() {
        let text = columns
            .iter()
            .any(|it| it.name == *only && bare(&it.kind) == "STRING");
        ddl.option("key.format", if text { "raw" } else { "json" });
    } else if !key.is_empty() {
        ddl.option("key.format", "json");
    }
    if !key.is_empty() && !upserts {
        ddl.option("key.fields", key.join(";"));
    }
    if !key.is_empty() {
        ddl.option("value.fields-include", "ALL");
    }
    Ok(ddl)
}

fn lines(columns: &[Column], format: &ValueFormat) -> Result<Vec<String>, String> {
    if columns.is_empty() {
        return Err("a table has a column at least".to_owned());
    }
    let mut seen = std::collections::BTreeSet::new();
    columns
        .iter()
        .map(|it| {
            if !seen.insert(&it.name) {
                return Err(format!("two columns are called `{}`", it.name));
            }
            // A key option lists columns by semicolons, and takes no name that has one.
            if it.name.is_empty()
                || it.name.len() > 256
                || it.name.chars().any(|it| it.is_control() || it == ';')
            {
                return Err(
                    "a column has a name of 1 to 256 bytes, without control characters and semicolons"
                        .to_owned(),
                );
            }
            let kind = match format {
                ValueFormat::Json => kind(&it.kind),
                ValueFormat::AvroConfluent { .. } => exact_kind(&it.kind),
            };
            Ok(format!("{} {}", quoted(&it.name), kind?))
        })
        .collect()
}

fn has<'c>(columns: &'c [Column], name: &str) -> Result<&'c Column, String> {
    let found = columns.iter().find(|it| it.name == name);
    found.ok_or_else(|| format!("the table has no column `{name}`"))
}

/// A type, whether there may be nothing or not.
fn bare(kind: &str) -> &str {
    kind.strip_suffix(" NOT NULL").unwrap_or(kind)
}

/// The line of the watermark, and of a column of its own where it needs one.
fn watermark(event_time: &EventTime, columns: &[Column]) -> Result<Vec<String>, String> {
    let EventTime {
        column,
        unit,
        delay_ms,
    } = event_time;
    let mut lines = Vec::new();
    let by = match column {
        Some(name) => {
            let found = has(columns, name)?;
            let word = bare(&found.kind).to_ascii_uppercase();
            if word.starts_with("TIMESTAMP") {
                name.clone()
            } else if matches!(word.as_str(), "BIGINT" | "INT" | "INTEGER") {
                let digits = match unit {
                    TimeUnit::Milliseconds => 3,
                    TimeUnit::Seconds => 0,
                };
                lines.push(format!(
                    "{} AS TO_TIMESTAMP_LTZ({}, {digits})",
                    quoted(EVENT_TIME),
                    quoted(name)
                ));
                EVENT_TIME.to_owned()
            } else {
                return Err(format!("column `{name}` is no time: it is {}", found.kind));
            }
        }
        None => {
            let told = "TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL";
            lines.push(format!("{} {told}", quoted(EVENT_TIME)));
            EVENT_TIME.to_owned()
        }
    };
    if !lines.is_empty() && columns.iter().any(|it| it.name == EVENT_TIME) {
        return Err(format!("the table has a column `{EVENT_TIME}` already"));
    }
    let by = quoted(&by);
    // Flink takes a number of seconds with two digits at most: a delay is written as days and a time of the day.
    let (seconds, millis) = (delay_ms / 1000, delay_ms % 1000);
    let (days, hours, minutes, seconds) = (
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    );
    lines.push(format!(
        "WATERMARK FOR {by} AS {by} - INTERVAL '{days} {hours:02}:{minutes:02}:{seconds:02}.{millis:03}' DAY TO SECOND(3)"
    ));
    Ok(lines)
}

/// Where the topic is, and who comes for it.
fn reach(ddl: &mut Ddl, topic: &str, login: &Login) {
    let Login {
        bootstrap,
        tls,
        job,
        secret,
        registry: _,
    } = login;
    ddl.option("topic", topic);
    ddl.option("properties.bootstrap.servers", bootstrap);
    ddl.option("properties.client.id", job);
    let protocol = if tls.is_some() {
        "SASL_SSL"
    } else {
        "SASL_PLAINTEXT"
    };
    ddl.option("properties.security.protocol", protocol);
    if let Some(pem) = tls.as_deref().filter(|it| !it.is_empty()) {
        ddl.option("properties.ssl.truststore.type", "PEM");
        ddl.option("properties.ssl.truststore.certificates", pem.trim());
    }
    ddl.option("properties.sasl.mechanism", "SCRAM-SHA-512");
    let module = "org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule";
    let words = |it: &str| it.replace('\\', "\\\\").replace('"', "\\\"");
    ddl.secret(
        "properties.sasl.jaas.config",
        format!(
            "{module} required username=\"{}\" password=\"{}\";",
            words(job),
            words(secret)
        ),
    );
}

fn values(ddl: &mut Ddl, format: &ValueFormat, registry: &Relay) {
    match format {
        ValueFormat::Json => {
            ddl.option("value.format", "json");
            ddl.option("value.json.timestamp-format.standard", "ISO-8601");
        }
        ValueFormat::AvroConfluent { subject, schema } => {
            ddl.option("value.format", "avro-confluent");
            ddl.option("value.avro-confluent.url", &registry.base);
            ddl.option(
                "value.avro-confluent.bearer-auth.credentials-source",
                "STATIC_TOKEN",
            );
            ddl.secret("value.avro-confluent.bearer-auth.token", &registry.token);
            ddl.option("value.avro-confluent.subject", subject);
            ddl.option("value.avro-confluent.schema", schema);
        }
    }
}
