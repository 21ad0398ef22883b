//! Each step: what is wrong with it, what runs, and what is known after it.

use std::collections::{BTreeMap, BTreeSet};

use weir_contract::rules::cel::types::Type;
use weir_contract::rules::cel::{check, parse};

use super::expression::Wanted;
use super::{Compiler, escaped};
use crate::known::{Known, Lookup};
use crate::limits::{DEPTH_MAX, ENTRIES_MAX, KEYS_MAX, WINDOW_MS_MAX, WORD_BYTES_MAX};
use crate::path::{Path, shown};
use crate::plan::{Expression, Masked, Op, ValueForm, Window};
use crate::problem::ProblemCode;
use crate::spec::{Cast, CastType, Deduplicate, Flatten, Mask, MaskHow, Rename, Route, Step};

impl Step {
    /// Whether it changes values.
    pub(crate) const fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Filter(_) | Self::Route(_) | Self::Deduplicate(_) | Self::Validate(_)
        )
    }

    /// Whether after it a field may stand elsewhere or hold what another one held, or a record be of no type of the schema.
    const fn moves(&self) -> bool {
        self.changes() && !matches!(self, Self::Mask(_))
    }
}

impl Compiler<'_> {
    pub(super) fn compile_step(&mut self, step: &Step) -> Option<Op> {
        let op = match step {
            Step::Filter(filter) => {
                let (expression, _bool) = self.expression(&filter.condition, "where", Wanted::Bool)?;
                Some(Op::Filter(expression))
            }
            Step::Project(project) => self.listed(&project.fields, "fields").map(|(paths, tree)| {
                self.known = self.known.only(&paths);
                Op::Project(tree)
            }),
            Step::Drop(drop) => self.listed(&drop.fields, "fields").map(|(paths, tree)| {
                for path in &paths {
                    self.known.edit(path, &mut |_known| None);
                }
                Op::Drop(tree)
            }),
            Step::Rename(rename) => self.rename(rename),
            Step::Mask(mask) => self.mask(mask),
            Step::Cast(cast) => self.cast(cast),
            Step::Set(set) => self.set(&set.fields, "fields", false).map(Op::Set),
            Step::Flatten(flatten) => self.flatten(flatten),
            Step::Route(route) => self.route(route),
            Step::Deduplicate(deduplicate) => self.deduplicate(deduplicate),
            Step::Validate(_) => match self.input.value {
                ValueForm::Registered { .. } => Some(Op::Validate),
                ValueForm::Json => {
                    let message = "The source has no contract to validate against; give its topic one.";
                    self.problem(ProblemCode::NoContract, "", message);
                    None
                }
            },
            Step::Call(call) => self.call(call),
        };
        if step.moves() && self.moved_by.is_none() {
            self.moved_by = Some((self.step + 1, step.word()));
        }
        op
    }

    fn rename(&mut self, rename: &Rename) -> Option<Op> {
        let at = |_place: usize, text: &str| format!("fields/{}", escaped(text));
        let texts = rename.fields.keys().map(String::as_str);
        let paths = self.paths(texts, &at, "fields")?;
        let mut good = true;
        let before = self.known.clone();
        for (path, (from, to)) in paths.iter().zip(&rename.fields) {
            let field = at(0, from);
            if to.is_empty() || to.len() > WORD_BYTES_MAX || to.contains('`') {
                let message = format!("A field's name is 1 to {WORD_BYTES_MAX} bytes without back ticks.");
                self.problem(ProblemCode::BadName, &field, message);
                good = false;
            }
            good &= self.must_be(path, &field);
        }
        let tree = self.tree(&paths, "fields")?;
        // All at once: what is renamed makes room first.
        for path in &paths {
            self.known.edit(path, &mut |_known| None);
        }
        for (path, (from, to)) in paths.iter().zip(&rename.fields) {
            let Some((_last, parent)) = path.split_last() else {
                continue;
            };
            let mut target: Path = parent.to_vec();
            target.push(to.as_str().into());
            let is_free = !matches!(self.known.at(&target), Lookup::Here(_));
            let moved = match before.at(path) {
                Lookup::Here(known) => known.clone(),
                _ => Known::Any,
            };
            if !is_free {
                let message = format!(
                    "There is a field `{}` already; drop it before, or choose another name.",
                    shown(&target)
                );
                self.problem(ProblemCode::FieldExists, &at(0, from), message);
                good = false;
            } else {
                self.known.put_beside(parent, to, moved);
            }
        }
        let names = rename.fields.values().map(|to| to.as_str().into()).collect();
        good.then_some(Op::Rename(tree, names))
    }

    fn mask(&mut self, mask: &Mask) -> Option<Op> {
        let how = mask.how.clone();
        if let MaskHow::Hash { key } = &how
            && (key.is_empty() || key.len() > WORD_BYTES_MAX)
        {
            let message = "Name the secret that is the key of the hash.";
            self.problem(ProblemCode::Missing, "how/HASH/key", message);
            return None;
        }
        match (mask.fields.is_empty(), mask.tags.is_empty()) {
            (false, true) => {
                let (paths, tree) = self.listed(&mask.fields, "fields")?;
                for path in &paths {
                    self.known.edit(path, &mut |known| Some(masked(known, &how)));
                }
                Some(Op::Mask(Masked::Fields(tree), how))
            }
            (true, false) => self.mask_tags(mask, how),
            _ => {
                let message = "Say which fields: give `fields` or `tags`, one of the two.";
                self.problem(ProblemCode::Missing, "", message);
                None
            }
        }
    }

    fn mask_tags(&mut self, mask: &Mask, how: MaskHow) -> Option<Op> {
        if mask.tags.len() > ENTRIES_MAX {
            let message = format!("At most {ENTRIES_MAX} tags are allowed.");
            self.problem(ProblemCode::TooLong, "tags", message);
            return None;
        }
        if let Some((step, word)) = self.moved_by {
            let message = format!(
                "After step {step} ({word}) nobody knows which field carried a tag; put this mask before it."
            );
            self.problem(ProblemCode::TagsTooLate, "tags", message);
            return None;
        }
        let ValueForm::Registered { newest, .. } = &self.input.value else {
            let message = "The source has no contract that could give tags; name the fields.";
            self.problem(ProblemCode::UnknownTag, "tags", message);
            return None;
        };
        let newest = std::sync::Arc::clone(newest);
        let mut good = true;
        for (place, tag) in mask.tags.iter().enumerate() {
            if !newest.codec.has_tag(&BTreeSet::from([tag.clone()])) {
                let message = "No field of the source's contract carries this tag; correct it, or remove it.";
                self.problem(ProblemCode::UnknownTag, &format!("tags/{place}"), message);
                good = false;
            }
        }
        // Which fields is known when a record is there; what is known of types is left where a mask keeps them.
        if how != MaskHow::Redact {
            self.known = Known::Any;
        }
        good.then(|| Op::Mask(Masked::Tags(mask.tags.iter().cloned().collect()), how))
    }

    fn cast(&mut self, cast: &Cast) -> Option<Op> {
        let at = |_place: usize, text: &str| format!("fields/{}", escaped(text));
        let paths = self.paths(cast.fields.keys().map(String::as_str), &at, "fields")?;
        let mut expressions = Vec::new();
        let mut good = true;
        for (path, (from, to)) in paths.iter().zip(&cast.fields) {
            let field = at(0, from);
            good &= self.must_be(path, &field);
            let text = format!("{}(value)", to.function());
            let expr = parse(&text, &["value"]).ok()?;
            let from = match self.known.at(path) {
                Lookup::Here(known) => known.clone(),
                _ => Known::Any,
            };
            let mut shapes = weir_contract::rules::cel::types::Shapes::default();
            let typed = from.typed(&mut shapes);
            // Null stays null, whatever the type.
            let checked = match typed {
                Type::Null => Ok(Type::Null),
                typed => check(&expr, &[typed.present().clone()], &shapes),
            };
            if let Err(error) = checked {
                let message = super::expression::sentence(&error.message);
                self.problem(ProblemCode::WrongType, &field, message);
                good = false;
            }
            expressions.push(Expression::new(expr, text, 1));
        }
        let tree = self.tree(&paths, "fields")?;
        for (path, to) in paths.iter().zip(cast.fields.values()) {
            let to = Known::Plain(to.known());
            self.known.edit(path, &mut |known| {
                Some(match known {
                    Known::Maybe(_) => to.clone().maybe(),
                    _ => to.clone(),
                })
            });
        }
        good.then_some(Op::Cast(tree, expressions))
    }

    /// Expressions by paths; all see the record as it was before.
    pub(super) fn set(
        &mut self,
        fields: &BTreeMap<String, String>,
        field: &str,
        of_answer: bool,
    ) -> Option<Vec<(Path, Expression)>> {
        let at = |_place: usize, text: &str| format!("{field}/{}", escaped(text));
        let paths = self.paths(fields.keys().map(String::as_str), &at, field)?;
        let mut found = Vec::new();
        for (path, (name, text)) in paths.iter().zip(fields) {
            let read = if of_answer {
                self.of_answer(text, &at(0, name))
            } else {
                self.expression(text, &at(0, name), Wanted::Anything)
            };
            if let Some((expression, known)) = read {
                found.push((path.clone(), expression, known));
            }
        }
        self.tree(&paths, field)?;
        let mut good = found.len() == fields.len();
        let mut set = Vec::new();
        for (path, expression, known) in found {
            if !self.known.put(&path, known) {
                let message = format!(
                    "`{}` leads through a value that has no fields; choose another path.",
                    shown(&path)
                );
                self.problem(ProblemCode::WrongType, &at(0, &shown(&path)), message);
                good = false;
            }
            set.push((path, expression));
        }
        good.then_some(set)
    }

    fn flatten(&mut self, flatten: &Flatten) -> Option<Op> {
        let Flatten { separator, depth } = flatten;
        if separator.len() > 16 || separator.contains('`') {
            let message = "A separator is at most 16 bytes without back ticks.";
            self.problem(ProblemCode::TooLong, "separator", message);
            return None;
        }
        let depth = depth.map_or(DEPTH_MAX, |depth| usize::try_from(depth).unwrap_or(usize::MAX));
        if depth == 0 || depth > DEPTH_MAX {
            let message = format!("Choose 1 to {DEPTH_MAX} levels.");
            self.problem(ProblemCode::OutOfRange, "depth", message);
            return None;
        }
        match self.known.flattened(separator, depth) {
            Ok(known) => {
                self.known = known;
                let separator = separator.clone();
                Some(Op::Flatten { separator, depth })
            }
            Err(name) => {
                let message =
                    format!("Two fields would be called `{name}`; choose another separator, or rename one.");
                self.problem(ProblemCode::FieldExists, "separator", message);
                None
            }
        }
    }

    fn route(&mut self, route: &Route) -> Option<Op> {
        let Route { by, rules, otherwise } = route;
        let otherwise = match otherwise {
            None => None,
            Some(name) => Some(self.sink(name, "otherwise")?),
        };
        self.last_route = Some(otherwise);
        match (by, rules.is_empty()) {
            (Some(by), true) => {
                let (expression, _text) = self.expression(by, "by", Wanted::Text)?;
                Some(Op::RouteBy(expression, otherwise))
            }
            (None, false) if rules.len() > ENTRIES_MAX => {
                let message = format!("At most {ENTRIES_MAX} rules are allowed in a route.");
                self.problem(ProblemCode::TooLong, "rules", message);
                None
            }
            (None, false) => {
                let mut compiled = Vec::new();
                for (place, rule) in rules.iter().enumerate() {
                    let condition =
                        self.expression(&rule.condition, &format!("rules/{place}/where"), Wanted::Bool);
                    let to = self.sink(&rule.to, &format!("rules/{place}/to"));
                    if let (Some((condition, _bool)), Some(to)) = (condition, to) {
                        compiled.push((condition, to));
                    }
                }
                (compiled.len() == rules.len()).then_some(Op::Route(compiled, otherwise))
            }
            _ => {
                let message = "Say where records go: give `by` or `rules`, one of the two.";
                self.problem(ProblemCode::Missing, "", message);
                None
            }
        }
    }

    fn deduplicate(&mut self, deduplicate: &Deduplicate) -> Option<Op> {
        let Deduplicate {
            by,
            window_ms,
            keys_max,
        } = deduplicate;
        let mut good = true;
        if let Some(step) = self.called {
            let message = format!(
                "It stands after step {step}, which calls: its window could not be rebuilt without calling again; put it before."
            );
            self.problem(ProblemCode::AfterCall, "", message);
            good = false;
        }
        if *window_ms == 0 || *window_ms > WINDOW_MS_MAX {
            let message = format!("Choose 1 to {WINDOW_MS_MAX} milliseconds, which are seven days.");
            self.problem(ProblemCode::OutOfRange, "window_ms", message);
            good = false;
        }
        if *keys_max == 0 || *keys_max > KEYS_MAX {
            let message = format!("Choose 1 to {KEYS_MAX} keys.");
            self.problem(ProblemCode::OutOfRange, "keys_max", message);
            good = false;
        }
        let paths = if by.is_empty() {
            Vec::new()
        } else {
            self.listed(by, "by")?.0
        };
        let window = Window {
            window_ms: i64::try_from(*window_ms).unwrap_or(i64::MAX),
            keys_max: usize::try_from(*keys_max).unwrap_or(usize::MAX),
        };
        if self.window.replace(window).is_some() {
            let message = "There is a deduplicating step already, and one is allowed; split the job.";
            self.problem(ProblemCode::TooLong, "", message);
            good = false;
        }
        good.then_some(Op::Deduplicate(paths))
    }
}

/// What a mask makes of what is known.
fn masked(known: &Known, how: &MaskHow) -> Known {
    match how {
        MaskHow::Redact => known.clone(),
        MaskHow::Null => Known::Plain(Type::Null),
        MaskHow::Hash { .. } | MaskHow::KeepLast { .. } => known.as_text(),
    }
}

impl CastType {
    /// The function of CEL that converts.
    const fn function(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Bool => "bool",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
        }
    }

    const fn known(self) -> Type {
        match self {
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::String => Type::Text,
            Self::Bytes => Type::Bytes,
            Self::Bool => Type::Bool,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
        }
    }
}
