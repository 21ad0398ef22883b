//! The form in which clients without a parser of .proto files ask for a schema: `format=serialized` of the Schema Registry API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::prost::Message as _;

use super::ProtobufSchema;

impl ProtobufSchema {
    /// The file's descriptor (descriptor.proto, `FileDescriptorProto`) in base64, names resolved. What it imports is not in it.
    pub fn serialized(&self) -> String {
        let file = self
            .descriptor()
            .map(|it| it.file_descriptor_proto().encode_to_vec());
        STANDARD.encode(file.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, NamedSource, Schema};

    #[test]
    fn what_was_serialized_reads_as_the_same_schema() {
        let money = "syntax = \"proto3\";\npackage example;\nmessage Money { int64 cents = 1; }\n";
        let text = "syntax = \"proto3\";\npackage example;\nimport \"money.proto\";\nmessage Payment { string id = 1; Money amount = 2; }\n";
        let references = [NamedSource {
            name: "money.proto".into(),
            text: money.into(),
        }];
        let read = |text: &str| Schema::parse(Format::Protobuf, text, &references).unwrap();
        let schema = read(text);
        let Schema::Protobuf(file) = &schema else {
            panic!("a file")
        };
        assert_eq!(read(&file.serialized()).normalized(), schema.normalized());
    }
}
