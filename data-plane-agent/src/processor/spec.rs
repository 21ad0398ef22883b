//! What a worker is told at its start: one file, opened by the agent and read from the standard input, so that nobody else on the
//! machine has to be able to read it.

use std::collections::BTreeMap;
use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use serde::{Deserialize, Serialize};
use weir_proto::agent::v1::{Schema, TopicContract};

/// Bytes of the file.
pub const SPEC_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One worker of a job.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerSpec {
    /// The job: its Kafka user, and its consumer group.
    pub job_id: String,
    /// Of its program.
    pub version: u32,
    /// Which of the job's workers, from 0: each has a transactional id of its own.
    pub slot: u32,
    /// What it does.
    pub program: Program,
    /// How it reaches the gateway.
    pub gateway: Gateway,
    /// What the program's references stand for.
    pub secrets: BTreeMap<String, Hidden>,
    /// Where the job stood when the agent last knew, by partition: for groups that have forgotten it.
    #[serde(default)]
    pub positions: BTreeMap<i32, Position>,
}

/// Where a job stands in one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// The next record.
    pub offset: i64,
    /// Nothing before this is left to do.
    pub done_to: i64,
    /// When a worker said so, in milliseconds since 1970.
    pub at_unix_ms: u64,
}

/// What a worker does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The topic that is read, as clients call it.
    pub source: String,
    /// A job that never ran begins with the first record after its start.
    pub from_latest: bool,
    /// The steps and sinks, as `weir-actions` reads them.
    pub actions: String,
    /// What topics promise, by name; `TopicContract` of the wire.
    pub contracts: BTreeMap<String, Encoded>,
    /// Schemas that contracts name; `Schema` of the wire.
    pub schemas: Vec<Encoded>,
    /// Bytes of a record that the dead-letter topic takes; 0: there is none, or nothing is known.
    pub dead_letter_bytes_max: usize,
    /// Whom calls may reach: `host:port`, a host that begins with `*.` stands for all below it.
    pub hosts: Vec<String>,
}

/// How a worker reaches the gateway.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// `host:port`.
    pub address: String,
    /// Authorities (PEM) of its certificate; empty with TLS: the system's.
    pub tls: Option<String>,
    /// The job's secret.
    pub secret: Hidden,
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

/// A message of the wire, in base 64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Encoded(String);

impl Encoded {
    /// Of a message.
    #[must_use]
    pub fn of(message: &impl Message) -> Self {
        Self(STANDARD.encode(message.encode_to_vec()))
    }

    fn read<M: Message + Default>(&self) -> io::Result<M> {
        let bytes = STANDARD.decode(&self.0).map_err(invalid)?;
        M::decode(bytes.as_slice()).map_err(invalid)
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl Program {
    /// What topics promise, by name.
    ///
    /// # Errors
    /// When the file is not what the agent writes.
    pub fn contracts(&self) -> io::Result<BTreeMap<String, TopicContract>> {
        let read = |(topic, told): (&String, &Encoded)| Ok((topic.clone(), told.read()?));
        self.contracts.iter().map(read).collect()
    }

    /// The schemas that contracts name.
    ///
    /// # Errors
    /// When the file is not what the agent writes.
    pub fn schemas(&self) -> io::Result<Vec<Schema>> {
        self.schemas.iter().map(Encoded::read).collect()
    }
}

impl WorkerSpec {
    /// Reads a spec to its end.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(from: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        from.take(SPEC_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > SPEC_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the spec is too large",
            ));
        }
        // The parser's words would repeat parts of it.
        serde_json::from_slice(&bytes)
            .map_err(|_words| io::Error::new(io::ErrorKind::InvalidData, "the spec is no spec of a worker"))
    }

    /// The consumer group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.job_id
    }

    /// The transactional id.
    #[must_use]
    pub fn transactional_id(&self) -> String {
        format!("{}-{}", self.job_id, self.slot)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A worker of a job that passes everything on.
    pub fn sample() -> WorkerSpec {
        WorkerSpec {
            job_id: "job_1".to_owned(),
            version: 1,
            slot: 2,
            program: Program {
                source: "orders".to_owned(),
                actions: r#"{"sinks":{"out":{"topic":"copies"}}}"#.to_owned(),
                ..Program::default()
            },
            gateway: Gateway {
                address: "127.0.0.1:9650".to_owned(),
                tls: None,
                secret: Hidden("weirs_secret".to_owned()),
            },
            secrets: BTreeMap::from([("key".to_owned(), Hidden("hush".to_owned()))]),
            positions: BTreeMap::new(),
        }
    }

    #[test]
    fn a_spec_is_read_as_it_was_written_and_hides_its_secrets() {
        let spec = sample();
        let written = serde_json::to_vec(&spec).unwrap();
        let read = WorkerSpec::read(written.as_slice()).unwrap();
        assert!(read == spec);
        assert_eq!(
            (read.group(), read.transactional_id().as_str()),
            ("job_1", "job_1-2")
        );
        assert!(!format!("{:?} {:?}", read.gateway.secret, read.secrets).contains("hush"));
        let torn = WorkerSpec::read(&written[..written.len() - 2]).err().unwrap();
        assert!(!torn.to_string().contains("weirs_"), "{torn}");
    }

    #[test]
    fn contracts_and_schemas_survive() {
        let schema = Schema {
            id: "schema_1".to_owned(),
            text: "{}".to_owned(),
            ..Schema::default()
        };
        let program = Program {
            contracts: BTreeMap::from([("orders".to_owned(), Encoded::of(&TopicContract::default()))]),
            schemas: vec![Encoded::of(&schema)],
            ..Program::default()
        };
        assert_eq!(program.schemas().unwrap(), [schema]);
        assert_eq!(program.contracts().unwrap()["orders"], TopicContract::default());
    }
}
