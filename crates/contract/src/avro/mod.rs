//! Avro schemas: reading them, and the text that is kept of them.

mod defaults;
pub(crate) mod model;
mod names;
mod normal;
mod print;
mod read;

use std::sync::Arc;

use crate::error::SchemaError;
use crate::limits::Limits;
use crate::schema::NamedSource;
use model::Model;

/// An Avro schema with what it refers to.
#[derive(Debug, Clone)]
pub struct AvroSchema {
    /// Its types, and those of its references.
    pub(crate) model: Arc<Model>,
}

impl AvroSchema {
    /// Reads a schema and what it refers to, dependencies first.
    ///
    /// # Errors
    /// The first fault, with a JSON pointer and the place in the text.
    pub fn parse(text: &str, references: &[NamedSource], limits: &Limits) -> Result<Self, SchemaError> {
        let mut reader = read::Reader::new(limits);
        for reference in references {
            reader
                .text(&reference.text)
                .map_err(|error| error.in_source(&reference.name))?;
        }
        reader.text(text)?;
        Ok(Self {
            model: Arc::new(reader.model),
        })
    }

    /// The text that is kept; see [`Schema::stored`](crate::Schema::stored).
    pub fn stored(&self) -> String {
        print::stored(&self.model)
    }

    /// The text of `normalize=true`; see [`Schema::normalized`](crate::Schema::normalized).
    pub fn normalized(&self) -> String {
        print::stored(&normal::model(&self.model))
    }

    /// The full name of the record at the root: what record-name strategies make subjects of.
    pub fn record_name(&self) -> Option<&str> {
        match self.model.kind(self.model.root) {
            model::Kind::Record { named, .. } => Some(named.name.full()),
            _ => None,
        }
    }
}
