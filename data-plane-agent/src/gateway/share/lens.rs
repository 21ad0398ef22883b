//! A share's view, compiled: which records are seen, and what of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ring::hmac;
use weir_actions::limits::SPEC_BYTES_MAX;
use weir_actions::{
    ActionSpec, Encoding, Header, Next, NullValues, Outcome, OwnedHeader, Part, Plan, Record, Seen, Sink,
    Step,
};
use weir_contract::wire;
use weir_proto::agent::v1::{Mount, MountKeys};
use weir_proto::lane::v1::LogicalTopic;

use super::super::cipher::{Opened, Opener, Ring};
use super::surroundings::{Surroundings, Texts};

/// Names a lens and everything that it is made of.
pub type Digest = [u8; 32];
/// What hashed keys are keyed for.
const KEYS: &str = "keys of records";
/// The only place where records go.
const OUT: &str = "out";

/// What records of a share are looked at through. Shared by all who read it.
pub struct Lens {
    digest: Digest,
    /// Records with an earlier timestamp are not seen; 0: all are.
    from_ms: i64,
    steps: Option<Steps>,
    keys: Keys,
    /// What values are decrypted with, before anything else is done with them.
    ring: Option<Arc<Ring>>,
}

/// What is seen of records' keys.
enum Keys {
    Shown,
    /// Equal keys stay equal.
    Hashed(hmac::Key),
    Withheld,
}

/// The steps of a view, ready to run.
struct Steps {
    plan: Plan,
    host: Surroundings,
    /// What `topic` is in its expressions: the id of what is shared, for all who read it.
    topic: String,
    /// Something of values is taken away.
    takes: bool,
    /// Something of records is, so that headers, which may repeat it, are not sent.
    bares: bool,
}

/// What is seen of a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Seeing {
    /// Nothing.
    Nothing,
    /// All of it.
    All,
    /// These.
    Some {
        /// The key, or that there is none.
        key: Part<Option<Vec<u8>>>,
        /// `None`: the value as it came.
        value: Option<Vec<u8>>,
        /// `None`: the headers as they came.
        headers: Option<Vec<OwnedHeader>>,
    },
}

impl fmt::Debug for Lens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lens")
            .field("from_ms", &self.from_ms)
            .field("steps", &self.steps.is_some())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Lens {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Lens {}

impl Lens {
    /// What it is known by.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Whether records of this time are looked at, in milliseconds since 1970.
    #[must_use]
    pub const fn reaches(&self, timestamp_ms: i64) -> bool {
        self.from_ms == 0 || timestamp_ms >= self.from_ms
    }

    /// What is seen of a record. What cannot be read, or on which a step fails, is not seen.
    #[must_use]
    pub fn look(&self, at: Place, record: &super::batch::Raw<'_>) -> Seeing {
        let seeing = match &self.steps {
            Some(steps) => steps.look(at, record),
            None => Seeing::All,
        };
        self.keys.over(seeing, record.key)
    }

    /// Compiles the view of a mount.
    ///
    /// # Errors
    /// A sentence: why it cannot be.
    pub fn compile(
        digest: Digest,
        topic: &LogicalTopic,
        ring: Option<Arc<Ring>>,
        told: &Texts<'_>,
    ) -> Result<Self, String> {
        let Some(mount) = &topic.mount else {
            // The owner's own: all of it, as it was written.
            return Ok(Self {
                digest,
                from_ms: 0,
                steps: None,
                keys: Keys::Shown,
                ring,
            });
        };
        let steps = if mount.view_steps_json.is_empty() {
            None
        } else {
            Some(Steps::compile(mount, topic, told)?)
        };
        let takes = steps.as_ref().is_some_and(|it| it.takes);
        Ok(Self {
            digest,
            from_ms: mount.from_unix_ms,
            steps,
            keys: Keys::of(mount, takes, &topic.mount_key)?,
            ring,
        })
    }

    /// What a record's value says.
    pub(super) fn open(&self, opener: &mut Opener, record: &super::batch::Raw<'_>) -> Opened {
        match (&self.ring, record.value) {
            (Some(ring), Some(value)) => opener.open(ring, record.key, value),
            _clear => Opened::Clear,
        }
    }
}

impl Keys {
    fn of(mount: &Mount, takes: bool, key: &[u8]) -> Result<Self, String> {
        match mount.keys() {
            MountKeys::Shown => Ok(Self::Shown),
            MountKeys::Withheld => Ok(Self::Withheld),
            MountKeys::Unspecified if !takes => Ok(Self::Shown),
            MountKeys::Unspecified | MountKeys::Hashed => {
                if key.is_empty() {
                    return Err("the key of its hashes is missing".to_owned());
                }
                let of_share = hmac::Key::new(hmac::HMAC_SHA256, key);
                let own = hmac::sign(&of_share, KEYS.as_bytes());
                Ok(Self::Hashed(hmac::Key::new(hmac::HMAC_SHA256, own.as_ref())))
            }
        }
    }

    /// What is seen of a record whose value and headers are seen so.
    fn over(&self, seeing: Seeing, key: Option<&[u8]>) -> Seeing {
        let hidden = match (self, key) {
            (Self::Shown, _) | (_, None) => return seeing,
            (Self::Withheld, Some(_)) => None,
            (Self::Hashed(own), Some(key)) => Some(hex(hmac::sign(own, key).as_ref())),
        };
        let key = Part::New(hidden);
        match seeing {
            Seeing::Nothing => Seeing::Nothing,
            // Headers often repeat the key.
            Seeing::All => Seeing::Some {
                key,
                value: None,
                headers: Some(Vec::new()),
            },
            Seeing::Some { value, headers, .. } => Seeing::Some {
                key,
                value,
                headers: Some(without_key(headers.unwrap_or_default())),
            },
        }
    }
}

/// What is hidden is no longer of the key's schema.
fn without_key(mut headers: Vec<OwnedHeader>) -> Vec<OwnedHeader> {
    headers.retain(|it| it.name != wire::KEY_HEADER);
    headers
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |it: u8| char::from_digit(u32::from(it), 16).map_or(b'0', |it| it as u8);
    bytes
        .iter()
        .flat_map(|it| [digit(it >> 4), digit(it & 15)])
        .collect()
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
}

impl Steps {
    /// What is seen of a record.
    fn look(&self, at: Place, record: &super::batch::Raw<'_>) -> Seeing {
        // A header whose name is no text is none that could be asked for.
        let headers: Vec<Header<'_>> = record
            .headers()
            .filter_map(|(name, value)| {
                let name = std::str::from_utf8(name).ok()?;
                Some(Header { name, value })
            })
            .collect();
        let record = Record {
            topic: &self.topic,
            partition: at.partition,
            offset: at.offset,
            timestamp_ms: at.timestamp_ms,
            key: record.key,
            value: record.value,
            headers: &headers,
        };
        // Nothing in a view remembers.
        let mut none: Seen = self.plan.seen();
        let Next::Done(Outcome::Emit { value, headers, .. }) =
            self.plan.begin(&record, &mut none, &self.host)
        else {
            return Seeing::Nothing;
        };
        self.seeing(&record, value, headers)
    }

    fn compile(mount: &Mount, topic: &LogicalTopic, told: &Texts<'_>) -> Result<Self, String> {
        let steps = steps_of(&mount.view_steps_json)?;
        let filters = steps.iter().any(|it| matches!(it, Step::Filter(_)));
        let takes = steps.iter().any(|it| !matches!(it, Step::Filter(_)));
        let host = Surroundings::build(mount, topic.contract.as_ref(), &topic.mount_key, told)?;
        let input = host.input(topic.contract.as_ref())?;
        let sink = Sink {
            topic: OUT.to_owned(),
            encoding: Encoding::Keep,
            value_bytes_max: None,
        };
        let spec = ActionSpec {
            steps,
            sinks: BTreeMap::from([(OUT.to_owned(), sink)]),
            dead_letter_topic: None,
            // A filter is true of a value that is not there as little as it is false.
            null_values: if filters {
                NullValues::Drop
            } else {
                NullValues::Pass
            },
        };
        let plan = Plan::compile(&spec, input, &host).map_err(|problems| {
            let sentences: Vec<String> = problems.iter().map(ToString::to_string).collect();
            sentences.join("; ")
        })?;
        let host = host.keyed(&plan, &topic.mount_key)?;
        Ok(Self {
            plan,
            host,
            topic: mount.topic_id.clone(),
            takes,
            bares: takes || matches!(mount.keys(), MountKeys::Hashed | MountKeys::Withheld),
        })
    }

    fn seeing(&self, came: &Record<'_>, value: Part<Vec<u8>>, headers: Part<Vec<OwnedHeader>>) -> Seeing {
        let value = match value {
            Part::AsItCame => None,
            Part::New(value) => Some(value),
        };
        let headers = match headers {
            Part::AsItCame if !self.bares => None,
            Part::AsItCame => Some(came.headers.iter().map(owned).collect()),
            Part::New(headers) => Some(headers),
        };
        match (value, headers) {
            (None, None) => Seeing::All,
            (value, headers) => Seeing::Some {
                key: Part::AsItCame,
                value,
                headers: headers.map(|it| if self.bares { self.bare(it) } else { it }),
            },
        }
    }

    /// Of headers only those that tell how key and value are to be read, each once.
    fn bare(&self, headers: Vec<OwnedHeader>) -> Vec<OwnedHeader> {
        let mut kept: Vec<OwnedHeader> = Vec::new();
        for mut header in headers {
            let named = header.name == wire::KEY_HEADER
                || (header.name == wire::VALUE_HEADER && self.host.has_schemas());
            if !named || kept.iter().any(|it| it.name == header.name) {
                continue;
            }
            let Some(frame) = header.value.as_deref().and_then(frame_alone) else {
                continue;
            };
            header.value = Some(frame);
            kept.push(header);
        }
        kept
    }
}

/// What of a header names a schema, without anything that may stand behind it.
fn frame_alone(header: &[u8]) -> Option<Vec<u8>> {
    let framed = wire::from_header(header, &[]).ok()?;
    let indexes = match framed.header_rest {
        None | Some([]) => None,
        Some(_rest) => Some(framed.message().ok()?.0),
    };
    Some(wire::frame(framed.schema, indexes.as_deref()))
}

fn owned(header: &Header<'_>) -> OwnedHeader {
    OwnedHeader {
        name: header.name.to_owned(),
        value: header.value.map(<[u8]>::to_vec),
    }
}

/// The steps of a view: those that only take away.
fn steps_of(json: &str) -> Result<Vec<Step>, String> {
    if json.len() > SPEC_BYTES_MAX {
        return Err(format!("its view is longer than {SPEC_BYTES_MAX} bytes"));
    }
    let steps: Vec<Step> =
        serde_json::from_str(json).map_err(|error| format!("its view cannot be read: {error}"))?;
    let other = steps
        .iter()
        .find(|it| !matches!(it, Step::Filter(_) | Step::Project(_) | Step::Mask(_)));
    match other {
        Some(step) => Err(format!("a view has no step `{}`", step.word())),
        None => Ok(steps),
    }
}
