//! Protobuf schemas: reading them from text or descriptors, and the text that is kept of them.

mod bounds;
mod carried;
mod known;
mod normal;
mod options;
mod print;
mod read;
mod serialized;

use std::sync::Arc;

use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{DescriptorPool, FileDescriptor, MessageDescriptor};

use crate::error::SchemaError;
use crate::limits::Limits;
use crate::schema::NamedSource;

/// A .proto file with all that it imports.
#[derive(Debug, Clone)]
pub struct ProtobufSchema {
    /// The file, its imports and the well-known types.
    pub(crate) pool: DescriptorPool,
    /// The file's name in the pool.
    pub(crate) file: String,
    /// The file as it was written: names as they stand there, options unread.
    written: Arc<FileDescriptorProto>,
}

impl ProtobufSchema {
    /// Reads a file and what it imports: text, or a file descriptor in base64.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn parse(text: &str, references: &[NamedSource], limits: &Limits) -> Result<Self, SchemaError> {
        let read = read::file(text, references, limits)?;
        Ok(Self {
            pool: read.pool,
            file: read.name,
            written: Arc::new(read.written),
        })
    }

    /// The text that is kept; comments and the writing of spaces are not.
    pub fn stored(&self) -> String {
        print::file(&self.written)
    }

    /// The text of `normalize=true`: fields, options and imports in order, types with their full names.
    pub fn normalized(&self) -> String {
        match self.descriptor() {
            Some(resolved) => print::file(&normal::file(&self.written, resolved.file_descriptor_proto())),
            None => self.stored(),
        }
    }

    /// The file in the pool.
    pub(crate) fn descriptor(&self) -> Option<FileDescriptor> {
        self.pool.get_file_by_name(&self.file)
    }

    /// The first message: what record-name strategies make subjects of, and what an empty message index means.
    pub fn first_message(&self) -> Option<MessageDescriptor> {
        self.descriptor()?.messages().next()
    }

    /// Full names of the file's messages, nested ones after the one that they are in; at most so many.
    pub fn message_names(&self, most: usize) -> Vec<String> {
        let mut left: Vec<MessageDescriptor> = Vec::new();
        if let Some(file) = self.descriptor() {
            left.extend(file.messages());
        }
        left.reverse();
        let mut names = Vec::new();
        while names.len() < most
            && let Some(message) = left.pop()
        {
            names.push(message.full_name().to_owned());
            let nested: Vec<_> = message.child_messages().filter(|it| !it.is_map_entry()).collect();
            left.extend(nested.into_iter().rev());
        }
        names
    }
}
