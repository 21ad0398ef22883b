//! From a spec to a plan, or to everything that is wrong with it.

mod call;
mod expression;
mod fields;
mod steps;

use std::sync::Arc;

use weir_contract::rules::cel::types::Type;

use crate::known::{Known, misfit};
use crate::limits::{OUTPUT_BYTES_MAX, SINKS_MAX, STEPS_MAX};
use crate::plan::{Inner, Input, KeyForm, Op, Plan, SinkPlan, ValueForm, Window, null_sink};
use crate::problem::{Problem, ProblemCode};
use crate::schema::Host;
use crate::spec::{ActionSpec, Encoding};

/// What is known so far, and what is wrong so far.
pub(crate) struct Compiler<'c> {
    spec: &'c ActionSpec,
    input: &'c Input,
    /// The record at this step.
    known: Known,
    problems: Vec<Problem>,
    /// The step, counted from 0.
    step: usize,
    sinks: Vec<SinkPlan>,
    used: Vec<bool>,
    window: Option<Window>,
    /// The `otherwise` of the last route.
    last_route: Option<Option<usize>>,
    /// A step from which on nobody knows which field carried a tag.
    moved_by: Option<(usize, &'static str)>,
    /// A step that calls.
    called: Option<usize>,
    calls: usize,
}

impl Plan {
    /// Compiles a spec for records of which `input` is known. `host` is asked for the newest schemas of sinks; secrets are not
    /// asked for.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the steps.
    pub fn compile(spec: &ActionSpec, input: Input, host: &dyn Host) -> Result<Self, Vec<Problem>> {
        let known = match &input.value {
            ValueForm::Json => Known::nothing(),
            ValueForm::Registered { newest, .. } => newest.known(),
        };
        let mut compiler = Compiler {
            spec,
            input: &input,
            known,
            problems: Vec::new(),
            step: 0,
            sinks: Vec::new(),
            used: Vec::new(),
            window: None,
            last_route: None,
            moved_by: None,
            called: None,
            calls: 0,
        };
        compiler.outline();
        let mut ops = Vec::new();
        for (step, wished) in spec.steps.iter().take(STEPS_MAX).enumerate() {
            compiler.step = step;
            if let Some(op) = compiler.compile_step(wished) {
                ops.push(op);
            }
        }
        compiler.routes(&ops);
        compiler.outputs(host);
        let Compiler {
            known,
            problems,
            sinks,
            window,
            last_route,
            ..
        } = compiler;
        if !problems.is_empty() {
            return Err(problems);
        }
        let only = (sinks.len() == 1).then_some(0);
        Ok(Self {
            inner: Arc::new(Inner {
                first_sink: if last_route.is_some() { None } else { only },
                null_sink: null_sink(spec.null_values, only, last_route),
                sinks,
                dead_letter_topic: spec.dead_letter_topic.clone(),
                output: known,
                window,
                reads_key: ops.iter().any(Op::reads_key),
                ops,
                input,
            }),
        })
    }
}

impl Compiler<'_> {
    /// A problem with a field of the step.
    pub(crate) fn problem(&mut self, code: ProblemCode, field: &str, message: impl Into<String>) {
        let word = self.spec.steps.get(self.step).map_or("", |step| step.word());
        let slash = if field.is_empty() { "" } else { "/" };
        let pointer = format!("/steps/{}/{word}{slash}{field}", self.step);
        self.problems
            .push(Problem::new(code, Some(self.step + 1), pointer, message));
    }

    /// Steps, sinks and topics, before anything is looked into.
    fn outline(&mut self) {
        let spec = self.spec;
        let mut problem = |code, pointer: String, message: String| {
            self.problems.push(Problem::new(code, None, pointer, message));
        };
        if spec.steps.len() > STEPS_MAX {
            problem(
                ProblemCode::TooLong,
                "/steps".to_owned(),
                format!(
                    "There are {} steps, and {STEPS_MAX} are allowed; split the job.",
                    spec.steps.len()
                ),
            );
        }
        if spec.sinks.is_empty() || spec.sinks.len() > SINKS_MAX {
            problem(
                if spec.sinks.is_empty() {
                    ProblemCode::Missing
                } else {
                    ProblemCode::TooLong
                },
                "/sinks".to_owned(),
                format!("A job has 1 to {SINKS_MAX} sinks; name the topics where records go."),
            );
        }
        for (name, sink) in &spec.sinks {
            let at = format!("/sinks/{}", escaped(name));
            if !is_name(name, 64) {
                let message = "The name of a sink is 1 to 64 letters, digits, points, _ and -.";
                problem(ProblemCode::BadName, at.clone(), message.to_owned());
            }
            if !is_name(&sink.topic, 249) {
                let message = "A topic's name is 1 to 249 letters, digits, points, _ and -.";
                problem(ProblemCode::BadName, format!("{at}/topic"), message.to_owned());
            }
            if sink
                .value_bytes_max
                .is_some_and(|bytes| bytes == 0 || bytes > OUTPUT_BYTES_MAX)
            {
                let message = format!("Choose 1 to {OUTPUT_BYTES_MAX} bytes.");
                problem(ProblemCode::OutOfRange, format!("{at}/value_bytes_max"), message);
            }
        }
        if spec
            .dead_letter_topic
            .as_ref()
            .is_some_and(|topic| !is_name(topic, 249))
        {
            let message = "A topic's name is 1 to 249 letters, digits, points, _ and -.";
            problem(
                ProblemCode::BadName,
                "/dead_letter_topic".to_owned(),
                message.to_owned(),
            );
        }
        let sinks = spec.sinks.iter().take(SINKS_MAX);
        self.sinks = sinks.map(|(name, sink)| SinkPlan::new(name, sink)).collect();
        self.used = vec![false; self.sinks.len()];
    }

    /// The place of a sink, which is used from now on.
    pub(crate) fn sink(&mut self, name: &str, field: &str) -> Option<usize> {
        let found = self.sinks.iter().position(|sink| sink.name.as_ref() == name);
        match found {
            Some(place) => self.used[place] = true,
            None => {
                let names: Vec<&str> = self.sinks.iter().map(|sink| sink.name.as_ref()).collect();
                let message = format!("There is no such sink; there are {}.", names.join(", "));
                self.problem(ProblemCode::UnknownSink, field, message);
            }
        }
        found
    }

    /// Whether every sink is gone to, and it is always clear to which.
    fn routes(&mut self, ops: &[Op]) {
        let by_expression = ops.iter().any(|op| matches!(op, Op::RouteBy(..)));
        if self.last_route.is_none() && self.sinks.len() > 1 {
            let message = "There are several sinks and no step that chooses; add a route, or leave one sink.";
            self.problems
                .push(Problem::new(ProblemCode::NeedsRoute, None, "/sinks", message));
        } else if self.last_route.is_some() && !by_expression {
            let unused = self.sinks.iter().zip(&self.used).filter(|(_sink, used)| !**used);
            for (sink, _used) in unused {
                let pointer = format!("/sinks/{}", escaped(&sink.name));
                let message = "No route leads to this sink; name it in a route or remove it.";
                self.problems
                    .push(Problem::new(ProblemCode::UnusedSink, None, pointer, message));
            }
        }
    }

    /// Whether what comes out fits the schemas of the sinks.
    fn outputs(&mut self, host: &dyn Host) {
        // Records that no step changes are passed on as they are, and those whose fields keep their types keep their schema.
        let own = match &self.input.value {
            ValueForm::Json => None,
            ValueForm::Registered { newest, .. } => Some(newest.known()),
        };
        let keeps = self.spec.steps.iter().all(|step| !step.changes()) || own.as_ref() == Some(&self.known);
        for sink in &self.sinks {
            let pointer = format!("/sinks/{}", escaped(&sink.name));
            let newest = host.newest(&sink.topic);
            let mut problem = |message: String| {
                self.problems.push(Problem::new(
                    ProblemCode::UnfitOutput,
                    None,
                    pointer.clone(),
                    message,
                ));
            };
            match (sink.encoding, newest, &self.input.value) {
                (Encoding::Json, ..) => {}
                (Encoding::Contract, None, _) => problem(
                    "The sink's topic has no schema to write by; register one, or choose another encoding."
                        .to_owned(),
                ),
                (Encoding::Keep, ..) if keeps => {}
                (Encoding::Keep, _, ValueForm::Json) | (Encoding::Keep, None, _) => {}
                (_, Some(newest), _) => {
                    if let Some(message) =
                        misfit(&self.known, &newest.known(), newest.format(), &newest.required)
                    {
                        problem(message);
                    }
                }
            }
        }
    }

    /// What `key` is.
    pub(crate) const fn key_type(&self) -> Type {
        match self.input.key {
            KeyForm::Bytes => Type::Bytes,
            KeyForm::Text | KeyForm::Json | KeyForm::Registered => Type::Any,
        }
    }
}

/// Letters, digits, points, `_` and `-`: what Kafka allows in names of topics.
pub(crate) fn is_name(name: &str, characters_max: usize) -> bool {
    let plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= characters_max && name.bytes().all(plain) && !matches!(name, "." | "..")
}

/// A name in a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.chars()
        .take(200)
        .collect::<String>()
        .replace('~', "~0")
        .replace('/', "~1")
}
