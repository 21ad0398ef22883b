//! Columns of a table: written by hand in a job's spec, or taken from a contract.

use weir_contract::columns::{Column as Field, ColumnKind, columns_within};
use weir_contract::{Format, Schema};

use crate::token::{Kind, Token, print, quoted, tokens};

/// Columns of one table.
pub const COLUMNS_MAX: usize = 500;
/// Bytes of a type that was made of a schema.
const EXACT_BYTES_MAX: usize = 64 * 1024;
/// Levels of rows and arrays in a type.
const DEPTH_MAX: usize = 12;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in Flink's words.
    pub kind: String,
}

/// What one type begins with, and whether numbers may follow it in brackets.
const SIMPLE: [(&str, bool); 18] = [
    ("STRING", false),
    ("BOOLEAN", false),
    ("TINYINT", false),
    ("SMALLINT", false),
    ("INT", false),
    ("INTEGER", false),
    ("BIGINT", false),
    ("FLOAT", false),
    ("DOUBLE", false),
    ("BYTES", false),
    ("DATE", false),
    ("TIME", true),
    ("TIMESTAMP", true),
    ("TIMESTAMP_LTZ", true),
    ("DECIMAL", true),
    ("CHAR", true),
    ("VARCHAR", true),
    ("VARBINARY", true),
];

/// Reads a type written by hand, and prints it anew.
///
/// # Errors
/// A sentence.
pub fn kind(text: &str) -> Result<String, String> {
    read(text, false)
}

/// The same of a type that was made of a schema, which says at each place whether there may be nothing.
///
/// # Errors
/// A sentence.
pub fn exact_kind(text: &str) -> Result<String, String> {
    read(text, true)
}

fn read(text: &str, exact: bool) -> Result<String, String> {
    let wrong = || {
        format!(
            "`{}` is no type of a column. Types are {}, ROW<name type, ..>, ARRAY<type> and MAP<type, type>.",
            text.escape_default(),
            SIMPLE.map(|(name, _numbers)| name).join(", ")
        )
    };
    if text.len() > if exact { EXACT_BYTES_MAX } else { 4096 } {
        return Err("The type of a column has at most 4096 bytes.".to_owned());
    }
    let all = tokens(text).map_err(|_problem| wrong())?;
    let rest = read_kind(&all, (0, exact)).ok_or_else(wrong)?;
    if rest.is_empty() {
        Ok(print(&all))
    } else {
        Err(wrong())
    }
}

/// Reads one type, and `NOT NULL` where that may follow; gives what comes after it.
fn read_kind(tokens: &[Token], (depth, exact): (usize, bool)) -> Option<&[Token]> {
    let rest = read_bare(tokens, (depth, exact))?;
    match rest {
        [not, null, after @ ..] if exact && not.is("NOT") && null.is("NULL") => Some(after),
        rest => Some(rest),
    }
}

fn read_bare(tokens: &[Token], (depth, exact): (usize, bool)) -> Option<&[Token]> {
    let (word, mut rest) = tokens.split_first()?;
    if depth > DEPTH_MAX || matches!(word.kind, Kind::Quoted(_)) {
        return None;
    }
    let close = |rest: &'_ [Token]| rest.first().is_some_and(|it| it.is_symbol(">"));
    if word.is_one_of(&["ARRAY", "MULTISET"]) {
        rest = read_kind(symbol(rest, "<")?, (depth + 1, exact))?;
        return symbol(rest, ">");
    }
    if word.is("MAP") {
        rest = read_kind(symbol(rest, "<")?, (depth + 1, exact))?;
        rest = read_kind(symbol(rest, ",")?, (depth + 1, exact))?;
        return symbol(rest, ">");
    }
    if word.is("ROW") {
        rest = symbol(rest, "<")?;
        loop {
            let (name, after) = rest.split_first()?;
            name.name()?;
            rest = read_kind(after, (depth + 1, exact))?;
            if close(rest) {
                return symbol(rest, ">");
            }
            rest = symbol(rest, ",")?;
        }
    }
    let (_name, numbers) = SIMPLE.iter().find(|(name, _numbers)| word.is(name))?;
    if *numbers && rest.first().is_some_and(|it| it.is_symbol("(")) {
        rest = number(&rest[1..])?;
        if let Some(after) = symbol(rest, ",") {
            rest = number(after)?;
        }
        return symbol(rest, ")");
    }
    Some(rest)
}

fn symbol<'t>(tokens: &'t [Token], wanted: &str) -> Option<&'t [Token]> {
    let (first, rest) = tokens.split_first()?;
    first.is_symbol(wanted).then_some(rest)
}

fn number(tokens: &[Token]) -> Option<&[Token]> {
    let (first, rest) = tokens.split_first()?;
    let Kind::Number(digits) = &first.kind else {
        return None;
    };
    (digits.len() <= 4 && digits.bytes().all(|it| it.is_ascii_digit())).then_some(rest)
}

/// The columns that a schema of a contract gives a table.
///
/// # Errors
/// A sentence, where a field has no type that Flink's format reads, or there are none.
pub fn of_schema(schema: &Schema, format: Format) -> Result<Vec<Column>, String> {
    let fields = columns_within(schema, COLUMNS_MAX + 1);
    if fields.is_empty() {
        return Err("the schema names no fields".to_owned());
    }
    if fields.len() > COLUMNS_MAX {
        return Err(format!("a table has at most {COLUMNS_MAX} columns"));
    }
    let avro = match format {
        Format::Avro => true,
        Format::Json => false,
        Format::Protobuf => return Err("records in Protobuf are not read as tables".to_owned()),
    };
    fields
        .iter()
        .map(|field| {
            Ok(Column {
                name: field.name.clone(),
                kind: if avro { avro_kind(field)? } else { json_kind(field) },
            })
        })
        .collect()
}

/// Flink's JSON format gives the text of whatever stands where a STRING is expected.
fn json_kind(field: &Field) -> String {
    let row = || rows(&field.columns, |it| Ok(json_kind(it))).unwrap_or_else(|_never| "STRING".to_owned());
    let one = |kind: ColumnKind| match kind {
        ColumnKind::Date => "DATE".to_owned(),
        ColumnKind::Timestamp => "TIMESTAMP_LTZ(3)".to_owned(),
        ColumnKind::Number => "DOUBLE".to_owned(),
        ColumnKind::Integer => "BIGINT".to_owned(),
        ColumnKind::Boolean => "BOOLEAN".to_owned(),
        ColumnKind::Object if !field.columns.is_empty() => row(),
        ColumnKind::Object | ColumnKind::Array | ColumnKind::String | ColumnKind::Time | ColumnKind::Any => {
            "STRING".to_owned()
        }
    };
    match (field.kind, field.items) {
        (ColumnKind::Array, Some(items)) => format!("ARRAY<{}>", one(items)),
        (kind, _none) => one(kind),
    }
}

fn rows(fields: &[Field], kind: impl Fn(&Field) -> Result<String, String>) -> Result<String, String> {
    let parts: Result<Vec<String>, String> = fields
        .iter()
        .map(|it| Ok(format!("{} {}", quoted(&it.name), kind(it)?)))
        .collect();
    Ok(format!("ROW<{}>", parts?.join(", ")))
}

/// Avro's binary form says nothing of types: each must be exactly what Flink derives the same schema from.
fn avro_kind(field: &Field) -> Result<String, String> {
    let refused = |what: &str| {
        Err(format!(
            "field `{}` is {what}, which is not read as a column",
            field.name
        ))
    };
    let words: Vec<&str> = field.physical.split('|').filter(|it| *it != "null").collect();
    let [word] = words.as_slice() else {
        return refused("a union of several types");
    };
    let known = match *word {
        "string" => "STRING",
        "int" => "INT",
        "long" => "BIGINT",
        "float" => "FLOAT",
        "double" => "DOUBLE",
        "boolean" => "BOOLEAN",
        "bytes" => "BYTES",
        "int (date)" => "DATE",
        "long (timestamp-millis)" => "TIMESTAMP(3)",
        "long (timestamp-micros)" => "TIMESTAMP(6)",
        "string (uuid)" => "STRING",
        word if word.contains(" (") => return refused(word),
        _named => {
            return match (field.kind, field.items) {
                (ColumnKind::Object, _none) if !field.columns.is_empty() => rows(&field.columns, avro_kind),
                (ColumnKind::String, _none) => Ok("STRING".to_owned()),
                (ColumnKind::Array, Some(ColumnKind::Object)) if !field.columns.is_empty() => {
                    Ok(format!("ARRAY<{}>", rows(&field.columns, avro_kind)?))
                }
                (ColumnKind::Array, Some(ColumnKind::String)) => Ok("ARRAY<STRING>".to_owned()),
                _other => refused(word),
            };
        }
    };
    Ok(known.to_owned())
}
