//! A record, gone through by a plain schema.

use std::fmt;
use std::sync::atomic::Ordering;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{EXACT, Members, Node, Range, Texts, Typed, WORDS};

/// What `serde_json` may read otherwise begins like this.
const RESERVED: &str = "$serde_json";

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
    fn admits(&self, text: &str) -> bool {
        // A character has one to four bytes.
        let short = text.len() <= self.most && text.len() / 4 >= self.least;
        let length_fits = short || {
            let characters = text.chars().count();
            self.least <= characters && characters <= self.most
        };
        let is_listed = |listed: &Vec<Box<str>>| listed.iter().any(|it| &**it == text);
        length_fits && self.among.as_ref().is_none_or(is_listed)
    }
}

impl Members {
    /// The place of a name; `after` is that of the one before it, counted from 1.
    fn place(&self, name: &str, after: usize) -> Option<usize> {
        let hint = self.follows.get(after)?;
        let at = usize::from(hint.load(Ordering::Relaxed));
        if self.names.get(at).is_some_and(|it| &**it == name) {
            return Some(at);
        }
        let at = self.names.binary_search_by(|it| (**it).cmp(name)).ok()?;
        hint.store(u16::try_from(at).ok()?, Ordering::Relaxed);
        Some(at)
    }
}

/// Not plainly well.
fn no<E: Error>() -> E {
    E::custom("")
}

impl<'de> DeserializeSeed<'de> for &Node {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // As a value is read: the same texts are JSON.
        deserializer.deserialize_any(self)
    }
}

impl Node {
    /// What it says of values of one type, if anything.
    ///
    /// # Errors
    /// It admits none of them.
    fn of_type<'n, T, E: Error>(
        &'n self,
        of: impl FnOnce(&'n Typed) -> Option<&'n T>,
    ) -> Result<Option<&'n T>, E> {
        match self {
            Self::Any => Ok(None),
            Self::Typed(typed) => of(typed).map(Some).ok_or_else(no),
        }
    }

    fn number<E: Error>(&self, number: f64, is_whole: bool) -> Result<(), E> {
        let range = self.of_type(|it| it.number.as_ref())?;
        let admitted = range.is_none_or(|it| {
            // An integer that is beyond what doubles tell apart is compared by the validator.
            let exact = !is_whole || number.abs() < EXACT;
            (is_whole || !it.whole) && (it.is_open() || (exact && it.admits(number)))
        });
        if admitted { Ok(()) } else { Err(no()) }
    }
}

impl<'de> Visitor<'de> for &Node {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that the schema plainly admits")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self {
            Node::Typed(typed) if !typed.null => Err(no()),
            _admitted => Ok(()),
        }
    }

    fn visit_bool<E: Error>(self, _truth: bool) -> Result<(), E> {
        match self {
            Node::Typed(typed) if !typed.boolean => Err(no()),
            _admitted => Ok(()),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(number as f64, true)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(number as f64, true)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.number(number, false)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let texts = self.of_type(|it| it.text.as_ref())?;
        if texts.is_none_or(|it| it.admits(text)) {
            Ok(())
        } else {
            Err(no())
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let said = self.of_type(|it| it.list.as_ref())?;
        let each = said.map_or(&Node::Any, |it| &it.each);
        let mut length = 0;
        while list.next_element_seed(each)?.is_some() {
            length += 1;
        }
        if said.is_none_or(|it| it.least <= length && length <= it.most) {
            Ok(())
        } else {
            Err(no())
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let said = self.of_type(|it| it.object.as_ref())?;
        let (mut seen, mut after) = ([0_u64; WORDS], 0);
        while let Some(place) = object.next_key_seed(Name { members: said, after })? {
            let node = match (said, place) {
                (Some(members), Some(at)) => {
                    seen[at / 64] |= 1 << (at % 64);
                    after = at + 1;
                    &members.nodes[at]
                }
                (Some(members), None) => members.others.as_ref().ok_or_else(no)?,
                (None, _) => &Node::Any,
            };
            object.next_value_seed(node)?;
        }
        let lacks = |members: &Members| {
            let mut both = members.required.iter().zip(seen);
            both.any(|(required, seen)| required & !seen != 0)
        };
        if said.is_some_and(lacks) {
            Err(no())
        } else {
            Ok(())
        }
    }
}

/// Reads a member's name: its place, or `None` for one that is not named.
struct Name<'n> {
    members: Option<&'n Members>,
    after: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        if name.starts_with(RESERVED) {
            return Err(no());
        }
        Ok(self.members.and_then(|it| it.place(name, self.after)))
    }
}
