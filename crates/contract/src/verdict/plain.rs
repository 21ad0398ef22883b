//! JSON records that plainly satisfy their schema, told while they are read: no value is built.
//!
//! Most schemas of records are plain: types, ranges, lengths, enumerations of texts, properties. For such a one a record is
//! gone through once, and "yes" here is a yes of the validator. What is not plainly well (a number that has to be compared
//! exactly, a `1.0` for an integer, whatever is wrong) is no "no": the record is read again, into a value, and judged by
//! the validator. So a keyword may be taken more strictly here than it is meant, and none less.

use std::sync::atomic::AtomicU16;

use serde_json::{Map, Value};

use crate::json::Draft;

mod read;
#[cfg(test)]
mod tests;

/// Keywords that say nothing of a record, as long as nothing is referred to.
const SILENT: [&str; 14] = [
    "$id",
    "id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "readOnly",
    "writeOnly",
    "deprecated",
    "format",
    "definitions",
    "$defs",
    "$anchor",
];
/// Integers up to here are the same as doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Named members of an object, at most.
const MEMBERS_MAX: usize = 512;
const WORDS: usize = MEMBERS_MAX / 64;

/// A plain schema.
#[derive(Debug)]
pub(super) struct Plain(Node);

impl Plain {
    /// `None` if the schema is not plain.
    pub fn of(schema: &Value, draft: Draft) -> Option<Self> {
        let mut keywords = schema.as_object()?.clone();
        keywords.remove("$schema");
        Node::of(&Value::Object(keywords), draft).map(Self)
    }

    /// Whether a text is JSON and plainly satisfies the schema.
    pub fn admits(&self, text: &[u8]) -> bool {
        read::admits(&self.0, text)
    }
}

/// What a subschema says of a value.
#[derive(Debug)]
enum Node {
    /// Nothing.
    Any,
    /// By the value's type; of what is `None`, no value is admitted.
    Typed(Box<Typed>),
}

#[derive(Debug, Default)]
struct Typed {
    null: bool,
    boolean: bool,
    number: Option<Range>,
    text: Option<Texts>,
    list: Option<List>,
    object: Option<Members>,
}

#[derive(Debug)]
struct Range {
    whole: bool,
    least: f64,
    above: f64,
    most: f64,
    below: f64,
}

#[derive(Debug)]
struct Texts {
    least: usize,
    most: usize,
    among: Option<Vec<Box<str>>>,
}

#[derive(Debug)]
struct List {
    each: Node,
    least: usize,
    most: usize,
}

#[derive(Debug)]
struct Members {
    /// Sorted.
    names: Vec<Box<str>>,
    nodes: Vec<Node>,
    /// A bit for each name.
    required: [u64; WORDS],
    /// Of what is not named; `None`: there may be no other.
    others: Option<Node>,
    /// Which name came behind each one the last time, the first place for the first name: records of one producer have
    /// them in one order.
    follows: Box<[AtomicU16]>,
}

impl Node {
    fn of(schema: &Value, draft: Draft) -> Option<Self> {
        let keywords = match schema {
            Value::Bool(true) => return Some(Self::Any),
            Value::Object(keywords) => keywords,
            _never => return None,
        };
        let foreign = |it: &str| it.contains([':', '.']) || it.starts_with("x-");
        let says = |it: &&String| !SILENT.contains(&it.as_str()) && !foreign(it);
        let mut said: Vec<&str> = keywords.keys().filter(says).map(String::as_str).collect();
        if said.is_empty() {
            return Some(Self::Any);
        }
        if let [one @ ("anyOf" | "oneOf")] = said[..] {
            return Self::one_of(keywords.get(one)?.as_array()?, draft);
        }
        let mut typed = Typed {
            null: true,
            boolean: true,
            number: Some(Range::of(keywords, draft)?),
            text: Some(Texts::of(keywords)?),
            list: Some(List::of(keywords, draft)?),
            object: Some(Members::of(keywords, draft)?),
        };
        if let Some(names) = keywords.get("type") {
            typed.only(names)?;
        }
        for keyword in ["enum", "const"] {
            if let Some(listed) = keywords.get(keyword) {
                let listed = match listed {
                    Value::Array(listed) if keyword == "enum" => listed.as_slice(),
                    one => std::slice::from_ref(one),
                };
                typed.among(listed)?;
            }
        }
        said.retain(|it| !KNOWN.contains(it));
        said.is_empty().then(|| Self::Typed(Box::new(typed)))
    }

    /// Branches of which none admits a type that another does: then one holds at most.
    fn one_of(branches: &[Value], draft: Draft) -> Option<Self> {
        let mut all = Typed::default();
        for branch in branches {
            let Self::Typed(branch) = Self::of(branch, draft)? else {
                return None;
            };
            let Typed {
                null,
                boolean,
                number,
                text,
                list,
                object,
            } = *branch;
            if (all.null && null) || (all.boolean && boolean) {
                return None;
            }
            all.null |= null;
            all.boolean |= boolean;
            join(&mut all.number, number)?;
            join(&mut all.text, text)?;
            join(&mut all.list, list)?;
            join(&mut all.object, object)?;
        }
        Some(Self::Typed(Box::new(all)))
    }
}

/// Keywords that are looked at.
const KNOWN: [&str; 16] = [
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "required",
    "additionalProperties",
];

/// Takes what only one of two has; `None` when both have it.
fn join<T>(all: &mut Option<T>, one: Option<T>) -> Option<()> {
    match (&all, one) {
        (Some(_), Some(_)) => None,
        (_, None) => Some(()),
        (None, one) => {
            *all = one;
            Some(())
        }
    }
}

impl Typed {
    /// Only values of these types.
    fn only(&mut self, names: &Value) -> Option<()> {
        let names: Vec<&str> = match names {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
            _other => return None,
        };
        let whole = names.contains(&"integer") && !names.contains(&"number");
        let has = |name| names.contains(&name);
        self.null = has("null");
        self.boolean = has("boolean");
        self.number = self.number.take().filter(|_range| whole || has("number"));
        if let Some(range) = &mut self.number {
            range.whole = whole;
        }
        self.text = self.text.take().filter(|_texts| has("string"));
        self.list = self.list.take().filter(|_list| has("array"));
        self.object = self.object.take().filter(|_members| has("object"));
        Some(())
    }

    /// Only these values: texts, and null.
    fn among(&mut self, listed: &[Value]) -> Option<()> {
        let texts = listed.iter().filter(|it| !it.is_null());
        let texts: Vec<Box<str>> = texts
            .map(|it| it.as_str().map(Box::from))
            .collect::<Option<_>>()?;
        let null = self.null && listed.iter().any(Value::is_null);
        let text = self.text.take().map(|it| Texts {
            among: Some(match it.among {
                None => texts,
                Some(before) => before.into_iter().filter(|it| texts.contains(it)).collect(),
            }),
            ..it
        });
        *self = Self {
            null,
            text,
            ..Self::default()
        };
        Some(())
    }
}

impl Range {
    fn of(keywords: &Map<String, Value>, draft: Draft) -> Option<Self> {
        let exclusive = ["exclusiveMinimum", "exclusiveMaximum"];
        // There they say something of `minimum` and `maximum`.
        if draft == Draft::Draft4 && exclusive.iter().any(|it| keywords.contains_key(*it)) {
            return None;
        }
        let limit = |name: &str, none: f64| match keywords.get(name) {
            None => Some(none),
            Some(limit) => {
                let number = limit.as_f64()?;
                (limit.is_f64() || number.abs() < EXACT).then_some(number)
            }
        };
        Some(Self {
            whole: false,
            least: limit("minimum", f64::NEG_INFINITY)?,
            above: limit(exclusive[0], f64::NEG_INFINITY)?,
            most: limit("maximum", f64::INFINITY)?,
            below: limit(exclusive[1], f64::INFINITY)?,
        })
    }
}

/// A count that a keyword says.
fn count(keywords: &Map<String, Value>, name: &str, none: usize) -> Option<usize> {
    match keywords.get(name) {
        None => Some(none),
        Some(count) => usize::try_from(count.as_u64()?).ok(),
    }
}

impl Texts {
    fn of(keywords: &Map<String, Value>) -> Option<Self> {
        Some(Self {
            least: count(keywords, "minLength", 0)?,
            most: count(keywords, "maxLength", usize::MAX)?,
            among: None,
        })
    }
}

impl List {
    fn of(keywords: &Map<String, Value>, draft: Draft) -> Option<Self> {
        if keywords
            .get("uniqueItems")
            .is_some_and(|it| it != &Value::Bool(false))
        {
            return None;
        }
        Some(Self {
            each: keywords
                .get("items")
                .map_or(Some(Node::Any), |it| Node::of(it, draft))?,
            least: count(keywords, "minItems", 0)?,
            most: count(keywords, "maxItems", usize::MAX)?,
        })
    }
}

impl Members {
    fn of(keywords: &Map<String, Value>, draft: Draft) -> Option<Self> {
        let empty = Map::new();
        let properties = match keywords.get("properties") {
            None => &empty,
            Some(properties) => properties.as_object()?,
        };
        let others = match keywords.get("additionalProperties") {
            None => Some(Node::Any),
            Some(Value::Bool(false)) => None,
            Some(schema) => Some(Node::of(schema, draft)?),
        };
        let mut named = properties.iter().collect::<Vec<_>>();
        named.sort_unstable_by_key(|it| it.0);
        let names: Vec<Box<str>> = named.iter().map(|it| it.0.as_str().into()).collect();
        // A name that has to be escaped is not found as it stands.
        let escaped = |it: &str| it.contains(|it| matches!(it, '"' | '\\' | '\0'..='\x1f'));
        if names.len() > MEMBERS_MAX || names.iter().any(|it| escaped(it)) {
            return None;
        }
        let mut required = [0; WORDS];
        if let Some(listed) = keywords.get("required") {
            for name in listed.as_array()? {
                let name = name.as_str()?;
                // One that is required and not described is looked for by the validator.
                let at = names.binary_search_by(|it| (**it).cmp(name)).ok()?;
                required[at / 64] |= 1 << (at % 64);
            }
        }
        Some(Self {
            nodes: named
                .iter()
                .map(|it| Node::of(it.1, draft))
                .collect::<Option<_>>()?,
            follows: (0..=names.len()).map(|_name| AtomicU16::new(u16::MAX)).collect(),
            names,
            required,
            others,
        })
    }
}
