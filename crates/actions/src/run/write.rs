//! What goes out: the value's bytes with the frame that names their schema.

use std::sync::Arc;

use weir_contract::Format;
use weir_contract::record::{Fit, WriteErrorKind, write_json};
use weir_contract::wire::{self, SchemaId};

use super::outcome::{DeadLetterCode as Code, Outcome, OwnedHeader, Part, Stop};
use super::turn::Turn;
use crate::plan::SinkPlan;
use crate::schema::{Registered, Unwritten};
use crate::spec::Encoding;

/// A value that is written, and how its schema is named.
struct Written {
    payload: Vec<u8>,
    /// The bytes that name the schema; `None`: there is none.
    frame: Option<Vec<u8>>,
}

impl Turn<'_> {
    /// The record on its way to its sink.
    pub(super) fn emit(&mut self) -> Result<Outcome, Stop> {
        let inner = self.inner;
        let Some(sink) = self.sink.and_then(|at| inner.sinks.get(at)) else {
            return Err(Stop::Dropped);
        };
        let written = match sink.encoding {
            Encoding::Keep if !self.changed => None,
            Encoding::Keep => Some(self.keep(sink)?),
            Encoding::Json if !self.changed && self.is_plain_json() => None,
            Encoding::Json => Some(Written {
                payload: self.json(sink)?,
                frame: None,
            }),
            Encoding::Contract => self.contract(sink)?,
        };
        let Some(written) = written else {
            let bytes = self.record.value.map_or(0, <[u8]>::len);
            if bytes > sink.value_bytes_max {
                return Err(too_large(sink));
            }
            return Ok(Outcome::unchanged(&sink.name));
        };
        let (value, headers) = self.framed(written);
        if value.len() > sink.value_bytes_max {
            return Err(too_large(sink));
        }
        Ok(Outcome::Emit {
            sink: Arc::clone(&sink.name),
            key: Part::AsItCame,
            value: Part::New(value),
            headers,
        })
    }

    /// JSON that names no schema.
    fn is_plain_json(&self) -> bool {
        let format = self
            .frame
            .registered
            .as_ref()
            .map_or(Format::Json, |it| it.format());
        self.frame.named.is_none() && format == Format::Json
    }

    fn json(&self, sink: &SinkPlan) -> Result<Vec<u8>, Stop> {
        write_json(&self.value, sink.value_bytes_max).map_err(|error| match error.kind {
            WriteErrorKind::TooLarge => too_large(sink),
            WriteErrorKind::Unfit => unfit(&error.reason),
        })
    }

    /// By what is derived of the schema that it came with, or by that itself; else by the newest of the sink.
    fn keep(&self, sink: &SinkPlan) -> Result<Written, Stop> {
        let Some(registered) = &self.frame.registered else {
            return Ok(Written {
                payload: self.json(sink)?,
                frame: None,
            });
        };
        if let Some(derived) = self.host.derived(registered) {
            return self.by(&derived, sink);
        }
        let indexes = &self.frame.indexes;
        let reason = match registered.write(indexes, &self.value, Fit::Exact, sink.value_bytes_max) {
            Ok(payload) => {
                let indexes = (registered.format() == Format::Protobuf).then_some(indexes.as_slice());
                let frame = self.frame.named.map(|named| wire::frame(named, indexes));
                return Ok(Written { payload, frame });
            }
            Err(Unwritten::TooLarge(_reason)) => return Err(too_large(sink)),
            Err(Unwritten::Unfit(reason)) => reason,
        };
        match self.host.newest(&sink.topic) {
            Some(newest) if newest.id() != registered.id() => self.by(&newest, sink),
            _ => Err(unfit(&reason)),
        }
    }

    /// By the newest schema of the sink; `None`: it is of that already.
    fn contract(&self, sink: &SinkPlan) -> Result<Option<Written>, Stop> {
        let Some(newest) = self.host.newest(&sink.topic) else {
            let sentence = "The sink's topic has no schema to write by.".to_owned();
            return Err(Stop::Dead(Code::NoSchema, sentence));
        };
        let own = self.frame.registered.as_ref().map(|it| it.id());
        if !self.changed && self.frame.named.is_some() && own == Some(newest.id()) {
            return Ok(None);
        }
        self.by(&newest, sink).map(Some)
    }

    fn by(&self, schema: &Registered, sink: &SinkPlan) -> Result<Written, Stop> {
        let payload = schema
            .write(&[], &self.value, Fit::NullIfMissing, sink.value_bytes_max)
            .map_err(|error| match error {
                Unwritten::TooLarge(_reason) => too_large(sink),
                Unwritten::Unfit(reason) => unfit(&reason),
            })?;
        let indexes = (schema.format() == Format::Protobuf).then_some(&[0][..]);
        let frame = match (sink.encoding, self.frame.named) {
            // What came without a frame goes without one, if it is JSON still.
            (Encoding::Keep, None) if schema.format() == Format::Json => None,
            (_, named) => {
                let name = schema.name_like(named.unwrap_or(SchemaId::Id(0)));
                Some(wire::frame(name, indexes))
            }
        };
        Ok(Written { payload, frame })
    }

    /// The frame where it stood before: in front, or in a header.
    fn framed(&self, written: Written) -> (Vec<u8>, Part<Vec<OwnedHeader>>) {
        let Written { payload, frame } = written;
        if !self.frame.in_header {
            let value = match frame {
                Some(mut value) => {
                    value.extend(payload);
                    value
                }
                None => payload,
            };
            return (value, Part::AsItCame);
        }
        let others = self.record.headers.iter();
        let others = others.filter(|header| header.name != wire::VALUE_HEADER);
        let mut headers: Vec<OwnedHeader> = others
            .map(|header| OwnedHeader {
                name: header.name.to_owned(),
                value: header.value.map(<[u8]>::to_vec),
            })
            .collect();
        if let Some(frame) = frame {
            headers.push(OwnedHeader {
                name: wire::VALUE_HEADER.to_owned(),
                value: Some(frame),
            });
        }
        (payload, Part::New(headers))
    }
}

fn too_large(sink: &SinkPlan) -> Stop {
    let sentence = format!(
        "The value would be larger than the {} bytes that the sink takes, or nest too deep.",
        sink.value_bytes_max
    );
    Stop::Dead(Code::OutputTooLarge, sentence)
}

fn unfit(reason: &str) -> Stop {
    Stop::Dead(
        Code::UnfitOutput,
        format!("The value fits neither its own schema nor the sink's: {reason}."),
    )
}
