//! One record through a plan.

mod keys;
mod mask;
mod outcome;
mod read;
mod steps;
mod turn;
mod write;

use std::fmt;
use std::sync::Arc;

use weir_contract::rules::cel::Steps;
use weir_contract::value::json;

pub(crate) use outcome::Stop;
pub use outcome::{DeadLetterCode, Header, Outcome, OwnedHeader, Part, Record};

use crate::call::{Answer, Request, Verdict, judge};
use crate::frozen::Frozen;
use crate::limits::{COST_BASE, COST_PER_BYTE, PAYLOAD_BYTES_MAX};
use crate::plan::{Inner, Op, Plan};
use crate::schema::Host;
use crate::seen::Seen;
use outcome::OwnedRecord;
use read::Frame;
use turn::{Ended, Turn};

/// What follows.
#[derive(Debug)]
pub enum Next {
    /// This came of the record.
    Done(Outcome),
    /// A request is to be made. Its answer is handed to the second part.
    Call(Box<Request>, Box<Suspended>),
}

/// A record that waits for an answer. It owns what it needs and can go to another thread.
pub struct Suspended {
    inner: Arc<Inner>,
    /// The step that called.
    at: usize,
    record: OwnedRecord,
    frame: Frame,
    value: Frozen,
    changed: bool,
    sink: Option<usize>,
    steps_left: usize,
    request: Request,
}

impl fmt::Debug for Suspended {
    /// Without what the record holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suspended")
            .field("step", &(self.at + 1))
            .field("attempt", &self.request.attempt)
            .finish_non_exhaustive()
    }
}

/// How far a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// To its outcome.
    Outcome,
    /// To the deduplicating step.
    Seen,
}

impl Plan {
    /// What comes of a record. `seen` is that of the record's partition; `host` is asked for schemas and hashes.
    pub fn begin(&self, record: &Record<'_>, seen: &mut Seen, host: &dyn Host) -> Next {
        self.start(record, seen, host, Until::Outcome)
    }

    /// Tells the deduplicating step of a record whose outcome is of the past, so that what it remembers can be rebuilt.
    /// Nothing is called: a step that calls stands behind it.
    pub fn learn(&self, record: &Record<'_>, seen: &mut Seen, host: &dyn Host) {
        if self.inner.window.is_some() {
            let _outcome = self.start(record, seen, host, Until::Seen);
        }
    }

    fn start(&self, record: &Record<'_>, seen: &mut Seen, host: &dyn Host, until: Until) -> Next {
        let inner = &self.inner;
        let Some(payload) = record.value else {
            return Next::Done(match inner.null_sink {
                Some(sink) => Outcome::unchanged(&inner.sinks[sink].name),
                None => Outcome::Dropped { step: None },
            });
        };
        let key_bytes = record.key.map_or(0, <[u8]>::len);
        if payload.len() > PAYLOAD_BYTES_MAX || key_bytes > PAYLOAD_BYTES_MAX {
            let sentence = format!("The record is larger than {PAYLOAD_BYTES_MAX} bytes.");
            return dead(None, DeadLetterCode::TooLarge, sentence);
        }
        let steps = Steps::new(COST_BASE + COST_PER_BYTE * (payload.len() + key_bytes));
        let (frame, body) = match read::frame(&inner.input, record, payload, host) {
            Ok(found) => found,
            Err(stop) => return stopped(None, stop),
        };
        let document = match frame.read(body) {
            Ok(document) => document,
            Err(stop) => return stopped(None, stop),
        };
        let value = match frame.value(document.as_ref(), body) {
            Ok(value) => value,
            Err(stop) => return stopped(None, stop),
        };
        let key = match read::key(inner, record, host) {
            Ok(key) => key,
            Err(stop) => return stopped(None, stop),
        };
        let key_value = match key.value() {
            Ok(value) => value,
            Err(stop) => return stopped(None, stop),
        };
        let mut turn = Turn {
            inner,
            record,
            frame: &frame,
            body: Some(body),
            value,
            key: key_value,
            headers: None,
            changed: false,
            sink: inner.first_sink,
            steps,
            slots: Vec::new(),
            host,
            seen: Some(seen),
        };
        let ended = turn.run(0, until);
        self.after(ended, &mut turn)
    }

    /// An outcome, or a record that waits.
    fn after(&self, ended: Ended, turn: &mut Turn<'_>) -> Next {
        let (at, request) = match ended {
            Ended::Outcome(outcome) => return Next::Done(outcome),
            Ended::Call(at, request) => (at, request),
        };
        let value = match Frozen::of(&turn.value, &mut turn.steps) {
            Ok(value) => value,
            Err(fault) => return stopped(Some(at + 1), Stop::of(fault, None)),
        };
        let suspended = Suspended {
            inner: Arc::clone(&self.inner),
            at,
            record: OwnedRecord::of(turn.record),
            frame: turn.frame.clone(),
            value,
            changed: turn.changed,
            sink: turn.sink,
            steps_left: turn.steps.left(),
            request: request.clone(),
        };
        Next::Call(Box::new(request), Box::new(suspended))
    }
}

impl Suspended {
    /// Goes on with what came of the request: to an outcome, to the next request, or to the same one again.
    pub fn resume(self: Box<Self>, answer: &Answer, host: &dyn Host) -> Next {
        let plan = Plan {
            inner: Arc::clone(&self.inner),
        };
        let step = Some(self.at + 1);
        let Some(Op::Call(call)) = plan.inner.ops.get(self.at) else {
            return dead(
                step,
                DeadLetterCode::BadRequest,
                "The step does not call.".to_owned(),
            );
        };
        let (response, status) = match judge(call, answer, self.request.attempt) {
            Verdict::Answered(response, status) => (response, status),
            Verdict::Failed(code, sentence) => return dead(step, code, sentence),
            Verdict::Again(wait_ms) => {
                let mut again = self;
                again.request.attempt += 1;
                again.request.wait_ms = wait_ms;
                return Next::Call(Box::new(again.request.clone()), again);
            }
        };
        let headers = self.record.headers();
        let record = self.record.borrowed(&headers);
        let key = match read::key(&plan.inner, &record, host) {
            Ok(key) => key,
            Err(stop) => return stopped(None, stop),
        };
        let key_value = match key.value() {
            Ok(value) => value,
            Err(stop) => return stopped(None, stop),
        };
        let response = json::value(&response);
        let mut turn = Turn {
            inner: &plan.inner,
            record: &record,
            frame: &self.frame,
            body: None,
            value: self.value.value(),
            key: key_value,
            headers: None,
            changed: self.changed,
            sink: self.sink,
            steps: Steps::new(self.steps_left + COST_PER_BYTE * answer.bytes()),
            slots: Vec::new(),
            host,
            seen: None,
        };
        if let Err(stop) = turn.answered(&call.set, &response, status) {
            return stopped(step, stop);
        }
        let ended = turn.run(self.at + 1, Until::Outcome);
        plan.after(ended, &mut turn)
    }
}

fn dead(step: Option<usize>, code: DeadLetterCode, sentence: String) -> Next {
    Next::Done(Outcome::DeadLetter { step, code, sentence })
}

fn stopped(step: Option<usize>, stop: Stop) -> Next {
    Next::Done(stop.outcome(step))
}
