//! A program's text as tokens, by the lexical rules of Flink SQL (Calcite's, names quoted by backticks).
//!
//! What is sent to Flink is printed from these tokens, one blank between two of them. So comments, and whatever else two readers
//! could see differently, never get there; what is not known here is refused.

use std::fmt::Write as _;

use crate::problem::{Place, Problem, ProblemCode};

/// Tokens of one program.
const TOKENS_MAX: usize = 20_000;
/// Bytes of one name.
const NAME_BYTES_MAX: usize = 256;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a name without quotes.
    Word(String),
    /// A name in backticks.
    Quoted(String),
    /// A text in quotes.
    Text(String),
    /// Digits, a point, an exponent.
    Number(String),
    /// One of [`SYMBOLS`].
    Symbol(&'static str),
    /// `/*+`, which opens hints.
    HintBegin,
    /// `*/`, which ends them.
    HintEnd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
}

/// Longer ones first.
const SYMBOLS: [&str; 25] = [
    "<>", "<=", ">=", "!=", "||", "=>", "(", ")", "[", "]", "{", "}", ",", ".", ";", "=", "<", ">", "+", "-",
    "*", "/", "%", "?", "|",
];
/// Words that stand before a text that has a meaning of its own with them: `DATE '2026-01-01'`.
const BEFORE_TEXTS: [&str; 4] = ["DATE", "TIME", "TIMESTAMP", "INTERVAL"];

impl Token {
    /// Is it this keyword?
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(&self.kind, Kind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn is_one_of(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|it| self.is(it))
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.kind, Kind::Symbol(it) if it == symbol)
    }

    /// The name that it is, with or without quotes.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(name) | Kind::Quoted(name) => Some(name),
            _other => None,
        }
    }

    fn print(&self, out: &mut String) {
        let _infallible = match &self.kind {
            Kind::Word(text) | Kind::Number(text) => write!(out, "{text}"),
            Kind::Quoted(name) => write!(out, "{}", quoted(name)),
            Kind::Text(text) => write!(out, "{}", literal(text)),
            Kind::Symbol(symbol) => write!(out, "{symbol}"),
            Kind::HintBegin => write!(out, "/*+"),
            Kind::HintEnd => write!(out, "*/"),
        };
    }
}

/// A name in backticks.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in quotes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Tokens as a text that reads as the same tokens.
pub(crate) fn print(tokens: &[Token]) -> String {
    let mut out = String::new();
    for token in tokens {
        if !out.is_empty() {
            out.push(' ');
        }
        token.print(&mut out);
    }
    out
}

/// Reads a whole text.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut reader = Reader {
        rest: text,
        place: Place { line: 1, column: 1 },
        in_hint: false,
    };
    let mut tokens = Vec::new();
    while let Some(token) = reader.next()? {
        if tokens.len() == TOKENS_MAX {
            let message = format!("A program has at most {TOKENS_MAX} words and symbols.");
            return Err(Problem::new(ProblemCode::TooLarge, token.place, message));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

struct Reader<'t> {
    rest: &'t str,
    place: Place,
    in_hint: bool,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<Token>, Problem> {
        self.skip()?;
        let place = self.place;
        let Some(first) = self.rest.chars().next() else {
            return if self.in_hint {
                Err(unreadable(place, "A hint is not ended: `*/` is missing."))
            } else {
                Ok(None)
            };
        };
        let kind = match first {
            '`' => {
                let name = self.enclosed('`')?;
                if name.is_empty() || name.len() > NAME_BYTES_MAX {
                    return Err(unreadable(place, "A name has 1 to 256 bytes."));
                }
                Kind::Quoted(name)
            }
            '\'' => Kind::Text(self.enclosed('\'')?),
            'a'..='z' | 'A'..='Z' | '_' => self.word()?,
            '0'..='9' => self.number()?,
            '.' if self.rest[1..].starts_with(|it: char| it.is_ascii_digit()) => self.number()?,
            _other => self.symbol()?,
        };
        Ok(Some(Token { kind, place }))
    }

    /// Blanks and comments.
    fn skip(&mut self) -> Result<(), Problem> {
        loop {
            let blanks = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            self.take(blanks);
            if self.rest.starts_with("--") {
                self.take(self.rest.find(['\n', '\r']).unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") && !self.rest.starts_with("/*+") && !self.in_hint {
                let Some(end) = self.rest[2..].find("*/") else {
                    return Err(unreadable(self.place, "A comment is not ended: `*/` is missing."));
                };
                self.take(end + 4);
            } else {
                return Ok(());
            }
        }
    }

    /// Moves over so many bytes.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        for character in taken.chars() {
            if character == '\n' {
                self.place.line += 1;
                self.place.column = 1;
            } else {
                self.place.column += 1;
            }
        }
        self.rest = rest;
        taken
    }

    /// What stands between two of `quote`, which stands for itself when it is doubled.
    fn enclosed(&mut self, quote: char) -> Result<String, Problem> {
        let begin = self.place;
        let mut inside = String::new();
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                if characters.peek().is_some_and(|(_at, next)| *next == quote) {
                    characters.next();
                    inside.push(quote);
                    continue;
                }
                self.take(at + quote.len_utf8());
                return Ok(inside);
            }
            let is_blank = quote == '\'' && matches!(character, '\n' | '\r' | '\t');
            if character.is_control() && !is_blank {
                return Err(unreadable(begin, "There is a control character between quotes."));
            }
            inside.push(character);
        }
        Err(unreadable(
            begin,
            format!("A quote is not ended: `{quote}` is missing."),
        ))
    }

    fn word(&mut self) -> Result<Kind, Problem> {
        let place = self.place;
        let end = self
            .rest
            .find(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == '$'));
        let word = self.take(end.unwrap_or(self.rest.len()));
        if word.len() > NAME_BYTES_MAX {
            return Err(unreadable(place, "A name has 1 to 256 bytes."));
        }
        let prefixes =
            self.rest.starts_with('\'') && !BEFORE_TEXTS.iter().any(|it| it.eq_ignore_ascii_case(word));
        if prefixes {
            let message = "A word stands right before a text: prefixes of texts are not let through.";
            return Err(unreadable(place, message));
        }
        self.ends_well(place)?;
        Ok(Kind::Word(word.to_owned()))
    }

    fn number(&mut self) -> Result<Kind, Problem> {
        let place = self.place;
        let digits = |text: &str| text.len() - text.trim_start_matches(|it: char| it.is_ascii_digit()).len();
        let mut length = digits(self.rest);
        if self.rest[length..].starts_with('.') {
            length += 1;
            length += digits(&self.rest[length..]);
        }
        if self.rest[length..].starts_with(['e', 'E']) {
            let sign = usize::from(self.rest[length + 1..].starts_with(['+', '-']));
            let exponent = digits(&self.rest[length + 1 + sign..]);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let number = self.take(length).to_owned();
        if self
            .rest
            .starts_with(|it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '$' | '.' | '\''))
        {
            return Err(unreadable(
                place,
                "A number is followed by something without a blank.",
            ));
        }
        self.ends_well(place)?;
        Ok(Kind::Number(number))
    }

    /// Names and numbers do not go on with something that others may count to them.
    fn ends_well(&self, place: Place) -> Result<(), Problem> {
        match self.rest.chars().next().filter(|it| !it.is_ascii()) {
            None => Ok(()),
            Some(character) => Err(unreadable(
                place,
                format!("A name with `{character}` is written in backticks."),
            )),
        }
    }

    fn symbol(&mut self) -> Result<Kind, Problem> {
        let place = self.place;
        if self.rest.starts_with("/*+") && !self.in_hint {
            self.take(3);
            self.in_hint = true;
            return Ok(Kind::HintBegin);
        }
        if self.rest.starts_with("*/") && self.in_hint {
            self.take(2);
            self.in_hint = false;
            return Ok(Kind::HintEnd);
        }
        // To Flink these begin a comment, or are nothing.
        for (text, message) in [
            ("//", "Comments begin with `--`; `//` is not let through."),
            ("..", "Two points in a row are not let through."),
        ] {
            if self.rest.starts_with(text) {
                return Err(unreadable(place, message));
            }
        }
        match SYMBOLS.into_iter().find(|it| self.rest.starts_with(it)) {
            Some(symbol) => {
                self.take(symbol.len());
                Ok(Kind::Symbol(symbol))
            }
            None => {
                let character = self.rest.chars().next().unwrap_or_default();
                let message = format!(
                    "The character `{}` is not let through.",
                    character.escape_default()
                );
                Err(unreadable(place, message))
            }
        }
    }
}

fn unreadable(place: Place, message: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::Unreadable, place, message)
}
