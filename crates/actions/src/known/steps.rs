//! What steps make of what is known.

use std::collections::BTreeMap;

use weir_contract::rules::cel::types::Type;

use super::{Fields, Known};

/// What stands at a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup<'k> {
    /// This.
    Here(&'k Known),
    /// Perhaps something; the schema leaves it open.
    Perhaps,
    /// Nothing, in no record; these are there instead.
    Missing(Vec<&'k str>),
    /// A value without fields stands on the way.
    NoFields,
}

impl Known {
    /// What a path leads to; through lists to their elements.
    pub(crate) fn at(&self, path: &[Box<str>]) -> Lookup<'_> {
        let Some((name, rest)) = path.split_first() else {
            return Lookup::Here(self);
        };
        match self.present() {
            Self::Any => Lookup::Perhaps,
            Self::List(element) => element.at(path),
            Self::Map(value) => value.at(rest),
            Self::Record(fields) => match fields.fields.get(name.as_ref()) {
                Some(field) => field.at(rest),
                None if fields.open => Lookup::Perhaps,
                None => Lookup::Missing(fields.fields.keys().map(String::as_str).take(12).collect()),
            },
            Self::Plain(_) | Self::Maybe(_) => Lookup::NoFields,
        }
    }

    /// Changes what stands at a path: `None` takes it away. What is not there stays so.
    pub(crate) fn edit(&mut self, path: &[Box<str>], edit: &mut dyn FnMut(&Self) -> Option<Self>) {
        let Some((name, rest)) = path.split_first() else {
            return;
        };
        match self {
            Self::Maybe(inner) => inner.edit(path, edit),
            Self::List(element) => element.edit(path, edit),
            // One key of many: what is known of the others may no longer hold for it.
            Self::Map(value) => **value = Self::Any,
            Self::Record(fields) => {
                let Some(field) = fields.fields.get_mut(name.as_ref()) else {
                    return;
                };
                if rest.is_empty() {
                    match edit(field) {
                        Some(changed) => *field = changed,
                        None => {
                            fields.fields.remove(name.as_ref());
                        }
                    }
                } else {
                    field.edit(rest, edit);
                }
            }
            Self::Any | Self::Plain(_) => {}
        }
    }

    /// Puts a field into the record at a path, if there is one.
    pub(crate) fn put_beside(&mut self, parent: &[Box<str>], name: &str, found: Self) {
        match (self, parent.split_first()) {
            (Self::Maybe(inner) | Self::List(inner), _) => inner.put_beside(parent, name, found),
            (Self::Record(fields), None) => {
                fields.fields.insert(name.to_owned(), found);
            }
            (Self::Record(fields), Some((first, rest))) => {
                if let Some(field) = fields.fields.get_mut(first.as_ref()) {
                    field.put_beside(rest, name, found);
                }
            }
            (Self::Any | Self::Plain(_) | Self::Map(_), _) => {}
        }
    }

    /// Puts something at a path, making records on the way. False: what stands on the way has no fields.
    pub(crate) fn put(&mut self, path: &[Box<str>], found: Self) -> bool {
        let Some((name, rest)) = path.split_first() else {
            *self = found;
            return true;
        };
        match self {
            Self::Maybe(_) => {
                *self = self.present().clone();
                self.put(path, found)
            }
            Self::Any | Self::Plain(Type::Null) => {
                *self = Self::Record(Fields {
                    fields: BTreeMap::new(),
                    open: matches!(self, Self::Any),
                });
                self.put(path, found)
            }
            Self::Map(value) => {
                **value = Self::Any;
                true
            }
            Self::Record(fields) => {
                let fresh = Self::Record(Fields::default());
                let missing = if fields.open { Self::Any } else { fresh };
                let field = fields
                    .fields
                    .entry(String::from(name.as_ref()))
                    .or_insert(missing);
                field.put(rest, found)
            }
            Self::List(_) | Self::Plain(_) => false,
        }
    }

    /// The fields of some paths alone.
    pub(crate) fn only(&self, paths: &[crate::path::Path]) -> Self {
        let mut kept = Self::Record(Fields::default());
        for path in paths {
            kept.keep(self, path);
        }
        match self {
            // Something that is no record stays what it is.
            Self::Plain(_) => self.clone(),
            _ => kept,
        }
    }

    fn keep(&mut self, from: &Self, path: &[Box<str>]) {
        let Some((name, rest)) = path.split_first() else {
            *self = from.clone();
            return;
        };
        let Self::Record(fields) = self else { return };
        let below = match from.present() {
            Self::Record(from) => from.fields.get(name.as_ref()),
            Self::Map(value) => Some(value.as_ref()),
            _ => None,
        };
        // Through a list, or below what is not known, nothing is said.
        let (Some(below), false) = (below, matches!(from.present(), Self::List(_))) else {
            fields.fields.insert(String::from(name.as_ref()), Self::Any);
            return;
        };
        if rest.is_empty() {
            fields.fields.insert(String::from(name.as_ref()), below.clone());
        } else if let Self::Record(_) = below.present() {
            let fresh = Self::Record(Fields::default());
            let field = fields.fields.entry(String::from(name.as_ref())).or_insert(fresh);
            field.keep(below, rest);
        } else {
            fields.fields.insert(String::from(name.as_ref()), Self::Any);
        }
    }

    /// The fields of its fields as its own. `Err`: two of them have one name.
    pub(crate) fn flattened(&self, separator: &str, depth: usize) -> Result<Self, String> {
        let Self::Record(fields) = self else {
            return Ok(Self::Any);
        };
        let mut flat = Fields {
            fields: BTreeMap::new(),
            open: fields.open,
        };
        gather(fields, "", separator, depth, &mut flat)?;
        Ok(Self::Record(flat))
    }

    /// What a mask leaves of it, where it becomes a text.
    pub(crate) fn as_text(&self) -> Self {
        match self {
            Self::Any | Self::Record(_) | Self::Map(_) => Self::Any,
            Self::List(element) => Self::List(Box::new(element.as_text())),
            Self::Maybe(inner) => inner.as_text().maybe(),
            Self::Plain(Type::Null) => self.clone(),
            Self::Plain(_) => Self::Plain(Type::Text),
        }
    }
}

fn gather(
    fields: &Fields,
    before: &str,
    separator: &str,
    depth: usize,
    flat: &mut Fields,
) -> Result<(), String> {
    for (name, known) in &fields.fields {
        let name = format!("{before}{name}");
        match known.present() {
            Known::Record(inner) if depth > 0 && !matches!(known, Known::Maybe(_)) => {
                flat.open |= inner.open;
                gather(inner, &format!("{name}{separator}"), separator, depth - 1, flat)?;
            }
            Known::Record(inner) if depth > 0 => {
                // It may be null, and then stays under its own name.
                flat.open = true;
                gather(inner, &format!("{name}{separator}"), separator, depth - 1, flat)?;
            }
            Known::Map(_) | Known::Any if depth > 0 => flat.open = true,
            _ => {
                if flat.fields.insert(name.clone(), known.clone()).is_some() {
                    return Err(name);
                }
            }
        }
    }
    Ok(())
}
