//! Options of a file that came as a descriptor: they are values there, and become text like those of a file that came as text.

use prost_reflect::prost_types::uninterpreted_option::NamePart;
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, UninterpretedOption,
};
use prost_reflect::text_format::FormatOptions;
use prost_reflect::{DynamicMessage, EnumDescriptor, FileDescriptor, MessageDescriptor, Value};

/// Writes the options of every part of a file into its descriptor.
pub(super) fn fill(file: &mut FileDescriptorProto, from: &FileDescriptor) {
    let options = read(&from.options());
    if !options.is_empty() {
        file.options.get_or_insert_default().uninterpreted_option = options;
    }
    for (message, from) in file.message_type.iter_mut().zip(from.messages()) {
        fill_message(message, &from);
    }
    for (one, from) in file.enum_type.iter_mut().zip(from.enums()) {
        fill_enum(one, &from);
    }
    for (service, from) in file.service.iter_mut().zip(from.services()) {
        let options = read(&from.options());
        if !options.is_empty() {
            service.options.get_or_insert_default().uninterpreted_option = options;
        }
        for (method, from) in service.method.iter_mut().zip(from.methods()) {
            let options = read(&from.options());
            if !options.is_empty() {
                method.options.get_or_insert_default().uninterpreted_option = options;
            }
        }
    }
    // Names of types are resolved in a descriptor.
    file.source_code_info = None;
}

fn fill_message(message: &mut DescriptorProto, from: &MessageDescriptor) {
    if from.is_map_entry() {
        return;
    }
    let options = read(&from.options());
    if !options.is_empty() {
        message.options.get_or_insert_default().uninterpreted_option = options;
    }
    for field in &mut message.field {
        let found = u32::try_from(field.number())
            .ok()
            .and_then(|number| from.get_field(number));
        if let Some(found) = found {
            fill_field(field, &found.options());
        }
    }
    for (nested, from) in message.nested_type.iter_mut().zip(from.child_messages()) {
        fill_message(nested, &from);
    }
    for (one, from) in message.enum_type.iter_mut().zip(from.child_enums()) {
        fill_enum(one, &from);
    }
}

fn fill_field(field: &mut FieldDescriptorProto, from: &DynamicMessage) {
    let options = read(from);
    if !options.is_empty() {
        field.options.get_or_insert_default().uninterpreted_option = options;
    }
}

fn fill_enum(one: &mut EnumDescriptorProto, from: &EnumDescriptor) {
    let options = read(&from.options());
    if !options.is_empty() {
        one.options.get_or_insert_default().uninterpreted_option = options;
    }
    for value in &mut one.value {
        let found = from.values().find(|found| found.name() == value.name());
        let options = found.map(|found| read(&found.options())).unwrap_or_default();
        if !options.is_empty() {
            value.options.get_or_insert_default().uninterpreted_option = options;
        }
    }
}

fn read(options: &DynamicMessage) -> Vec<UninterpretedOption> {
    let mut read = Vec::new();
    for (field, value) in options.fields() {
        if field.name() != "uninterpreted_option" {
            push(&mut read, field.name(), false, value, |number| {
                enum_name(field.kind().as_enum(), number)
            });
        }
    }
    for (extension, value) in options.extensions() {
        push(&mut read, extension.full_name(), true, value, |number| {
            enum_name(extension.kind().as_enum(), number)
        });
    }
    read
}

fn enum_name(of: Option<&EnumDescriptor>, number: i32) -> String {
    of.and_then(|of| of.get_value(number))
        .map_or_else(|| number.to_string(), |value| value.name().to_owned())
}

fn push(
    read: &mut Vec<UninterpretedOption>,
    name: &str,
    is_extension: bool,
    value: &Value,
    word: impl Fn(i32) -> String + Copy,
) {
    if let Value::List(items) = value {
        for item in items {
            push(read, name, is_extension, item, word);
        }
        return;
    }
    let name = vec![NamePart {
        name_part: name.to_owned(),
        is_extension,
    }];
    let mut option = UninterpretedOption {
        name,
        ..Default::default()
    };
    match value {
        Value::Bool(value) => option.identifier_value = Some(value.to_string()),
        Value::I32(number) => integer(&mut option, i64::from(*number)),
        Value::I64(number) => integer(&mut option, *number),
        Value::U32(number) => option.positive_int_value = Some(u64::from(*number)),
        Value::U64(number) => option.positive_int_value = Some(*number),
        Value::F32(number) => option.double_value = Some(f64::from(*number)),
        Value::F64(number) => option.double_value = Some(*number),
        Value::String(text) => option.string_value = Some(text.clone().into_bytes()),
        Value::Bytes(bytes) => option.string_value = Some(bytes.to_vec()),
        Value::EnumNumber(number) => option.identifier_value = Some(word(*number)),
        Value::Message(message) => {
            option.aggregate_value = Some(message.to_text_format_with_options(&FormatOptions::new()));
        }
        Value::List(_) | Value::Map(_) => return,
    }
    read.push(option);
}

fn integer(option: &mut UninterpretedOption, number: i64) {
    match u64::try_from(number) {
        Ok(number) => option.positive_int_value = Some(number),
        Err(_) => option.negative_int_value = Some(number),
    }
}
