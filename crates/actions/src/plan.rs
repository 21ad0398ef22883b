//! A spec, compiled: what runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_contract::Format;
use weir_contract::Position;
use weir_contract::rules::cel::ast::Expr;

use crate::call::CallPlan;
use crate::known::{Column, Known};
use crate::limits::OUTPUT_BYTES_MAX;
use crate::path::Path;
use crate::schema::Registered;
use crate::seen::Seen;
use crate::spec::{Encoding, MaskHow, NullValues};
use crate::tree::Tree;

/// What is known of the records of a source.
#[derive(Debug, Clone)]
pub struct Input {
    /// Of values.
    pub value: ValueForm,
    /// Of keys.
    pub key: KeyForm,
}

/// What values are.
#[derive(Debug, Clone)]
pub enum ValueForm {
    /// JSON, of which no schema is known.
    Json,
    /// Records of a registry's schemas. What steps are checked against is the newest.
    Registered {
        /// The newest schema.
        newest: Arc<Registered>,
        /// Whether a record without a frame is JSON of the newest schema.
        unframed: bool,
    },
}

/// What `key` is in expressions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyForm {
    /// A text if the key is UTF-8, else bytes.
    #[default]
    Text,
    /// Bytes.
    Bytes,
    /// JSON.
    Json,
    /// A record of a registry's schemas.
    Registered,
}

/// A spec, ready to run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub ops: Vec<Op>,
    pub sinks: Vec<SinkPlan>,
    /// The sink of a record for which no step chooses.
    pub first_sink: Option<usize>,
    /// Where records without a value go; `None`: they are dropped.
    pub null_sink: Option<usize>,
    pub input: Input,
    pub dead_letter_topic: Option<String>,
    pub output: Known,
    /// What the deduplicating step remembers, if there is one.
    pub window: Option<Window>,
    /// Whether an expression names `key`.
    pub reads_key: bool,
}

/// What a deduplicating step remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub window_ms: i64,
    pub keys_max: usize,
}

#[derive(Debug)]
pub(crate) struct SinkPlan {
    pub name: Arc<str>,
    pub topic: String,
    pub encoding: Encoding,
    pub value_bytes_max: usize,
}

/// The bit of `key` in [`Expression::uses`].
pub(crate) const KEY: u16 = 1 << 1;

/// An expression, ready to run.
#[derive(Debug)]
pub(crate) struct Expression {
    pub expr: Expr,
    text: String,
    /// Which variables it names, by their places.
    pub uses: u16,
}

impl Expression {
    pub const fn new(expr: Expr, text: String, uses: u16) -> Self {
        Self { expr, text, uses }
    }

    /// Whether it names `key`.
    pub const fn reads_key(&self) -> bool {
        self.uses & KEY != 0
    }

    /// The place of a byte.
    pub fn position(&self, at: usize) -> Position {
        Position::of(&self.text, at)
    }
}

/// A step, ready to run.
#[derive(Debug)]
pub(crate) enum Op {
    Filter(Expression),
    Project(Tree),
    Drop(Tree),
    Rename(Tree, Vec<Box<str>>),
    Mask(Masked, MaskHow),
    Cast(Tree, Vec<Expression>),
    Set(Vec<(Path, Expression)>),
    Flatten {
        separator: String,
        depth: usize,
    },
    RouteBy(Expression, Option<usize>),
    Route(Vec<(Expression, usize)>, Option<usize>),
    /// By the values at these paths; by the record's key if there are none.
    Deduplicate(Vec<Path>),
    Validate,
    Call(Box<CallPlan>),
}

/// What a mask is about.
#[derive(Debug)]
pub(crate) enum Masked {
    Fields(Tree),
    Tags(BTreeSet<String>),
}

impl Op {
    /// Whether an expression names `key`.
    pub fn reads_key(&self) -> bool {
        match self {
            Self::Filter(one) | Self::RouteBy(one, _) => one.reads_key(),
            Self::Set(many) => many.iter().any(|(_path, one)| one.reads_key()),
            Self::Route(many, _) => many.iter().any(|(one, _sink)| one.reads_key()),
            Self::Call(call) => call.expressions().any(Expression::reads_key),
            Self::Project(_)
            | Self::Drop(_)
            | Self::Rename(..)
            | Self::Mask(..)
            | Self::Cast(..)
            | Self::Flatten { .. }
            | Self::Deduplicate(_)
            | Self::Validate => false,
        }
    }
}

impl Plan {
    /// The columns of what comes out, as far as they are known; the same for every sink.
    pub fn columns(&self) -> Vec<Column> {
        self.inner.output.columns()
    }

    /// What is known of what comes out.
    pub fn output(&self) -> &Known {
        &self.inner.output
    }

    /// The formats that can hold what comes out.
    pub fn formats(&self) -> Vec<Format> {
        self.inner.output.formats()
    }

    /// The topic of dead letters.
    pub fn dead_letter_topic(&self) -> Option<&str> {
        self.inner.dead_letter_topic.as_deref()
    }

    /// The topic of a sink.
    pub fn topic(&self, sink: &str) -> Option<&str> {
        let found = self.inner.sinks.iter().find(|it| it.name.as_ref() == sink);
        found.map(|it| it.topic.as_str())
    }

    /// How many calls may be made at the same time: the least of all steps that call; `None` without one.
    pub fn concurrency(&self) -> Option<u32> {
        self.calls().map(|call| call.concurrency).min()
    }

    /// The window of the deduplicating step in milliseconds, if there is one: what [`learn`](Self::learn) must be told again after a
    /// crash.
    pub fn window_ms(&self) -> Option<i64> {
        self.inner.window.map(|it| it.window_ms)
    }

    /// What the deduplicating step remembers of a partition of which it has seen nothing yet.
    pub fn seen(&self) -> Seen {
        Seen::new(self.inner.window.unwrap_or(Window {
            window_ms: 0,
            keys_max: 0,
        }))
    }

    /// The references of all secrets that the plan uses.
    pub fn secrets(&self) -> BTreeSet<&str> {
        let hashes = self.inner.ops.iter().filter_map(|op| match op {
            Op::Mask(_, MaskHow::Hash { key }) => Some(key.as_str()),
            _ => None,
        });
        let sent = self.calls().filter_map(|call| call.secret.as_ref());
        hashes
            .chain(sent.map(|secret| secret.reference.as_str()))
            .collect()
    }

    /// The addresses of all endpoints that the plan calls.
    pub fn urls(&self) -> BTreeSet<&str> {
        self.calls().map(|call| call.url.as_str()).collect()
    }

    fn calls(&self) -> impl Iterator<Item = &CallPlan> {
        self.inner.ops.iter().filter_map(|op| match op {
            Op::Call(call) => Some(call.as_ref()),
            _ => None,
        })
    }
}

impl SinkPlan {
    pub fn new(name: &str, sink: &crate::spec::Sink) -> Self {
        Self {
            name: name.into(),
            topic: sink.topic.clone(),
            encoding: sink.encoding,
            value_bytes_max: sink
                .value_bytes_max
                .unwrap_or(OUTPUT_BYTES_MAX)
                .min(OUTPUT_BYTES_MAX),
        }
    }
}

/// Where records without a value go.
pub(crate) const fn null_sink(
    policy: NullValues,
    only: Option<usize>,
    last_route: Option<Option<usize>>,
) -> Option<usize> {
    match (policy, last_route) {
        (NullValues::Drop, _) => None,
        (NullValues::Pass, Some(otherwise)) => otherwise,
        (NullValues::Pass, None) => only,
    }
}
