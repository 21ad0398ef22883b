//! A record on its way through the steps.

use weir_contract::rules::cel::{Steps, evaluate};
use weir_contract::value::{Key, Map, Text, Timestamp, Value};
use weir_contract::verdict::Place;

use super::outcome::{DeadLetterCode as Code, Outcome, Record, Stop};
use super::read::Frame;
use super::steps::{flattened, put};
use super::{Until, keys, mask};
use crate::call::{Request, build};
use crate::frozen::measure;
use crate::path::Path;
use crate::plan::{Expression, Inner, Op};
use crate::schema::{Host, Unwritten};
use crate::seen::Seen;
use crate::tree::Edit;

/// The bits of the variables of which a value is made for each record.
const HEADERS: u16 = 1 << 2;

pub(super) struct Turn<'a> {
    pub inner: &'a Inner,
    pub record: &'a Record<'a>,
    pub frame: &'a Frame,
    /// The payload as it came, behind its frame; not there any more after a call.
    pub body: Option<&'a [u8]>,
    pub value: Value<'a>,
    pub key: Value<'a>,
    pub headers: Option<Value<'a>>,
    /// Whether a step changed the value.
    pub changed: bool,
    pub sink: Option<usize>,
    pub steps: Steps,
    pub slots: Vec<Value<'a>>,
    pub host: &'a dyn Host,
    /// Not there after a call: what deduplicates stands before.
    pub seen: Option<&'a mut Seen>,
}

/// Where a turn ends.
pub(super) enum Ended {
    Outcome(Outcome),
    /// At a step that calls.
    Call(usize, Request),
}

impl<'a> Turn<'a> {
    /// All steps from one on.
    pub fn run(&mut self, from: usize, until: Until) -> Ended {
        let inner = self.inner;
        for (at, op) in inner.ops.iter().enumerate().skip(from) {
            if let Op::Call(call) = op {
                let message = self.value.clone();
                let built = build(at + 1, call, &message, &mut |expression| {
                    self.evaluate(expression, None)
                });
                return match built {
                    Ok(request) => Ended::Call(at, request),
                    Err(stop) => Ended::Outcome(stop.outcome(Some(at + 1))),
                };
            }
            if let Err(stop) = self.step(op) {
                return Ended::Outcome(stop.outcome(Some(at + 1)));
            }
            if until == Until::Seen && matches!(op, Op::Deduplicate(_)) {
                return Ended::Outcome(Outcome::Dropped { step: Some(at + 1) });
            }
        }
        Ended::Outcome(self.emit().unwrap_or_else(|stop| stop.outcome(None)))
    }

    fn step(&mut self, op: &'a Op) -> Result<(), Stop> {
        match op {
            Op::Filter(condition) => match self.evaluate(condition, None)? {
                Value::Bool(true) => Ok(()),
                Value::Bool(false) => Err(Stop::Dropped),
                other => Err(wrong_type("a bool", &other)),
            },
            Op::Project(tree) => {
                let kept = tree.only(&self.value, &mut self.steps);
                self.change(kept.map_err(|fault| Stop::of(fault, None))?)
            }
            Op::Drop(tree) => {
                let kept = tree.edit(&self.value, &mut self.steps, &mut |_at, _value, _steps| {
                    Ok(Edit::Gone)
                });
                self.change(kept.map_err(|fault| Stop::of(fault, None))?)
            }
            Op::Rename(tree, names) => {
                let renamed = tree.edit(&self.value, &mut self.steps, &mut |at, _value, _steps| {
                    Ok(Edit::Name(&names[at]))
                });
                let exists = |_fault| {
                    let sentence = "A field of the new name is there already.".to_owned();
                    Stop::Dead(Code::FieldExists, sentence)
                };
                let renamed = renamed.map_err(|fault| match fault {
                    weir_contract::rules::cel::Fault::Cost => Stop::of(fault, None),
                    failed => exists(failed),
                })?;
                self.change(renamed)
            }
            Op::Mask(masked, how) => {
                let masked = mask::apply(masked, how, &self.value, self.frame, self.host, &mut self.steps)?;
                self.change(masked)
            }
            Op::Cast(tree, expressions) => self.cast(tree, expressions),
            Op::Set(fields) => self.set(fields, None),
            Op::Flatten { separator, depth } => {
                let flat = flattened(&self.value, separator, *depth, &mut self.steps)?;
                self.change(flat)
            }
            Op::RouteBy(by, otherwise) => self.route_by(by, *otherwise),
            Op::Route(rules, otherwise) => self.route(rules, *otherwise),
            Op::Deduplicate(paths) => self.deduplicate(paths),
            Op::Validate => self.validate(),
            // Told by `run` before.
            Op::Call(_) => Ok(()),
        }
    }

    fn change(&mut self, value: Value<'a>) -> Result<(), Stop> {
        self.value = value;
        self.changed = true;
        Ok(())
    }

    /// The value of an expression; `answer` is what came of a call, with its status.
    pub fn evaluate(
        &mut self,
        expression: &'a Expression,
        answer: Option<(&Value<'a>, u16)>,
    ) -> Result<Value<'a>, Stop> {
        let headers = if expression.uses & HEADERS == 0 {
            Value::Null
        } else {
            self.headers()
        };
        let record = self.record;
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        slots.extend([
            self.value.clone(),
            self.key.clone(),
            headers,
            Value::Timestamp(Timestamp::from_units(record.timestamp_ms, 1000)),
            Value::Int(record.partition.into()),
            Value::Int(record.offset),
            Value::text(record.topic),
        ]);
        if let Some((response, status)) = answer {
            slots.extend([response.clone(), Value::Int(status.into())]);
        }
        let found = evaluate(&expression.expr, &mut slots, &mut self.steps);
        self.slots = slots;
        found.map_err(|fault| Stop::of(fault, Some(expression)))
    }

    /// Headers by name, texts where they are UTF-8. Of several with one name the last holds.
    fn headers(&mut self) -> Value<'a> {
        let record = self.record;
        let made = self.headers.get_or_insert_with(|| {
            let entries = record.headers.iter().map(|header| {
                let value = header.value.map_or(Value::Null, |bytes| {
                    std::str::from_utf8(bytes).map_or(Value::bytes(bytes), Value::text)
                });
                (Key::Text(Text::Borrowed(header.name)), value)
            });
            Value::Map(Map::of(entries.collect()))
        });
        made.clone()
    }

    fn cast(&mut self, tree: &'a crate::tree::Tree, expressions: &'a [Expression]) -> Result<(), Stop> {
        let mut failed = None;
        let cast = tree.edit(&self.value, &mut self.steps, &mut |at, value, steps| {
            if matches!(value, Value::Null) {
                return Ok(Edit::Value(value, true));
            }
            let expression = &expressions[at];
            evaluate(&expression.expr, &mut vec![value], steps)
                .map(|value| Edit::Value(value, false))
                .inspect_err(|_fault| failed = Some(at))
        });
        let cast = cast.map_err(|fault| Stop::of(fault, failed.map(|at| &expressions[at])))?;
        self.change(cast)
    }

    /// Expressions by paths; all see the record as it was.
    fn set(
        &mut self,
        fields: &'a [(Path, Expression)],
        answer: Option<(&Value<'a>, u16)>,
    ) -> Result<(), Stop> {
        let mut values = Vec::with_capacity(fields.len());
        for (_path, expression) in fields {
            values.push(self.evaluate(expression, answer)?);
        }
        let mut changed = self.value.clone();
        for ((path, _expression), value) in fields.iter().zip(values) {
            measure(&value, &mut self.steps).map_err(|fault| Stop::of(fault, None))?;
            changed = put(&changed, path, value, &mut self.steps)?;
        }
        self.change(changed)
    }

    /// What a call answered is put into its fields.
    pub fn answered(
        &mut self,
        fields: &'a [(Path, Expression)],
        response: &Value<'a>,
        status: u16,
    ) -> Result<(), Stop> {
        self.set(fields, Some((response, status)))
    }

    fn route_by(&mut self, by: &'a Expression, otherwise: Option<usize>) -> Result<(), Stop> {
        let chosen = match self.evaluate(by, None)? {
            Value::Text(name) => name,
            other => return Err(wrong_type("a string", &other)),
        };
        let found = self
            .inner
            .sinks
            .iter()
            .position(|sink| sink.name.as_ref() == chosen.as_str());
        self.sink = found.or(otherwise);
        if self.sink.is_none() {
            let sentence = "The expression names no sink of the job, and there is no `otherwise`.".to_owned();
            return Err(Stop::Dead(Code::UnknownSink, sentence));
        }
        Ok(())
    }

    fn route(&mut self, rules: &'a [(Expression, usize)], otherwise: Option<usize>) -> Result<(), Stop> {
        for (condition, to) in rules {
            match self.evaluate(condition, None)? {
                Value::Bool(true) => {
                    self.sink = Some(*to);
                    return Ok(());
                }
                Value::Bool(false) => {}
                other => return Err(wrong_type("a bool", &other)),
            }
        }
        self.sink = otherwise;
        if otherwise.is_none() {
            return Err(Stop::Dropped);
        }
        Ok(())
    }

    fn deduplicate(&mut self, paths: &[Path]) -> Result<(), Stop> {
        let key = keys::of(paths, &self.value, self.record, &mut self.steps)?;
        let (Some(key), Some(seen)) = (key, self.seen.as_mut()) else {
            return Ok(());
        };
        if seen.look(key, self.record.timestamp_ms, self.record.offset) {
            return Err(Stop::Dropped);
        }
        Ok(())
    }

    fn validate(&mut self) -> Result<(), Stop> {
        let Some(registered) = &self.frame.registered else {
            return Ok(());
        };
        let indexes = &self.frame.indexes;
        let written;
        let payload = match self.body.filter(|_body| !self.changed) {
            Some(body) => body,
            None => {
                let bytes_max = crate::limits::OUTPUT_BYTES_MAX;
                let fit = weir_contract::record::Fit::Exact;
                written =
                    registered
                        .write(indexes, &self.value, fit, bytes_max)
                        .map_err(|error| match error {
                            Unwritten::Unfit(reason) => {
                                let sentence =
                                    format!("The value as the steps made it is not of its schema: {reason}.");
                                Stop::Dead(Code::Contract, sentence)
                            }
                            Unwritten::TooLarge(reason) => {
                                Stop::Dead(Code::OutputTooLarge, format!("The value is too large: {reason}."))
                            }
                        })?;
                &written
            }
        };
        let verdict = registered
            .contract()
            .judge_message(indexes, payload, Place::Processor);
        match verdict.violation() {
            None => Ok(()),
            Some(violation) => {
                let sentence = format!("{}: {}.", violation.kind.as_str(), violation.reason);
                Err(Stop::Dead(Code::Contract, sentence))
            }
        }
    }
}

fn wrong_type(wanted: &str, found: &Value<'_>) -> Stop {
    let sentence = format!(
        "The expression is {wanted} for every good record, and here it is {}.",
        found.type_name()
    );
    Stop::Dead(Code::Expression, sentence)
}
