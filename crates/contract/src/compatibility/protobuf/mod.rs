//! Protobuf: can data of one file be read by another, field number by field number?
//!
//! The language's own rules ("Updating A Message Type") under the names of the field's registry. Names of fields, packages and
//! constants are not on the wire, so they may change; numbers, kinds and the exclusiveness of oneofs are what counts.

mod fields;

use std::collections::{BTreeMap, HashMap};

use prost_reflect::{DescriptorPool, FileDescriptor, MessageDescriptor};

use super::report::Report;
use super::rule::Rule;
use super::walk::{Before, Found, Memory, below};
use crate::protobuf::ProtobufSchema;

/// Compares whole files.
pub(crate) fn compare(reader: &ProtobufSchema, writer: &ProtobufSchema, report: &mut Report) {
    let (Some(new), Some(old)) = (reader.descriptor(), writer.descriptor()) else {
        return;
    };
    let places = |pool: &DescriptorPool| {
        pool.all_messages()
            .enumerate()
            .map(|(place, message)| (message.full_name().to_owned(), place))
            .collect()
    };
    let mut comparison = Comparison {
        reader: places(&reader.pool),
        writer: places(&writer.pool),
        own: (new.clone(), old.clone()),
        memory: Memory::default(),
    };
    comparison.messages(&children(new.messages()), &children(old.messages()), "#", report);
}

type Messages = BTreeMap<String, MessageDescriptor>;

/// A file's or message's own messages by name, without those that the compiler makes for maps.
fn children(messages: impl Iterator<Item = MessageDescriptor>) -> Messages {
    messages
        .filter(|message| !message.is_map_entry())
        .map(|message| (message.name().to_owned(), message))
        .collect()
}

struct Comparison {
    /// The place of each message by its full name.
    reader: HashMap<String, usize>,
    writer: HashMap<String, usize>,
    /// The files themselves: what is declared there is compared in its place and not again where it is used.
    own: (FileDescriptor, FileDescriptor),
    memory: Memory,
}

impl Comparison {
    fn messages(&mut self, new: &Messages, old: &Messages, path: &str, report: &mut Report) {
        for (name, old) in old {
            let path = format!("{path}/{name}");
            match new.get(name) {
                None => report.add(
                    Rule::MessageRemoved,
                    &path,
                    format!(
                        "lacks the message {name} of the {{other}} one: keep it, even if nothing uses it"
                    ),
                ),
                Some(new) => {
                    let found = self.pair(new, old);
                    report.extend(below(&path, &found));
                }
            }
        }
    }

    /// Differences of two messages and of all that is declared inside them.
    fn pair(&mut self, new: &MessageDescriptor, old: &MessageDescriptor) -> Found {
        let place = |places: &HashMap<String, usize>, message: &MessageDescriptor| {
            places.get(message.full_name()).copied().unwrap_or(usize::MAX)
        };
        let pair = (place(&self.reader, new), place(&self.writer, old), false);
        match self.memory.open(pair) {
            Before::Known(found) => found,
            Before::Open(ticket) => {
                let mut report = Report::default();
                self.fields(new, old, &mut report);
                self.messages(
                    &children(new.child_messages()),
                    &children(old.child_messages()),
                    "",
                    &mut report,
                );
                self.memory.close(ticket, report)
            }
        }
    }
}
