//! The functions that a rule may call.

use std::ops::RangeInclusive;

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Length of a text in characters, of bytes, of a list, of a map.
    Size,
    /// A text within a text.
    Contains,
    /// A text at the beginning.
    StartsWith,
    /// A text at the end.
    EndsWith,
    /// A regular expression, anywhere in a text.
    Matches,
    /// Conversion to int.
    Int,
    /// Conversion to uint.
    Uint,
    /// Conversion to double.
    Double,
    /// Conversion to a text.
    Text,
    /// Conversion to bytes.
    Bytes,
    /// Conversion to bool.
    Bool,
    /// Conversion to a point in time.
    Timestamp,
    /// Conversion to a span of time.
    Duration,
    /// Takes a value out of the type check.
    Dyn,
    /// The type of a value.
    Type,
    /// A part of a date or of a span.
    Part(Part),
    /// Letters A to Z made small.
    LowerAscii,
    /// Letters a to z made large.
    UpperAscii,
    /// White space taken away at both ends.
    Trim,
    /// A text cut at a separator.
    Split,
    /// Texts put together.
    Join,
    /// A text replaced within a text.
    Replace,
    /// From a character to another.
    Substring,
    /// Where a text stands first.
    IndexOf,
    /// Where a text stands last.
    LastIndexOf,
    /// One character.
    CharAt,
    /// A test of a text's form.
    Form(Form),
}

/// A part of a point in time, or a span counted in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The year.
    FullYear,
    /// 0 to 11.
    Month,
    /// Day of the month from 1.
    Date,
    /// Day of the month from 0.
    DayOfMonth,
    /// 0 is Sunday.
    DayOfWeek,
    /// From 0.
    DayOfYear,
    /// Hour of the day; all hours of a span.
    Hours,
    /// Minute of the hour; all minutes of a span.
    Minutes,
    /// Second of the minute; all seconds of a span.
    Seconds,
    /// Millisecond of the second.
    Milliseconds,
}

/// A form that a text may have. The names are those of the field's rule engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An address of mail.
    Email,
    /// A host name (RFC 1034).
    Hostname,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An absolute URI.
    Uri,
    /// A URI or a relative reference.
    UriRef,
    /// A UUID.
    Uuid,
}

/// How a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `f(x)`
    Global,
    /// `x.f()`
    Receiver,
    /// Both.
    Either,
}

/// A function's name, how it is written, and how many arguments it has, its receiver among them.
pub struct Signature {
    /// The name.
    pub name: &'static str,
    /// The function.
    pub function: Function,
    /// How it is written.
    pub style: Style,
    /// How many arguments.
    pub arity: RangeInclusive<usize>,
}

const fn row(name: &'static str, function: Function, style: Style, least: usize, most: usize) -> Signature {
    Signature {
        name,
        function,
        style,
        arity: least..=most,
    }
}

/// All of them.
pub static SIGNATURES: [Signature; 42] = [
    row("size", Function::Size, Style::Either, 1, 1),
    row("contains", Function::Contains, Style::Receiver, 2, 2),
    row("startsWith", Function::StartsWith, Style::Receiver, 2, 2),
    row("endsWith", Function::EndsWith, Style::Receiver, 2, 2),
    row("matches", Function::Matches, Style::Either, 2, 2),
    row("int", Function::Int, Style::Global, 1, 1),
    row("uint", Function::Uint, Style::Global, 1, 1),
    row("double", Function::Double, Style::Global, 1, 1),
    row("string", Function::Text, Style::Global, 1, 1),
    row("bytes", Function::Bytes, Style::Global, 1, 1),
    row("bool", Function::Bool, Style::Global, 1, 1),
    row("timestamp", Function::Timestamp, Style::Global, 1, 1),
    row("duration", Function::Duration, Style::Global, 1, 1),
    row("dyn", Function::Dyn, Style::Global, 1, 1),
    row("type", Function::Type, Style::Global, 1, 1),
    row(
        "getFullYear",
        Function::Part(Part::FullYear),
        Style::Receiver,
        1,
        2,
    ),
    row("getMonth", Function::Part(Part::Month), Style::Receiver, 1, 2),
    row("getDate", Function::Part(Part::Date), Style::Receiver, 1, 2),
    row(
        "getDayOfMonth",
        Function::Part(Part::DayOfMonth),
        Style::Receiver,
        1,
        2,
    ),
    row(
        "getDayOfWeek",
        Function::Part(Part::DayOfWeek),
        Style::Receiver,
        1,
        2,
    ),
    row(
        "getDayOfYear",
        Function::Part(Part::DayOfYear),
        Style::Receiver,
        1,
        2,
    ),
    row("getHours", Function::Part(Part::Hours), Style::Receiver, 1, 2),
    row("getMinutes", Function::Part(Part::Minutes), Style::Receiver, 1, 2),
    row("getSeconds", Function::Part(Part::Seconds), Style::Receiver, 1, 2),
    row(
        "getMilliseconds",
        Function::Part(Part::Milliseconds),
        Style::Receiver,
        1,
        2,
    ),
    row("lowerAscii", Function::LowerAscii, Style::Receiver, 1, 1),
    row("upperAscii", Function::UpperAscii, Style::Receiver, 1, 1),
    row("trim", Function::Trim, Style::Receiver, 1, 1),
    row("split", Function::Split, Style::Receiver, 2, 2),
    row("join", Function::Join, Style::Receiver, 1, 2),
    row("replace", Function::Replace, Style::Receiver, 3, 3),
    row("substring", Function::Substring, Style::Receiver, 2, 3),
    row("indexOf", Function::IndexOf, Style::Receiver, 2, 2),
    row("lastIndexOf", Function::LastIndexOf, Style::Receiver, 2, 2),
    row("charAt", Function::CharAt, Style::Receiver, 2, 2),
    row("isEmail", Function::Form(Form::Email), Style::Receiver, 1, 1),
    row(
        "isHostname",
        Function::Form(Form::Hostname),
        Style::Receiver,
        1,
        1,
    ),
    row("isIpv4", Function::Form(Form::Ipv4), Style::Receiver, 1, 1),
    row("isIpv6", Function::Form(Form::Ipv6), Style::Receiver, 1, 1),
    row("isUri", Function::Form(Form::Uri), Style::Receiver, 1, 1),
    row("isUriRef", Function::Form(Form::UriRef), Style::Receiver, 1, 1),
    row("isUuid", Function::Form(Form::Uuid), Style::Receiver, 1, 1),
];

/// The function of a name.
pub fn find(name: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|signature| signature.name == name)
}

impl Function {
    /// Its name.
    pub fn name(self) -> &'static str {
        SIGNATURES
            .iter()
            .find(|signature| signature.function == self)
            .map_or("?", |signature| signature.name)
    }
}
