//! Avro schemas as trees, changes of them, and values.

use apache_avro::types::Value;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// A type; named ones are called by their place, so that a changed tree keeps its names.
#[derive(Debug, Clone)]
pub enum AvroType {
    Primitive(usize),
    Array(Box<AvroType>),
    Map(Box<AvroType>),
    Nullable(Box<AvroType>),
    Enum(usize, bool),
    Fixed(usize),
    Record(Vec<AvroField>),
}

/// A field of a record.
#[derive(Debug, Clone)]
pub struct AvroField {
    pub name: usize,
    pub of: AvroType,
    pub has_default: bool,
}

const PRIMITIVES: [&str; 8] = [
    "null", "boolean", "int", "long", "float", "double", "bytes", "string",
];

/// Any type, a few levels deep.
pub fn avro_type() -> impl Strategy<Value = AvroType> {
    let leaf = prop_oneof![
        3 => (0..PRIMITIVES.len()).prop_map(AvroType::Primitive),
        1 => (1..4_usize, any::<bool>()).prop_map(|(symbols, default)| AvroType::Enum(symbols, default)),
        1 => (1..4_usize).prop_map(AvroType::Fixed),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|inner| AvroType::Array(Box::new(inner))),
            1 => inner.clone().prop_map(|inner| AvroType::Map(Box::new(inner))),
            1 => inner.clone().prop_map(AvroType::nullable),
            4 => prop::collection::vec((inner, any::<bool>()), 0..4).prop_map(|fields| {
                AvroType::Record(
                    (0..).zip(fields).map(|(name, (of, has_default))| AvroField { name, of, has_default }).collect(),
                )
            }),
        ]
    })
}

impl AvroType {
    fn nullable(inner: Self) -> Self {
        match inner {
            Self::Primitive(0) | Self::Nullable(_) => inner,
            inner => Self::Nullable(Box::new(inner)),
        }
    }

    /// The schema.
    pub fn text(&self) -> String {
        self.schema("T").to_string()
    }

    fn schema(&self, path: &str) -> Json {
        match self {
            Self::Primitive(index) => json!(PRIMITIVES[*index]),
            Self::Array(inner) => json!({"type": "array", "items": inner.schema(&format!("{path}_i"))}),
            Self::Map(inner) => json!({"type": "map", "values": inner.schema(&format!("{path}_v"))}),
            // The same place as without null: so becoming nullable keeps the names inside.
            Self::Nullable(inner) => json!(["null", inner.schema(path)]),
            Self::Enum(symbols, has_default) => {
                let symbols: Vec<String> = (0..*symbols).map(|index| format!("S{index}")).collect();
                let mut schema = json!({"type": "enum", "name": path, "symbols": symbols});
                if *has_default {
                    schema["default"] = json!("S0");
                }
                schema
            }
            Self::Fixed(size) => json!({"type": "fixed", "name": path, "size": size}),
            Self::Record(fields) => {
                let fields: Vec<Json> = fields
                    .iter()
                    .map(|field| {
                        let mut schema =
                            json!({"name": format!("f{}", field.name), "type": field.of.schema(&format!("{path}_{}", field.name))});
                        if field.has_default {
                            schema["default"] = field.of.default();
                        }
                        schema
                    })
                    .collect();
                json!({"type": "record", "name": path, "fields": fields})
            }
        }
    }

    fn default(&self) -> Json {
        match self {
            Self::Primitive(0) | Self::Nullable(_) => Json::Null,
            Self::Primitive(1) => json!(false),
            Self::Primitive(2 | 3) => json!(7),
            Self::Primitive(4 | 5) => json!(0.5),
            Self::Primitive(_) => json!("x"),
            Self::Array(_) => json!([]),
            Self::Map(_) => json!({}),
            Self::Enum(..) => json!("S0"),
            Self::Fixed(size) => json!("z".repeat(*size)),
            Self::Record(fields) => Json::Object(
                fields
                    .iter()
                    .map(|field| (format!("f{}", field.name), field.of.default()))
                    .collect(),
            ),
        }
    }
}

/// Changes, each at the place that its number leads to.
#[derive(Debug, Clone)]
pub struct Change(Vec<(usize, usize)>);

/// Up to three changes.
pub fn avro_change() -> impl Strategy<Value = Change> {
    prop::collection::vec((0..12_usize, 0..9_usize), 0..4).prop_map(Change)
}

impl Change {
    /// The changed type.
    pub fn apply(&self, to: &AvroType) -> AvroType {
        let mut changed = to.clone();
        for (place, what) in &self.0 {
            let mut left = *place;
            changed = change(changed, &mut left, *what);
        }
        changed
    }
}

fn change(of: AvroType, left: &mut usize, what: usize) -> AvroType {
    if *left == 0 {
        *left = usize::MAX;
        return changed(of, what);
    }
    *left -= 1;
    match of {
        AvroType::Array(inner) => AvroType::Array(Box::new(change(*inner, left, what))),
        AvroType::Map(inner) => AvroType::Map(Box::new(change(*inner, left, what))),
        AvroType::Nullable(inner) => AvroType::nullable(change(*inner, left, what)),
        AvroType::Record(fields) => AvroType::Record(
            fields
                .into_iter()
                .map(|field| AvroField {
                    of: change(field.of, left, what),
                    ..field
                })
                .collect(),
        ),
        leaf => leaf,
    }
}

fn changed(of: AvroType, what: usize) -> AvroType {
    match (of, what) {
        (AvroType::Primitive(2), 0) => AvroType::Primitive(3),
        (AvroType::Primitive(2 | 3), 1) => AvroType::Primitive(5),
        (AvroType::Primitive(6), 0) => AvroType::Primitive(7),
        (AvroType::Primitive(7), 0) => AvroType::Primitive(6),
        (AvroType::Primitive(_), 8) => AvroType::Primitive(1),
        (AvroType::Enum(symbols, default), 0 | 2) => AvroType::Enum(symbols + 1, default),
        (AvroType::Enum(symbols, default), 3) => AvroType::Enum(symbols.max(2) - 1, default),
        (AvroType::Fixed(size), 3) => AvroType::Fixed(size + 1),
        (AvroType::Record(mut fields), 0 | 2) => {
            let name = fields.iter().map(|field| field.name + 1).max().unwrap_or(0);
            fields.push(AvroField {
                name,
                of: AvroType::Primitive(7),
                has_default: what == 0,
            });
            AvroType::Record(fields)
        }
        (AvroType::Record(mut fields), 3) => {
            fields.pop();
            AvroType::Record(fields)
        }
        (AvroType::Record(mut fields), 4) => {
            fields.reverse();
            AvroType::Record(fields)
        }
        (of, 5) => AvroType::nullable(of),
        (AvroType::Nullable(inner), 6) => *inner,
        (of, _) => of,
    }
}

/// A value of a type, chosen by bytes.
pub fn avro_value(of: &AvroType, seed: &mut impl Iterator<Item = u8>) -> Value {
    let mut next = || seed.next().unwrap_or(0);
    match of {
        AvroType::Primitive(index) => match index {
            0 => Value::Null,
            1 => Value::Boolean(next() > 127),
            2 => Value::Int(i32::from(next()) * 1_000_003),
            3 => Value::Long(i64::from(next()) * 1_000_000_007),
            4 => Value::Float(f32::from(next()) / 3.0),
            5 => Value::Double(f64::from(next()) / 7.0),
            // Text, since bytes may be read as a string.
            6 => Value::Bytes(format!("b{}", next()).into_bytes()),
            _ => Value::String(format!("s{}", next())),
        },
        AvroType::Array(inner) => {
            let length = next() % 3;
            Value::Array((0..length).map(|_| avro_value(inner, seed)).collect())
        }
        AvroType::Map(inner) => {
            let length = next() % 3;
            Value::Map(
                (0..length)
                    .map(|key| (format!("k{key}"), avro_value(inner, seed)))
                    .collect(),
            )
        }
        AvroType::Nullable(inner) => match next() % 2 {
            0 => Value::Union(0, Box::new(Value::Null)),
            _ => Value::Union(1, Box::new(avro_value(inner, seed))),
        },
        AvroType::Enum(symbols, _) => {
            let index = u32::from(next()) % u32::try_from(*symbols).unwrap_or(1);
            Value::Enum(index, format!("S{index}"))
        }
        AvroType::Fixed(size) => Value::Fixed(*size, vec![next(); *size]),
        AvroType::Record(fields) => Value::Record(
            fields
                .iter()
                .map(|field| (format!("f{}", field.name), avro_value(&field.of, seed)))
                .collect(),
        ),
    }
}
