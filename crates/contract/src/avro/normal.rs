//! What `normalize=true` makes of an Avro schema: properties and aliases sorted, what means nothing left out.

use super::model::{Field, Kind, Model, Name};
use crate::text::{Json, Node};

type Properties = Vec<(String, Node)>;

/// The same types, written in one way. It is printed like any other schema.
pub(super) fn model(model: &Model) -> Model {
    let mut model = model.clone();
    for id in 0..model.types.len() {
        let is_number = |field: &Field| matches!(model.kind(field.schema), Kind::Double | Kind::Float);
        let numbers: Vec<bool> = match &model.types[id].kind {
            Kind::Record { fields, .. } => fields.iter().map(is_number).collect(),
            _ => Vec::new(),
        };
        let of = &mut model.types[id];
        // Attributes of a logical type come first where the type can have one.
        let is_logical = !matches!(
            of.kind,
            Kind::Array(_) | Kind::Map(_) | Kind::Record { .. } | Kind::Enum { .. }
        );
        sort(&mut of.properties, is_logical);
        if let Kind::Record { named, .. } | Kind::Enum { named, .. } | Kind::Fixed { named, .. } =
            &mut of.kind
        {
            named.doc = named.doc.take().filter(|doc| !doc.is_empty());
            named.aliases.sort_by(|a: &Name, b| a.full().cmp(b.full()));
            named.aliases.dedup();
        }
        if let Kind::Record { fields, .. } = &mut of.kind {
            for (field, is_number) in fields.iter_mut().zip(numbers) {
                self::field(field, is_number);
            }
        }
    }
    model
}

fn field(field: &mut Field, is_number: bool) {
    field.aliases.sort();
    field.aliases.dedup();
    sort(&mut field.properties, false);
    if let Some(default) = &mut field.default {
        sort_keys(default);
        // The default of a double is a double, however it was written.
        if let (true, Json::Number(raw)) = (is_number, &mut default.json)
            && !raw.contains(['.', 'e', 'E'])
        {
            raw.push_str(".0");
        }
    }
}

fn sort(properties: &mut Properties, is_logical: bool) {
    let is_decimal = properties
        .iter()
        .any(|(key, node)| key == "logicalType" && node.as_str() == Some("decimal"));
    let zero = Json::Number("0".to_owned());
    let place = |key: &str, node: &Node| match key {
        "logicalType" if is_logical => 0,
        "precision" if is_logical && is_decimal => 1,
        "scale" if is_logical && is_decimal && node.json != zero => 2,
        _ => 3,
    };
    properties.sort_by(|(a, a_node), (b, b_node)| {
        let places = place(a, a_node).cmp(&place(b, b_node));
        places.then_with(|| a.encode_utf16().cmp(b.encode_utf16()))
    });
    properties.iter_mut().for_each(|(_, node)| sort_keys(node));
}

fn sort_keys(node: &mut Node) {
    match &mut node.json {
        Json::Array(items) => items.iter_mut().for_each(sort_keys),
        Json::Object(members) => {
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            members.iter_mut().for_each(|(_, node)| sort_keys(node));
        }
        _ => {}
    }
}
