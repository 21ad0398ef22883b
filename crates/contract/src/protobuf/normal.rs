//! The normalized form of a file: what differs only in order and in the writing of names becomes the same.

use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, UninterpretedOption,
};

use super::options::name_of;

/// Takes options from the file as it was written, and types from the file whose names are resolved.
///
/// The order of messages stays: the index of a message is part of each record.
pub(super) fn file(written: &FileDescriptorProto, resolved: &FileDescriptorProto) -> FileDescriptorProto {
    let mut file = written.clone();
    // Public imports are indexes into the list of imports.
    let public: Vec<String> = file
        .public_dependency
        .iter()
        .filter_map(|index| file.dependency.get(usize::try_from(*index).ok()?).cloned())
        .collect();
    file.dependency.sort();
    file.dependency.dedup();
    file.public_dependency = (0..)
        .zip(&file.dependency)
        .filter(|(_, name)| public.contains(name))
        .map(|(index, _)| index)
        .collect();
    file.weak_dependency.clear();
    for (message, resolved) in file.message_type.iter_mut().zip(&resolved.message_type) {
        self::message(message, resolved);
    }
    file.enum_type.iter_mut().for_each(enumeration);
    fields(&mut file.extension, &resolved.extension);
    for (service, resolved) in file.service.iter_mut().zip(&resolved.service) {
        for (method, resolved) in service.method.iter_mut().zip(&resolved.method) {
            method.input_type.clone_from(&resolved.input_type);
            method.output_type.clone_from(&resolved.output_type);
            sort(
                method
                    .options
                    .as_mut()
                    .map(|options| &mut options.uninterpreted_option),
            );
        }
        sort(
            service
                .options
                .as_mut()
                .map(|options| &mut options.uninterpreted_option),
        );
    }
    sort(
        file.options
            .as_mut()
            .map(|options| &mut options.uninterpreted_option),
    );
    file
}

fn message(message: &mut DescriptorProto, resolved: &DescriptorProto) {
    fields(&mut message.field, &resolved.field);
    message.field.sort_by_key(FieldDescriptorProto::number);
    fields(&mut message.extension, &resolved.extension);
    for (nested, resolved) in message.nested_type.iter_mut().zip(&resolved.nested_type) {
        self::message(nested, resolved);
    }
    message.enum_type.iter_mut().for_each(enumeration);
    message.reserved_range.sort_by_key(|range| range.start());
    message.reserved_name.sort();
    message.extension_range.sort_by_key(|range| range.start());
    sort(
        message
            .options
            .as_mut()
            .map(|options| &mut options.uninterpreted_option),
    );
    for oneof in &mut message.oneof_decl {
        sort(
            oneof
                .options
                .as_mut()
                .map(|options| &mut options.uninterpreted_option),
        );
    }
    sort_oneofs(message);
}

/// Oneofs stand in the order of their lowest field.
fn sort_oneofs(message: &mut DescriptorProto) {
    let lowest = |index: usize| {
        let index = i32::try_from(index).ok();
        message
            .field
            .iter()
            .filter(|field| field.oneof_index == index)
            .map(FieldDescriptorProto::number)
            .min()
    };
    let mut order: Vec<usize> = (0..message.oneof_decl.len()).collect();
    order.sort_by_key(|index| lowest(*index).unwrap_or(i32::MAX));
    let mut place = vec![0; order.len()];
    for (new, old) in (0..).zip(&order) {
        place[*old] = new;
    }
    for field in &mut message.field {
        let old = field.oneof_index.and_then(|index| usize::try_from(index).ok());
        field.oneof_index = old.and_then(|old| place.get(old).copied());
    }
    message.oneof_decl = order.iter().map(|old| message.oneof_decl[*old].clone()).collect();
}

fn fields(fields: &mut [FieldDescriptorProto], resolved: &[FieldDescriptorProto]) {
    for (field, resolved) in fields.iter_mut().zip(resolved) {
        field.r#type = resolved.r#type;
        field.type_name.clone_from(&resolved.type_name);
        field.extendee.clone_from(&resolved.extendee);
        sort(
            field
                .options
                .as_mut()
                .map(|options| &mut options.uninterpreted_option),
        );
    }
}

fn enumeration(one: &mut EnumDescriptorProto) {
    one.value
        .sort_by(|a, b| (a.number(), a.name()).cmp(&(b.number(), b.name())));
    for value in &mut one.value {
        sort(
            value
                .options
                .as_mut()
                .map(|options| &mut options.uninterpreted_option),
        );
    }
    sort(
        one.options
            .as_mut()
            .map(|options| &mut options.uninterpreted_option),
    );
}

fn sort(options: Option<&mut Vec<UninterpretedOption>>) {
    if let Some(options) = options {
        options.sort_by_key(name_of);
    }
}
