//! The macros: `all`, `exists`, `exists_one`, `map`, `filter`.

use super::ast::{Loop, Macro};
use super::eval::{Fault, Machine};
use crate::value::{List, Map, Value};

/// What a loop goes over; the keys of a map.
enum Range<'a> {
    List(List<'a>),
    Map(Map<'a>),
}

impl<'a> Range<'a> {
    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Map(map) => map.len(),
        }
    }

    /// The elements. The keys of a JSON object are gathered once: reaching one by its position would begin anew each time.
    fn elements(self) -> Box<dyn Iterator<Item = Value<'a>> + 'a> {
        match self {
            Self::List(list) => Box::new((0..list.len()).filter_map(move |index| list.get(index))),
            Self::Map(Map::Json(map)) => Box::new(map.keys().map(|key| Value::text(key))),
            Self::Map(map) => {
                Box::new((0..map.len()).filter_map(move |index| map.key_at(index).map(|key| key.value())))
            }
        }
    }
}

impl<'a> Machine<'_, 'a> {
    pub(super) fn over(&mut self, inner: &'a Loop) -> Result<Value<'a>, Fault> {
        let range = match self.eval(&inner.range)? {
            Value::List(list) => Range::List(list),
            Value::Map(map) => Range::Map(map),
            other => {
                return Err(Fault::new(
                    inner.range.at,
                    format!("{} cannot be gone through", other.type_name()),
                ));
            }
        };
        let length = range.len();
        self.slots.truncate(inner.slot);
        self.slots.push(Value::Null);
        let result = match inner.kind {
            Macro::All => self.quantified(inner, range, false),
            Macro::Exists => self.quantified(inner, range, true),
            Macro::ExistsOne => self.exactly_one(inner, range),
            Macro::Map | Macro::Filter => self.collected(inner, range, length),
        };
        self.slots.truncate(inner.slot);
        result
    }

    fn bind(&mut self, inner: &Loop, element: Value<'a>) -> Result<(), Fault> {
        self.steps.charge(1)?;
        // What an inner loop left has gone: it truncates to its own place.
        if let Some(slot) = self.slots.get_mut(inner.slot) {
            *slot = element;
        }
        Ok(())
    }

    /// An element that decides does so even when another one fails.
    fn quantified(&mut self, inner: &'a Loop, range: Range<'a>, decides: bool) -> Result<Value<'a>, Fault> {
        let mut failed = None;
        for element in range.elements() {
            self.bind(inner, element)?;
            match self.bool(&inner.body) {
                Ok(truth) if truth == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(Fault::Cost) => return Err(Fault::Cost),
                Err(fault) => failed = failed.or(Some(fault)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn exactly_one(&mut self, inner: &'a Loop, range: Range<'a>) -> Result<Value<'a>, Fault> {
        let mut count = 0_usize;
        for element in range.elements() {
            self.bind(inner, element)?;
            count += usize::from(self.bool(&inner.body)?);
        }
        Ok(Value::Bool(count == 1))
    }

    fn collected(&mut self, inner: &'a Loop, range: Range<'a>, length: usize) -> Result<Value<'a>, Fault> {
        let mut list = Vec::with_capacity(length.min(self.steps.left()).min(1024));
        for element in range.elements() {
            self.bind(inner, element.clone())?;
            match inner.kind {
                Macro::Filter => {
                    if self.bool(&inner.body)? {
                        list.push(element);
                    }
                }
                _ => {
                    let wanted = inner
                        .filter
                        .as_ref()
                        .map_or(Ok(true), |filter| self.bool(filter))?;
                    if wanted {
                        list.push(self.eval(&inner.body)?);
                    }
                }
            }
        }
        Ok(Value::list(list))
    }
}
