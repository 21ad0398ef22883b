//! From text or a descriptor to a pool of descriptors, with imports from the given references alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::DescriptorPool;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::FileDescriptorProto;
use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver};

use super::known::KNOWN;
use super::{bounds, carried};
use crate::error::{Position, SchemaError, SchemaErrorKind};
use crate::limits::Limits;
use crate::schema::NamedSource;

/// A file that was read.
pub(super) struct Read {
    pub pool: DescriptorPool,
    pub name: String,
    pub written: FileDescriptorProto,
}

/// The name of a file that has none of its own.
const OWN_NAME: &str = "default.proto";

/// Reads a file.
pub(super) fn file(text: &str, references: &[NamedSource], limits: &Limits) -> Result<Read, SchemaError> {
    let mut sources = Vec::with_capacity(references.len() + 1);
    for reference in references {
        let source = Source::of(&reference.text, &reference.name, limits)
            .map_err(|error| error.in_source(&reference.name))?;
        sources.push((reference.name.clone(), source));
    }
    let mut name = OWN_NAME.to_owned();
    while references.iter().any(|reference| reference.name == name) {
        name.insert_str(0, "own/");
    }
    let own = Source::of(text, &name, limits)?;
    // A descriptor brings its name, under which others may know it.
    if let Source::Descriptor(descriptor, _) = &own
        && !references
            .iter()
            .any(|reference| reference.name == descriptor.name())
    {
        descriptor.name().clone_into(&mut name);
    }
    let mut written = own.written(&name).map_err(|error| fault(&error, &name))?;
    let is_descriptor = matches!(own, Source::Descriptor(..));
    admit_counts(&written, limits)?;
    sources.push((name.clone(), own));
    let mut compiler = Compiler::with_file_resolver(Given {
        sources,
        google: GoogleFileResolver::new(),
    });
    compiler.open_file(&name).map_err(|error| fault(&error, &name))?;
    let pool = compiler.descriptor_pool();
    if is_descriptor && let Some(file) = pool.get_file_by_name(&name) {
        carried::fill(&mut written, &file);
    }
    Ok(Read { pool, name, written })
}

enum Source {
    Text(String),
    /// Its bytes, too: they hold options that only the compiler understands.
    Descriptor(Box<FileDescriptorProto>, Vec<u8>),
}

impl Source {
    /// The field's clients send a descriptor in base64 where they have no text.
    fn of(text: &str, name: &str, limits: &Limits) -> Result<Self, SchemaError> {
        let compact = text.trim();
        let is_base64 = !compact.is_empty()
            && compact
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        if is_base64 && let Ok(bytes) = STANDARD.decode(compact) {
            let mut descriptor = FileDescriptorProto::decode(bytes.as_slice()).map_err(|error| {
                SchemaError::new(
                    SchemaErrorKind::Syntax,
                    "",
                    format!("not a file descriptor in base64: {error}"),
                )
            })?;
            if descriptor.name().is_empty() {
                descriptor.name = Some(name.to_owned());
            }
            descriptor.source_code_info = None;
            admit_counts(&descriptor, limits)?;
            return Ok(Self::Descriptor(Box::new(descriptor), bytes));
        }
        bounds::admit(text, limits)?;
        Ok(Self::Text(text.to_owned()))
    }

    fn written(&self, name: &str) -> Result<FileDescriptorProto, protox::Error> {
        match self {
            Self::Text(text) => {
                let mut file = File::from_source(name, text)?.file_descriptor_proto().clone();
                // To the compiler proto2 is no syntax at all; whoever wrote it gets it back.
                let is_said = text.lines().any(|line| line.trim_start().starts_with("syntax"));
                if is_said && file.syntax.is_none() {
                    file.syntax = Some("proto2".to_owned());
                }
                Ok(file)
            }
            Self::Descriptor(descriptor, _) => Ok((**descriptor).clone()),
        }
    }

    fn file(&self, name: &str) -> Result<File, protox::Error> {
        match self {
            Self::Text(text) => File::from_source(name, text),
            Self::Descriptor(_, bytes) => {
                // A field that comes twice has its last value: so the file is called as it was imported.
                let mut bytes = bytes.clone();
                let named = FileDescriptorProto {
                    name: Some(name.to_owned()),
                    ..Default::default()
                };
                bytes.extend(named.encode_to_vec());
                File::decode_file_descriptor_proto(bytes.as_slice()).map_err(protox::Error::new)
            }
        }
    }
}

/// Finds imports among what was given and what is known; there is no file system.
struct Given {
    sources: Vec<(String, Source)>,
    google: GoogleFileResolver,
}

impl FileResolver for Given {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if let Ok(file) = self.google.open_file(name) {
            return Ok(file);
        }
        if let Some((_, text)) = KNOWN.iter().find(|(known, _)| *known == name) {
            return File::from_source(name, text);
        }
        let found = self.sources.iter().find(|(given, _)| given == name);
        found.map_or_else(
            || Err(protox::Error::file_not_found(name)),
            |(_, source)| source.file(name),
        )
    }
}

fn admit_counts(file: &FileDescriptorProto, limits: &Limits) -> Result<(), SchemaError> {
    let (mut names, mut fields) = (file.enum_type.len(), file.extension.len());
    let mut waiting: Vec<_> = file.message_type.iter().collect();
    fields += file.enum_type.iter().map(|one| one.value.len()).sum::<usize>();
    while let Some(message) = waiting.pop() {
        names += 1 + message.enum_type.len();
        fields += message.field.len() + message.extension.len();
        fields += message.enum_type.iter().map(|one| one.value.len()).sum::<usize>();
        waiting.extend(&message.nested_type);
    }
    if names > limits.names || fields > limits.fields {
        let message = format!(
            "more than {} messages and enums or {} fields",
            limits.names, limits.fields
        );
        return Err(SchemaError::too_large("", message));
    }
    Ok(())
}

/// The compiler's error, whose debug form begins with `file:line:column:` where it knows the place.
fn fault(error: &protox::Error, own_name: &str) -> SchemaError {
    let message = error.to_string();
    let is_missing = error.is_file_not_found();
    let kind = match (is_missing, error.is_parse()) {
        (true, _) => SchemaErrorKind::UnknownReference,
        (_, true) => SchemaErrorKind::Syntax,
        _ => SchemaErrorKind::Invalid,
    };
    let hint = if is_missing {
        "; imports come from `references`"
    } else {
        ""
    };
    let mut fault = SchemaError::new(kind, "", format!("{message}{hint}"));
    let debug = format!("{error:?}");
    let file = error.file().unwrap_or(own_name);
    let numbers = debug.strip_prefix(file).and_then(|rest| rest.strip_prefix(':'));
    if let Some((line, rest)) = numbers.and_then(|rest| rest.split_once(':'))
        && let Some((column, _)) = rest.split_once(':')
        && let (Ok(line), Ok(column)) = (line.parse(), column.parse())
    {
        fault = fault.at(Position { line, column });
    }
    if file == own_name {
        fault
    } else {
        fault.in_source(file)
    }
}
