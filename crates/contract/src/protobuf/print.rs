//! The text of a .proto file, laid out as the field's registry does: what is kept of a file that was registered.
//!
//! Comments are dropped; messages and enums keep their order, since a message's index is part of each record that is written by it.

use std::fmt::Write as _;

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
    UninterpretedOption,
};

use super::options::{assignment, indented, quoted};

/// Writes a file.
pub(super) fn file(file: &FileDescriptorProto) -> String {
    let mut out = String::new();
    let is_proto3 = file.syntax() == "proto3";
    if let Some(syntax) = &file.syntax {
        let _ = writeln!(out, "syntax = \"{syntax}\";");
    }
    if let Some(package) = file.package.as_ref().filter(|package| !package.is_empty()) {
        let _ = writeln!(out, "package {package};");
    }
    let is_public = |index: usize| {
        file.public_dependency
            .iter()
            .any(|public| usize::try_from(*public) == Ok(index))
    };
    let imports = |public: bool| {
        file.dependency
            .iter()
            .enumerate()
            .filter(move |(index, _)| is_public(*index) == public)
    };
    let mut block = String::new();
    for (_, import) in imports(false) {
        let _ = writeln!(block, "import {};", quoted(import));
    }
    for (_, import) in imports(true) {
        let _ = writeln!(block, "import public {};", quoted(import));
    }
    push_block(&mut out, &block);
    push_block(
        &mut out,
        &statements(file.options.as_ref().map(|options| &options.uninterpreted_option)),
    );
    let printer = Printer { is_proto3 };
    let mut block = String::new();
    for message in &file.message_type {
        block.push_str(&printer.message(message));
    }
    for one in &file.enum_type {
        block.push_str(&enumeration(one));
    }
    push_block(&mut out, &block);
    push_block(&mut out, &printer.extensions(&file.extension));
    push_block(&mut out, &file.service.iter().map(service).collect::<String>());
    out
}

fn push_block(out: &mut String, block: &str) {
    if !block.is_empty() {
        out.push('\n');
        out.push_str(block);
    }
}

fn statements(options: Option<&Vec<UninterpretedOption>>) -> String {
    options
        .into_iter()
        .flatten()
        .fold(String::new(), |mut out, option| {
            let _ = writeln!(out, "option {};", assignment(option));
            out
        })
}

/// ` [a = 1]`, or over several lines where there are several.
fn bracketed(assignments: &[String]) -> String {
    match assignments {
        [] => String::new(),
        [one] => format!(" [{one}]"),
        several => {
            let mut out = String::from(" [\n");
            for (index, one) in several.iter().enumerate() {
                let comma = if index + 1 < several.len() { "," } else { "" };
                out.push_str(&indented(&format!("{one}{comma}")));
            }
            out.push(']');
            out
        }
    }
}

fn range(start: i32, end: i32, most: i32) -> String {
    match end {
        end if end == start => start.to_string(),
        end if end >= most => format!("{start} to max"),
        end => format!("{start} to {end}"),
    }
}

fn enumeration(one: &EnumDescriptorProto) -> String {
    let mut block = statements(one.options.as_ref().map(|options| &options.uninterpreted_option));
    for value in &one.value {
        let options = value
            .options
            .as_ref()
            .map(|options| &options.uninterpreted_option);
        let assignments: Vec<String> = options.into_iter().flatten().map(assignment).collect();
        let _ = writeln!(
            block,
            "{} = {}{};",
            value.name(),
            value.number(),
            bracketed(&assignments)
        );
    }
    let ranges: Vec<String> = one
        .reserved_range
        .iter()
        .map(|range| self::range(range.start(), range.end(), i32::MAX))
        .collect();
    block.push_str(&reserved(&ranges, &one.reserved_name));
    braced(&format!("enum {}", one.name()), &[block])
}

fn reserved(ranges: &[String], names: &[String]) -> String {
    let mut out = String::new();
    if !ranges.is_empty() {
        let _ = writeln!(out, "reserved {};", ranges.join(", "));
    }
    if !names.is_empty() {
        let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        let _ = writeln!(out, "reserved {};", names.join(", "));
    }
    out
}

/// `head {`, blocks with a line between them, `}`.
fn braced(head: &str, blocks: &[String]) -> String {
    let mut out = format!("{head} {{");
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        out.push('\n');
        out.push_str(&indented(block));
    }
    out.push_str("}\n");
    out
}

fn service(service: &ServiceDescriptorProto) -> String {
    let options = statements(
        service
            .options
            .as_ref()
            .map(|options| &options.uninterpreted_option),
    );
    let mut calls = String::new();
    for method in &service.method {
        let stream = |streams: bool| if streams { "stream " } else { "" };
        let _ = write!(
            calls,
            "rpc {} ({}{}) returns ({}{})",
            method.name(),
            stream(method.client_streaming()),
            method.input_type(),
            stream(method.server_streaming()),
            method.output_type()
        );
        let options = statements(
            method
                .options
                .as_ref()
                .map(|options| &options.uninterpreted_option),
        );
        if !options.is_empty() {
            let _ = write!(calls, " {{\n{}}}", indented(&options));
        }
        calls.push_str(";\n");
    }
    braced(&format!("service {}", service.name()), &[options, calls])
}

struct Printer {
    is_proto3: bool,
}

impl Printer {
    fn message(&self, message: &DescriptorProto) -> String {
        braced(&format!("message {}", message.name()), &self.body(message))
    }

    fn body(&self, message: &DescriptorProto) -> Vec<String> {
        let ranges: Vec<String> = message
            .reserved_range
            .iter()
            .map(|range| self::range(range.start(), range.end() - 1, 536_870_911))
            .collect();
        let plain = message
            .field
            .iter()
            .filter(|field| field.oneof_index.is_none() || field.proto3_optional());
        let fields: String = plain.map(|field| self.field(field, Some(message))).collect();
        let mut oneofs = String::new();
        for (index, oneof) in (0..).zip(&message.oneof_decl) {
            let members: String = message
                .field
                .iter()
                .filter(|field| field.oneof_index == Some(index) && !field.proto3_optional())
                .map(|field| self.field(field, Some(message)))
                .collect();
            if !members.is_empty() {
                let options = statements(
                    oneof
                        .options
                        .as_ref()
                        .map(|options| &options.uninterpreted_option),
                );
                oneofs.push_str(&braced(&format!("oneof {}", oneof.name()), &[options, members]));
            }
        }
        let mut ranges_of_extensions = String::new();
        for range in &message.extension_range {
            let text = self::range(range.start(), range.end() - 1, 536_870_911);
            let _ = writeln!(ranges_of_extensions, "extensions {text};");
        }
        let mut nested = String::new();
        for inner in message
            .nested_type
            .iter()
            .filter(|inner| !is_map_entry(inner) && !is_group(message, inner))
        {
            nested.push_str(&self.message(inner));
        }
        for one in &message.enum_type {
            nested.push_str(&enumeration(one));
        }
        vec![
            reserved(&ranges, &message.reserved_name),
            statements(
                message
                    .options
                    .as_ref()
                    .map(|options| &options.uninterpreted_option),
            ),
            fields,
            oneofs,
            ranges_of_extensions,
            self.extensions(&message.extension),
            nested,
        ]
    }

    fn field(&self, field: &FieldDescriptorProto, parent: Option<&DescriptorProto>) -> String {
        let nested = parent.and_then(|parent| {
            parent
                .nested_type
                .iter()
                .find(|nested| last(field.type_name()) == nested.name())
        });
        let map = nested
            .filter(|nested| is_map_entry(nested))
            .filter(|_| field.label() == Label::Repeated);
        let label = match field.label() {
            _ if map.is_some() => "",
            Label::Repeated => "repeated ",
            Label::Required => "required ",
            Label::Optional if field.proto3_optional() => "optional ",
            Label::Optional if self.is_proto3 || field.oneof_index.is_some() => "",
            Label::Optional => "optional ",
        };
        if let Some(group) = nested.filter(|_| field.r#type == Some(i32::from(Type::Group))) {
            let head = format!("{label}group {} = {}", group.name(), field.number());
            return braced(&head, &self.body(group));
        }
        let type_name = match map.map(|entry| entry.field.as_slice()) {
            Some([key, value]) => format!("map<{}, {}>", type_name(key), type_name(value)),
            _ => type_name(field),
        };
        let mut assignments: Vec<String> = field
            .options
            .iter()
            .flat_map(|options| &options.uninterpreted_option)
            .map(assignment)
            .collect();
        if let Some(default) = &field.default_value {
            let is_text = matches!(field.r#type(), Type::String | Type::Bytes) && field.r#type.is_some();
            let value = if is_text { quoted(default) } else { default.clone() };
            assignments.push(format!("default = {value}"));
        }
        if let Some(json_name) = field
            .json_name
            .as_ref()
            .filter(|name| **name != json_name(field.name()))
        {
            assignments.push(format!("json_name = {}", quoted(json_name)));
        }
        format!(
            "{label}{type_name} {} = {}{};\n",
            field.name(),
            field.number(),
            bracketed(&assignments)
        )
    }

    /// `extend` blocks, one for each extended message in the order of their first field.
    fn extensions(&self, fields: &[FieldDescriptorProto]) -> String {
        let mut out = String::new();
        let mut done: Vec<&str> = Vec::new();
        for field in fields {
            if done.contains(&field.extendee()) {
                continue;
            }
            done.push(field.extendee());
            let members: String = fields
                .iter()
                .filter(|other| other.extendee() == field.extendee())
                .map(|other| self.field(other, None))
                .collect();
            out.push_str(&braced(&format!("extend {}", field.extendee()), &[members]));
        }
        out
    }
}

fn last(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, last)| last)
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(|options| options.map_entry())
}

fn is_group(parent: &DescriptorProto, nested: &DescriptorProto) -> bool {
    let group = i32::from(Type::Group);
    parent
        .field
        .iter()
        .any(|field| field.r#type == Some(group) && last(field.type_name()) == nested.name())
}

fn type_name(field: &FieldDescriptorProto) -> String {
    if field.type_name.is_some() {
        return field.type_name().to_owned();
    }
    field
        .r#type()
        .as_str_name()
        .trim_start_matches("TYPE_")
        .to_ascii_lowercase()
}

/// The name that a field has in JSON where nothing is said: lowerCamelCase.
fn json_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut is_next_upper = false;
    for one in name.chars() {
        if one == '_' {
            is_next_upper = true;
        } else if std::mem::take(&mut is_next_upper) {
            out.push(one.to_ascii_uppercase());
        } else {
            out.push(one);
        }
    }
    out
}
