//! Which programs are let through: queries over the job's own tables, and what writes their results into its sinks.
//!
//! A program is models, views and settings, then one statement that writes: `INSERT INTO`, several of them in a statement set, `CREATE
//! TABLE .. AS` into a sink, or a bare query where there is one sink. Flink has a statement for its clusters', users' and files'
//! concerns by leading words; none of those words gets through, and what cannot be read is refused.

use std::collections::BTreeSet;

use crate::inside::{self, Names};
use crate::model::{self, Model};
use crate::parts::{columns, malformed, named, spaced};
use crate::problem::{Place, Problem, ProblemCode};
use crate::settings;
use crate::token::{Kind, Token, print, quoted, tokens};

/// Bytes of a program's text.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Views and inserts of one program.
const PARTS_MAX: usize = 50;
/// Models of one program.
const MODELS_MAX: usize = 5;

/// What makes a program end: its sources are read up to where they end.
const BOUNDED: (&str, &str) = ("scan.bounded.mode", "latest-offset");

/// The tables that a program may name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// That it may read.
    pub sources: BTreeSet<String>,
    /// That it may write.
    pub sinks: BTreeSet<String>,
}

/// A program as it may be sent to Flink.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fenced {
    /// Settings of the session, each with its value.
    pub settings: Vec<(String, String)>,
    /// Models that it asks.
    pub models: Vec<Model>,
    /// Statements that make temporary views, in order.
    pub views: Vec<String>,
    /// `INSERT INTO` statements; at least one.
    pub inserts: Vec<String>,
    /// Sources that it reads.
    pub reads: BTreeSet<String>,
    /// Sinks that it writes.
    pub writes: BTreeSet<String>,
    /// Its sources are read up to where they end when it begins, and then it is complete.
    pub is_bounded: bool,
    /// Time passes for it also while no record comes: it has a column of processing time.
    pub uses_processing_time: bool,
}

impl Fenced {
    /// The one statement that becomes the job.
    #[must_use]
    pub fn job(&self) -> String {
        match self.inserts.as_slice() {
            [only] => only.clone(),
            several => format!("EXECUTE STATEMENT SET BEGIN {}; END", several.join("; ")),
        }
    }
}

/// Judges a program.
///
/// # Errors
/// What is wrong with it, the first thing of each statement.
pub fn fence(text: &str, known: &Known) -> Result<Fenced, Vec<Problem>> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("A program has at most {TEXT_BYTES_MAX} bytes.");
        return Err(vec![Problem::new(ProblemCode::TooLarge, None, message)]);
    }
    let tokens = tokens(text).map_err(|problem| vec![problem])?;
    let mut reading = Reading {
        known,
        names: Names::new(&known.sources),
        fenced: Fenced::default(),
        has_job: false,
    };
    let mut problems = Vec::new();
    for statement in statements(&tokens) {
        if let Err(problem) = reading.statement(statement) {
            problems.push(problem);
        }
    }
    if problems.is_empty() && reading.fenced.inserts.is_empty() {
        let message = "The program writes nothing: it needs an INSERT INTO, or a query and one sink.";
        problems.push(Problem::new(ProblemCode::NoSink, None, message));
    }
    reading.fenced.uses_processing_time = tokens.iter().any(|it| it.is("PROCTIME"));
    if problems.is_empty() {
        Ok(reading.fenced)
    } else {
        Err(problems)
    }
}

/// Parts between semicolons, but for those of a statement set.
pub(crate) fn statements(tokens: &[Token]) -> Vec<&[Token]> {
    let mut found = Vec::new();
    let (mut begin, mut in_set) = (0, false);
    for (at, token) in tokens.iter().enumerate() {
        let before = tokens.get(at.wrapping_sub(1));
        if token.is("BEGIN") && before.is_some_and(|it| it.is("SET")) {
            in_set = true;
        } else if token.is("END") && before.is_some_and(|it| it.is_symbol(";")) {
            in_set = false;
        } else if token.is_symbol(";") && !in_set {
            found.push(&tokens[begin..at]);
            begin = at + 1;
        }
    }
    found.push(&tokens[begin..]);
    found.retain(|it| !it.is_empty());
    found
}

struct Reading<'k> {
    known: &'k Known,
    names: Names<'k>,
    fenced: Fenced,
    has_job: bool,
}

impl Reading<'_> {
    fn statement(&mut self, tokens: &[Token]) -> Result<(), Problem> {
        let [first, ..] = tokens else { return Ok(()) };
        if self.fenced.views.len() + self.fenced.inserts.len() >= PARTS_MAX {
            let message = format!("A program has at most {PARTS_MAX} views and inserts.");
            return Err(Problem::new(ProblemCode::TooLarge, first.place, message));
        }
        if begins(tokens, &["SET"]) {
            return self.setting(tokens);
        }
        if begins(tokens, &["CREATE", "TEMPORARY", "VIEW"]) {
            return self.view(tokens);
        }
        for words in [&["CREATE", "MODEL"][..], &["CREATE", "TEMPORARY", "MODEL"]] {
            if begins(tokens, words) {
                return self.model(&tokens[words.len()..], first.place);
            }
        }
        if self.has_job {
            let message = "A program has one statement that writes: put several INSERT INTO into EXECUTE STATEMENT SET BEGIN .. END.";
            return Err(Problem::new(
                ProblemCode::StatementForbidden,
                first.place,
                message,
            ));
        }
        self.has_job = true;
        if begins(tokens, &["INSERT"]) {
            self.insert(tokens)
        } else if begins(tokens, &["EXECUTE", "STATEMENT", "SET", "BEGIN"]) {
            self.set_of(&tokens[4..], first.place)
        } else if begins(tokens, &["CREATE", "TABLE"]) {
            self.table_as(tokens)
        } else if first.is_one_of(&["SELECT", "WITH"]) || first.is_symbol("(") {
            self.bare(tokens)
        } else if first.is_one_of(&["SHOW", "DESCRIBE", "DESC", "EXPLAIN"]) {
            let message = "A job answers no questions: what tables it has is told by the agent's endpoint inside the network (GET /v1/job-tables?job=).";
            Err(Problem::new(
                ProblemCode::StatementForbidden,
                first.place,
                message,
            ))
        } else {
            let message = "Jobs may not make this statement. A program has SET, CREATE MODEL, CREATE TEMPORARY VIEW, and INSERT INTO, \
                           EXECUTE STATEMENT SET, CREATE TABLE .. AS or a query.";
            Err(Problem::new(
                ProblemCode::StatementForbidden,
                first.place,
                message,
            ))
        }
    }

    /// `SET 'key' = 'value'`
    fn setting(&mut self, tokens: &[Token]) -> Result<(), Problem> {
        let place = tokens[0].place;
        let (Some(Kind::Text(key)), true, Some(Kind::Text(value)), 4) = (
            tokens.get(1).map(|it| &it.kind),
            tokens.get(2).is_some_and(|it| it.is_symbol("=")),
            tokens.get(3).map(|it| &it.kind),
            tokens.len(),
        ) else {
            let message = "A setting is written SET 'key' = 'value'.";
            return Err(Problem::new(ProblemCode::Malformed, place, message));
        };
        if key == BOUNDED.0 {
            // An option of sources in Flink's words, which is one for all of them here.
            let message = format!("`{}` is `{}`.", BOUNDED.0, BOUNDED.1);
            self.fenced.is_bounded = true;
            return match value.as_str() {
                it if it == BOUNDED.1 => Ok(()),
                _other => Err(Problem::new(ProblemCode::SettingForbidden, place, message)),
            };
        }
        settings::check(key, value)
            .map_err(|text| Problem::new(ProblemCode::SettingForbidden, place, text))?;
        self.fenced.settings.push((key.clone(), value.clone()));
        Ok(())
    }

    /// `CREATE TEMPORARY VIEW name [(columns)] AS query`
    fn view(&mut self, tokens: &[Token]) -> Result<(), Problem> {
        let place = tokens[0].place;
        let (name, rest) = named(&tokens[3..], place)?;
        let (columns, rest) = columns(rest)?;
        let [word, query @ ..] = rest else {
            return Err(malformed(
                place,
                "A view is written CREATE TEMPORARY VIEW name AS query.",
            ));
        };
        if !word.is("AS") {
            return Err(malformed(
                word.place,
                "A view is written CREATE TEMPORARY VIEW name AS query.",
            ));
        }
        if self.names.has(&name) || self.known.sinks.contains(&name) {
            let message = format!("There is a table or view `{name}` already.");
            return Err(Problem::new(ProblemCode::NameTaken, place, message));
        }
        self.query(query, place)?;
        let text = format!(
            "CREATE TEMPORARY VIEW {}{} AS {}",
            quoted(&name),
            spaced(columns),
            print(query)
        );
        self.fenced.views.push(text);
        self.names.add_view(name);
        Ok(())
    }

    /// `CREATE [TEMPORARY] MODEL ..`
    fn model(&mut self, tokens: &[Token], place: Place) -> Result<(), Problem> {
        let model = model::read(tokens, place)?;
        if self.fenced.models.len() == MODELS_MAX {
            let message = format!("A program has at most {MODELS_MAX} models.");
            return Err(Problem::new(ProblemCode::TooLarge, place, message));
        }
        if !self.names.add_model(&model.name) {
            let message = format!("There is a model `{}` already.", model.name);
            return Err(Problem::new(ProblemCode::NameTaken, place, message));
        }
        self.fenced.models.push(model);
        Ok(())
    }

    /// `INSERT INTO name [(columns)] query`
    fn insert(&mut self, tokens: &[Token]) -> Result<(), Problem> {
        let place = tokens[0].place;
        if !begins(tokens, &["INSERT", "INTO"]) {
            return Err(malformed(place, "Records are added: INSERT INTO name query."));
        }
        let (name, rest) = named(&tokens[2..], place)?;
        self.sink(&name, place)?;
        let (columns, query) = columns(rest)?;
        self.add_insert(name, columns, query, place)
    }

    fn add_insert(
        &mut self,
        name: String,
        columns: &[Token],
        query: &[Token],
        place: Place,
    ) -> Result<(), Problem> {
        self.query(query, place)?;
        let text = format!(
            "INSERT INTO {}{} {}",
            quoted(&name),
            spaced(columns),
            print(query)
        );
        self.fenced.inserts.push(text);
        self.fenced.writes.insert(name);
        Ok(())
    }

    /// `INSERT ..; INSERT ..; END`
    fn set_of(&mut self, tokens: &[Token], place: Place) -> Result<(), Problem> {
        let [inside @ .., end] = tokens else {
            return Err(malformed(place, "A statement set ends with END."));
        };
        if !end.is("END") {
            return Err(malformed(place, "A statement set ends with END."));
        }
        let parts: Vec<&[Token]> = inside
            .split(|it| it.is_symbol(";"))
            .filter(|it| !it.is_empty())
            .collect();
        if parts.is_empty() || parts.len() > PARTS_MAX {
            return Err(malformed(place, "A statement set has 1 to 50 INSERT INTO."));
        }
        parts.into_iter().try_for_each(|it| self.insert(it))
    }

    /// `CREATE TABLE name AS query`, where the name is a sink: its records are added.
    fn table_as(&mut self, tokens: &[Token]) -> Result<(), Problem> {
        let place = tokens[0].place;
        let (name, rest) = named(&tokens[2..], place)?;
        let [word, query @ ..] = rest else {
            return Err(self.no_tables(place));
        };
        if !word.is("AS") {
            return Err(self.no_tables(place));
        }
        self.sink(&name, place)?;
        self.add_insert(name, &[], query, place)
    }

    fn no_tables(&self, place: Place) -> Problem {
        let message = "Tables are made of the job's topics; a program says CREATE TABLE name AS query of a sink at most, without columns and options.";
        Problem::new(ProblemCode::StatementForbidden, place, message)
    }

    /// A query alone goes into the only sink.
    fn bare(&mut self, tokens: &[Token]) -> Result<(), Problem> {
        let place = tokens[0].place;
        let mut sinks = self.known.sinks.iter();
        match (sinks.next(), sinks.next()) {
            (Some(only), None) => self.add_insert(only.clone(), &[], tokens, place),
            _several => {
                let message = "A query alone needs exactly one sink; else say INSERT INTO name.";
                Err(Problem::new(ProblemCode::NoSink, place, message))
            }
        }
    }

    fn sink(&self, name: &str, place: Place) -> Result<(), Problem> {
        if self.known.sinks.contains(name) {
            return Ok(());
        }
        let message = format!("`{name}` is no sink of the job.");
        Err(Problem::new(ProblemCode::UnknownTable, place, message))
    }

    fn query(&mut self, tokens: &[Token], place: Place) -> Result<(), Problem> {
        let reads = inside::query(tokens, place, &self.names)?;
        self.fenced.reads.extend(reads);
        Ok(())
    }
}

fn begins(tokens: &[Token], keywords: &[&str]) -> bool {
    tokens.len() >= keywords.len() && tokens.iter().zip(keywords).all(|(token, word)| token.is(word))
}
