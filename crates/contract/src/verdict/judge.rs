//! From bytes to a verdict: decode, validate, run the rules that run here, in their order.

use std::ops::ControlFlow;

use prost_reflect::MessageDescriptor;

use super::{Inner, Place, Reader, Violation, ViolationKind};
use crate::rules::cel::{Fault, Steps, evaluate};
use crate::rules::{Action, Compiled, EnableAt, Engine, Guarded, RuleKind, RuleMode};
use crate::value::{self, DecodeError, Leaf, Stopped, Value};

/// The first violation.
pub(super) fn first(inner: &Inner, indexes: &[u32], payload: &[u8], place: Place) -> Option<Violation> {
    let mut found = None;
    read(inner, indexes, payload, place, &mut |violation| {
        found = Some(violation);
        ControlFlow::Break(())
    });
    found
}

/// All violations.
pub(super) fn all(inner: &Inner, indexes: &[u32], payload: &[u8], place: Place) -> Vec<Violation> {
    let mut found = Vec::new();
    read(inner, indexes, payload, place, &mut |violation| {
        found.push(violation);
        ControlFlow::Continue(())
    });
    found
}

type Tell<'t> = dyn FnMut(Violation) -> ControlFlow<()> + 't;

fn read(inner: &Inner, indexes: &[u32], payload: &[u8], place: Place, tell: &mut Tell<'_>) {
    if payload.len() > inner.limits.payload_bytes {
        let reason = format!("the record is larger than {} bytes", inner.limits.payload_bytes);
        let _told = tell(undecodable(DecodeError {
            path: String::new(),
            reason,
        }));
        return;
    }
    let judged = Judged {
        inner,
        place,
        payload_bytes: payload.len(),
    };
    // Without rules, nobody wants the values.
    let well = !judged.has_rules()
        && match &inner.reader {
            Reader::Avro(_) => false,
            Reader::Json(reader) => reader.admits(payload),
            Reader::Protobuf { skim, .. } => skim.admits(indexes, payload),
        };
    if well {
        return;
    }
    let decoded = match &inner.reader {
        Reader::Avro(plan) => plan
            .decode(payload, inner.limits.depth, judged.has_rules())
            .map(|value| {
                judged.rules(&value, tell);
            }),
        Reader::Json(reader) => {
            value::json::decode(payload).map(|document| match reader.violation(&document, payload.len()) {
                Some(violation) => {
                    let _told = tell(violation);
                }
                None => judged.rules(&value::json::value(&document), tell),
            })
        }
        Reader::Protobuf { schema, first, .. } => message_of(schema, first, indexes)
            .and_then(|descriptor| value::protobuf::decode(&descriptor, payload))
            .map(|message| {
                if judged.has_rules() {
                    judged.rules(&value::protobuf::message(&message), tell);
                }
            }),
    };
    if let Err(error) = decoded {
        let _told = tell(undecodable(error));
    }
}

fn undecodable(error: DecodeError) -> Violation {
    Violation::of_schema(ViolationKind::NotDecodable, error.path, error.reason, None)
}

/// The message that indexes name: the first is one of the file, each other one within the one before.
pub(super) fn message_of(
    schema: &crate::protobuf::ProtobufSchema,
    first: &MessageDescriptor,
    indexes: &[u32],
) -> Result<MessageDescriptor, DecodeError> {
    let Some((top, within)) = indexes.split_first() else {
        return Ok(first.clone());
    };
    let missing = || DecodeError::new("", "the record names a message that its schema does not have");
    let file = schema.pool.get_file_by_name(&schema.file).ok_or_else(missing)?;
    let mut message = file.messages().nth(*top as usize).ok_or_else(missing)?;
    for index in within {
        let inner = message
            .child_messages()
            .nth(*index as usize)
            .ok_or_else(missing)?;
        message = inner;
    }
    Ok(message)
}

struct Judged<'j> {
    inner: &'j Inner,
    place: Place,
    payload_bytes: usize,
}

impl Judged<'_> {
    /// Whether a rule runs here: conditions at the gateway always, because clients may leave them out; nowhere if that
    /// is what the set says. Rules that change records run in clients only.
    fn runs(&self, rule: &Compiled) -> bool {
        let here = match (self.place, self.inner.enable_at) {
            (_, Some(EnableAt::None)) => false,
            (Place::Gateway, _) => true,
            (Place::Client, at) => matches!(at, None | Some(EnableAt::All | EnableAt::Client)),
            (Place::Processor, at) => !matches!(at, Some(EnableAt::Gateway)),
        };
        here && rule.kind == RuleKind::Condition && rule.mode.runs_in(self.place.mode())
    }

    fn has_rules(&self) -> bool {
        self.inner.rules.iter().any(|rule| self.runs(rule))
    }

    /// Rules in their order when writing, in the opposite one when reading.
    fn rules(&self, value: &Value<'_>, tell: &mut Tell<'_>) {
        let limits = &self.inner.limits;
        let mut left = limits.for_all(self.payload_bytes);
        let count = self.inner.rules.len();
        for index in 0..count {
            let index = if self.place.mode() == RuleMode::Read {
                count - 1 - index
            } else {
                index
            };
            let rule = &self.inner.rules[index];
            if !self.runs(rule) {
                continue;
            }
            let granted = limits.for_rule(self.payload_bytes).min(left);
            let mut steps = Steps::new(granted);
            let outcome = self.run(rule, value, &mut steps);
            left -= granted - steps.left();
            if let Some(violation) = self.judged(rule, outcome)
                && tell(violation).is_break()
            {
                return;
            }
        }
    }

    fn run(&self, rule: &Compiled, value: &Value<'_>, steps: &mut Steps) -> Outcome {
        match &rule.engine {
            Engine::Cel(guarded) => condition(guarded, &mut vec![value.clone()], steps),
            Engine::CelField(guarded) => self.fields(rule, guarded, value, steps),
            Engine::Foreign(rule_type) => Outcome::Unknown(rule_type.chars().take(80).collect()),
        }
    }

    fn fields(&self, rule: &Compiled, guarded: &Guarded, value: &Value<'_>, steps: &mut Steps) -> Outcome {
        let Some(fields) = &self.inner.fields else {
            return Outcome::Met;
        };
        let mut outcome = Outcome::Met;
        let walked = fields.walk(value, &mut |leaf| {
            if steps.charge(1).is_err() {
                outcome = Outcome::Costly;
                return Err(Stopped);
            }
            let Some(leaf) = leaf else { return Ok(()) };
            if !rule.tags.is_empty() && rule.tags.is_disjoint(leaf.tags) {
                return Ok(());
            }
            match field(guarded, &leaf, steps) {
                Outcome::Met => Ok(()),
                other => {
                    outcome = Outcome::At(leaf.full_name.to_owned(), Box::new(other));
                    Err(Stopped)
                }
            }
        });
        match (walked, outcome) {
            (Ok(()), _) => Outcome::Met,
            (Err(Stopped), outcome) => outcome,
        }
    }

    /// What follows from an outcome: nothing, or a violation with the rule's action.
    fn judged(&self, rule: &Compiled, outcome: Outcome) -> Option<Violation> {
        let when = usize::from(self.place.mode() == RuleMode::Read);
        let name = &rule.name;
        let (path, outcome) = match outcome {
            Outcome::At(path, inner) => (path, *inner),
            other => (String::new(), other),
        };
        let of = if path.is_empty() {
            String::new()
        } else {
            format!(" for `{path}`")
        };
        let (kind, reason, action) = match outcome {
            Outcome::Met => {
                let action = &rule.on_success[when];
                let reason = format!("rule `{name}` is met, and what it wants then is not NONE");
                (ViolationKind::Condition, reason, action)
            }
            Outcome::NotMet => {
                let reason = format!("rule `{name}` is not met{of}: {}", rule.told);
                (ViolationKind::Condition, reason, &rule.on_failure[when])
            }
            Outcome::Failed(position, reason) => {
                let reason = format!("rule `{name}` has no result{of}: {reason} ({position})");
                (ViolationKind::RuleError, reason, &rule.on_failure[when])
            }
            Outcome::Costly => {
                let reason = format!("rule `{name}` takes more steps than a record of this size may{of}");
                (ViolationKind::Cost, reason, &Action::Error)
            }
            Outcome::Unknown(rule_type) => {
                let reason = format!("rule `{name}` is of type {rule_type}, which is not executed here");
                (ViolationKind::UnknownRuleType, reason, &rule.on_failure[when])
            }
            Outcome::At(..) => return None,
        };
        if *action == Action::None {
            return None;
        }
        Some(Violation {
            rule: Some(name.clone()),
            kind,
            path,
            reason,
            action: action.clone(),
            detail: None,
        })
    }
}

/// What came of a rule.
enum Outcome {
    Met,
    NotMet,
    Failed(crate::error::Position, String),
    Costly,
    Unknown(String),
    /// At a field.
    At(String, Box<Outcome>),
}

fn field(guarded: &Guarded, leaf: &Leaf<'_, '_>, steps: &mut Steps) -> Outcome {
    if steps
        .charge(1 + leaf.tags.len() + leaf.full_name.len() / 16)
        .is_err()
    {
        return Outcome::Costly;
    }
    let tags = Value::list(leaf.tags.iter().map(|tag| Value::text(tag)).collect());
    let mut slots = vec![
        leaf.message.clone(),
        leaf.value.clone(),
        tags,
        Value::text(leaf.name),
        Value::text(leaf.type_name),
        Value::text(leaf.full_name),
    ];
    condition(guarded, &mut slots, steps)
}

/// `guard ; body`: a guard that is not true, or has no value, leaves the body out; a body that is not true is not met.
fn condition<'a>(guarded: &'a Guarded, slots: &mut Vec<Value<'a>>, steps: &mut Steps) -> Outcome {
    let count = slots.len();
    if let Some(guard) = &guarded.guard {
        match evaluate(guard, slots, steps) {
            Ok(Value::Bool(true)) => {}
            Err(Fault::Cost) => return Outcome::Costly,
            Ok(_) | Err(Fault::Failed { .. }) => return Outcome::Met,
        }
        slots.truncate(count);
    }
    match evaluate(&guarded.body, slots, steps) {
        Ok(Value::Bool(true)) => Outcome::Met,
        Ok(Value::Bool(false)) => Outcome::NotMet,
        Ok(other) => {
            let position = guarded.position(false, guarded.body.at);
            Outcome::Failed(
                position,
                format!("a condition is a bool, and this is {}", other.type_name()),
            )
        }
        Err(Fault::Cost) => Outcome::Costly,
        Err(Fault::Failed { at, reason }) => {
            Outcome::Failed(guarded.position(false, at), reason.into_owned())
        }
    }
}
