//! A JSON text (RFC 8259), gone through once by a plain schema.
//!
//! What is admitted is JSON for `serde_json`, too. Escaped names, halves of surrogates, deep nesting and numbers that may
//! be beyond doubles are not admitted; nothing of them is wrong, they are only not plain.

use std::sync::atomic::Ordering;

use super::{EXACT, Members, Node, Range, Texts, Typed, WORDS};

/// `serde_json` stops at 128.
const DEPTH_MAX: usize = 60;
/// What `serde_json` may read otherwise begins like this.
const RESERVED: &[u8] = b"$serde_json";
/// A number of so many digits before the point, and with an exponent of so many, is a double.
const DIGITS_MAX: usize = 100;
const EXPONENT_DIGITS_MAX: usize = 2;
/// Numbers of so many digits fit into 64 bits.
const WHOLE_DIGITS_MAX: usize = 19;
/// How far two readers of a number may be apart.
const APART: f64 = 1e-12;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Whether a text is JSON and plainly what a node says.
pub(super) fn admits(node: &Node, text: &[u8]) -> bool {
    // At once: all of JSON's own characters are ASCII.
    if std::str::from_utf8(text).is_err() {
        return false;
    }
    let mut reader = Reader { rest: text };
    let read = reader.value(node, DEPTH_MAX);
    reader.space();
    read.is_some() && reader.rest.is_empty()
}

/// A string between its quotes, as it stands there.
#[derive(Clone, Copy)]
struct Raw<'t> {
    bytes: &'t [u8],
    /// Characters that it has less because of escapes.
    less: usize,
}

struct Reader<'t> {
    rest: &'t [u8],
}

/// `None`: not plainly well.
type Well<T> = Option<T>;

impl<'t> Reader<'t> {
    fn space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// The next character that is no space, taken.
    fn next(&mut self) -> Well<u8> {
        self.space();
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// The same if it is this one; else it stays.
    fn take(&mut self, wanted: u8) -> bool {
        self.space();
        match self.rest {
            [first, rest @ ..] if *first == wanted => {
                self.rest = rest;
                true
            }
            _other => false,
        }
    }

    fn word(&mut self, word: &[u8]) -> Well<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    fn value(&mut self, node: &Node, depth: usize) -> Well<()> {
        self.space();
        let typed = match node {
            Node::Any => None,
            Node::Typed(typed) => Some(&**typed),
        };
        match *self.rest.first()? {
            b'"' => {
                self.rest = &self.rest[1..];
                let text = self.text()?;
                let texts = said(typed, |it| it.text.as_ref())?;
                texts.is_none_or(|it| it.admits(text)).then_some(())
            }
            b'-' | b'0'..=b'9' => {
                let range = said(typed, |it| it.number.as_ref())?;
                self.number(range)
            }
            b'{' => self.object(said(typed, |it| it.object.as_ref())?, depth.checked_sub(1)?),
            b'[' => {
                self.rest = &self.rest[1..];
                let list = said(typed, |it| it.list.as_ref())?;
                let each = list.map_or(&Node::Any, |it| &it.each);
                let length = self.list(each, depth.checked_sub(1)?)?;
                list.is_none_or(|it| it.least <= length && length <= it.most)
                    .then_some(())
            }
            b't' if typed.is_none_or(|it| it.boolean) => self.word(b"true"),
            b'f' if typed.is_none_or(|it| it.boolean) => self.word(b"false"),
            b'n' if typed.is_none_or(|it| it.null) => self.word(b"null"),
            _other => None,
        }
    }

    /// How many there are, behind the bracket.
    fn list(&mut self, each: &Node, depth: usize) -> Well<usize> {
        if self.take(b']') {
            return Some(0);
        }
        let mut length = 0;
        loop {
            self.value(each, depth)?;
            length += 1;
            match self.next()? {
                b',' => {}
                b']' => return Some(length),
                _other => return None,
            }
        }
    }

    fn object(&mut self, said: Option<&Members>, depth: usize) -> Well<()> {
        self.rest = &self.rest[1..];
        let (mut seen, mut after) = ([0_u64; WORDS], 0);
        let mut more = !self.take(b'}');
        while more {
            let place = self.name(said, after)?;
            if self.next()? != b':' {
                return None;
            }
            let node = match (said, place) {
                (Some(members), Some(at)) => {
                    seen[at / 64] |= 1 << (at % 64);
                    after = at + 1;
                    &members.nodes[at]
                }
                (Some(members), None) => members.others.as_ref()?,
                (None, _) => &Node::Any,
            };
            self.value(node, depth)?;
            more = match self.next()? {
                b',' => true,
                b'}' => false,
                _other => return None,
            };
        }
        let lacks = |members: &Members| {
            let mut both = members.required.iter().zip(seen);
            both.any(|(required, seen)| required & !seen != 0)
        };
        (!said.is_some_and(lacks)).then_some(())
    }

    /// A member's name: its place, or `None` for one that is not named.
    fn name(&mut self, said: Option<&Members>, after: usize) -> Well<Option<usize>> {
        if self.next()? != b'"' {
            return None;
        }
        if let Some(members) = said
            && let Some((at, name)) = members.expected(after)
            && let Some([b'"', rest @ ..]) = self.rest.strip_prefix(name)
        {
            self.rest = rest;
            return Some(Some(at));
        }
        let text = self.text()?;
        if text.less > 0 || text.bytes.starts_with(RESERVED) {
            return None;
        }
        Some(said.and_then(|it| it.place(text.bytes, after)))
    }

    /// A string, behind its first quote.
    fn text(&mut self) -> Well<Raw<'t>> {
        let begin = self.rest;
        let mut less = 0;
        loop {
            match &self.rest[special(self.rest)?..] {
                [b'"', after @ ..] => {
                    self.rest = after;
                    let length = begin.len() - after.len() - 1;
                    return Some(Raw {
                        bytes: &begin[..length],
                        less,
                    });
                }
                [b'\\', b'u', a, b, c, d, after @ ..] => {
                    let digits = [a, b, c, d];
                    let hexadecimal = digits.iter().all(|it| it.is_ascii_hexdigit());
                    // Between D800 and DFFF.
                    let half = matches!(a, b'd' | b'D') && !matches!(b, b'0'..=b'7');
                    if !hexadecimal || half {
                        return None;
                    }
                    self.rest = after;
                    less += 5;
                }
                [
                    b'\\',
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                    after @ ..,
                ] => {
                    self.rest = after;
                    less += 1;
                }
                _control => return None,
            }
        }
    }

    fn digits(&mut self) -> &'t [u8] {
        let all = self.rest;
        let count = all.iter().take_while(|it| it.is_ascii_digit()).count();
        let (digits, rest) = all.split_at(count);
        self.rest = rest;
        digits
    }

    fn number(&mut self, range: Option<&Range>) -> Well<()> {
        let begin = self.rest;
        let negative = self.rest.first() == Some(&b'-');
        if negative {
            self.rest = &self.rest[1..];
        }
        let digits = self.digits();
        if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') {
            return None;
        }
        let mut whole = true;
        if let [b'.', rest @ ..] = self.rest {
            whole = false;
            self.rest = rest;
            if self.digits().is_empty() {
                return None;
            }
        }
        if let [b'e' | b'E', rest @ ..] = self.rest {
            whole = false;
            self.rest = match rest {
                [b'+' | b'-', rest @ ..] => rest,
                rest => rest,
            };
            let exponent = self.digits();
            if exponent.is_empty() || exponent.len() > EXPONENT_DIGITS_MAX {
                return None;
            }
        }
        let written = &begin[..begin.len() - self.rest.len()];
        if whole && !(negative && digits == b"0") {
            return whole_number(digits, negative, range);
        }
        if digits.len() > DIGITS_MAX || range.is_some_and(|it| it.whole) {
            return None;
        }
        let Some(range) = range.filter(|it| !it.is_open()) else {
            return Some(());
        };
        let number: f64 = std::str::from_utf8(written).ok()?.parse().ok()?;
        let apart = number.abs() * APART;
        (range.admits(number - apart) && range.admits(number + apart)).then_some(())
    }
}

/// One that has neither a point nor an exponent.
fn whole_number(digits: &[u8], negative: bool, range: Option<&Range>) -> Well<()> {
    let Some(range) = range else {
        return (digits.len() <= DIGITS_MAX).then_some(());
    };
    if digits.len() > WHOLE_DIGITS_MAX {
        return None;
    }
    let amount = digits
        .iter()
        .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    // Beyond, it is a double, and whether that is an integer depends.
    if negative && amount > i64::MAX.unsigned_abs() {
        return None;
    }
    if range.is_open() {
        return Some(());
    }
    let number = if negative { -(amount as f64) } else { amount as f64 };
    (number.abs() < EXACT && range.admits(number)).then_some(())
}

/// What is said of values of a type, if anything; `None`: that there are none.
fn said<'n, T>(typed: Option<&'n Typed>, of: impl FnOnce(&'n Typed) -> Option<&'n T>) -> Well<Option<&'n T>> {
    match typed {
        None => Some(None),
        Some(typed) => of(typed).map(Some),
    }
}

/// The place of the first quote, backslash or control character.
fn special(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest byte that is flagged is one of them, for what borrows comes from below.
        let zero = |it: u64| it.wrapping_sub(ONES) & !it;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let found = (control | quote | backslash) & HIGH;
        if found != 0 {
            return Some(at * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    let found = rest.iter().position(|it| matches!(it, b'"' | b'\\' | 0..0x20));
    found.map(|at| words.len() * 8 + at)
}

impl Range {
    fn admits(&self, number: f64) -> bool {
        self.least <= number && self.above < number && number <= self.most && number < self.below
    }

    /// Whether no number is out of it.
    fn is_open(&self) -> bool {
        self.least == f64::NEG_INFINITY
            && self.above == f64::NEG_INFINITY
            && self.most == f64::INFINITY
            && self.below == f64::INFINITY
    }
}

impl Texts {
    fn admits(&self, text: Raw<'_>) -> bool {
        let length = text.bytes.len();
        // A character has one to four bytes.
        let surely = length - text.less <= self.most && (length / 4).saturating_sub(text.less) >= self.least;
        let length_fits = surely || {
            let continued = |it: &&u8| **it & 0xc0 == 0x80;
            let characters = length - text.bytes.iter().filter(continued).count() - text.less;
            self.least <= characters && characters <= self.most
        };
        let is_listed =
            |listed: &Vec<Box<str>>| text.less == 0 && listed.iter().any(|it| it.as_bytes() == text.bytes);
        length_fits && self.among.as_ref().is_none_or(is_listed)
    }
}

impl Members {
    /// What came behind a member the last time; `after` is its place, counted from 1.
    fn expected(&self, after: usize) -> Option<(usize, &[u8])> {
        let at = usize::from(self.follows.get(after)?.load(Ordering::Relaxed));
        Some((at, self.names.get(at)?.as_bytes()))
    }

    /// The place of a name that came behind that member.
    fn place(&self, name: &[u8], after: usize) -> Option<usize> {
        let at = self.names.binary_search_by(|it| it.as_bytes().cmp(name)).ok()?;
        self.follows
            .get(after)?
            .store(u16::try_from(at).ok()?, Ordering::Relaxed);
        Some(at)
    }
}
