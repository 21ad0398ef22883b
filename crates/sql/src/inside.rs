//! What may stand inside of a query: brackets that match, no word of another statement, hints without options, and tables of the
//! job alone.

use std::collections::BTreeSet;

use crate::problem::{Place, Problem, ProblemCode};
use crate::token::{Kind, Token};

const DEPTH_MAX: usize = 100;

/// No query has these without quotes; each begins a statement that is not the job's to make.
const FOREIGN_WORDS: [&str; 18] = [
    "ALTER", "ANALYZE", "CALL", "COMPILE", "CREATE", "DELETE", "DROP", "EXECUTE", "EXPLAIN", "INSERT",
    "LOAD", "MERGE", "RESET", "SHOW", "STOP", "UNLOAD", "UPDATE", "USE",
];

/// Hints that say how a join or a state is done, and nothing of a table's options.
const HINTS: [&str; 8] = [
    "STATE_TTL",
    "BROADCAST",
    "SHUFFLE_HASH",
    "SHUFFLE_MERGE",
    "NEST_LOOP",
    "LOOKUP",
    "MULTI_JOIN",
    "NO_MULTI_JOIN",
];

/// Functions in whose brackets FROM names no table.
const FROM_OF_FUNCTIONS: [&str; 7] = [
    "EXTRACT",
    "TRIM",
    "SUBSTRING",
    "OVERLAY",
    "CEIL",
    "FLOOR",
    "POSITION",
];

/// Names that stand for something to read.
#[derive(Debug)]
pub(crate) struct Names<'k> {
    sources: &'k BTreeSet<String>,
    views: BTreeSet<String>,
    models: BTreeSet<String>,
}

impl<'k> Names<'k> {
    pub(crate) const fn new(sources: &'k BTreeSet<String>) -> Self {
        Self {
            sources,
            views: BTreeSet::new(),
            models: BTreeSet::new(),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.sources.contains(name) || self.views.contains(name)
    }

    /// Says whether the name was free.
    pub(crate) fn add_model(&mut self, name: &str) -> bool {
        self.models.insert(name.to_owned())
    }

    pub(crate) fn add_view(&mut self, name: String) {
        self.views.insert(name);
    }
}

/// Judges a query; says which sources it reads.
pub(crate) fn query(tokens: &[Token], place: Place, names: &Names<'_>) -> Result<BTreeSet<String>, Problem> {
    let first = tokens
        .first()
        .ok_or_else(|| problem(ProblemCode::Malformed, place, "A query is missing."))?;
    if !(first.is_one_of(&["SELECT", "WITH", "VALUES"]) || first.is_symbol("(")) {
        let text = "A query begins with SELECT, WITH, VALUES or a bracket.";
        return Err(problem(ProblemCode::Malformed, first.place, text));
    }
    brackets(tokens)?;
    words(tokens)?;
    hints(tokens)?;
    models(tokens, names)?;
    tables(tokens, names)
}

fn problem(code: ProblemCode, place: Place, message: impl Into<String>) -> Problem {
    Problem::new(code, place, message)
}

fn brackets(tokens: &[Token]) -> Result<(), Problem> {
    let mut open: Vec<&Token> = Vec::new();
    for token in tokens {
        let Kind::Symbol(symbol) = token.kind else {
            continue;
        };
        let closes = match symbol {
            "(" | "[" | "{" => {
                if open.len() == DEPTH_MAX {
                    let text = format!("Brackets are nested more than {DEPTH_MAX} deep.");
                    return Err(problem(ProblemCode::TooLarge, token.place, text));
                }
                open.push(token);
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            ";" => {
                return Err(problem(
                    ProblemCode::Malformed,
                    token.place,
                    "A query has no semicolon inside.",
                ));
            }
            _other => continue,
        };
        if !open.pop().is_some_and(|it| it.is_symbol(closes)) {
            let text = format!("`{symbol}` closes no bracket.");
            return Err(problem(ProblemCode::Malformed, token.place, text));
        }
    }
    match open.pop() {
        None => Ok(()),
        Some(token) => Err(problem(
            ProblemCode::Malformed,
            token.place,
            "A bracket is not closed.",
        )),
    }
}

fn words(tokens: &[Token]) -> Result<(), Problem> {
    match tokens.iter().find(|it| it.is_one_of(&FOREIGN_WORDS)) {
        None => Ok(()),
        Some(token) => {
            let word = token.name().unwrap_or_default();
            let text =
                format!("{word} has no business in a query; as the name of a column it is written `{word}`.");
            Err(problem(ProblemCode::WordForbidden, token.place, text))
        }
    }
}

/// `ML_PREDICT(.., MODEL name, ..)`: the name is that of a model of the program.
fn models(tokens: &[Token], names: &Names<'_>) -> Result<(), Problem> {
    for (at, token) in tokens.iter().enumerate() {
        let called = tokens.get(at + 1).is_some_and(|it| it.is_symbol("("));
        if !called || !token.name().is_some_and(is_of_models) {
            continue;
        }
        let (mut depth, mut asked) = (0_usize, None);
        for (behind, inside) in tokens.iter().enumerate().skip(at + 1) {
            depth += usize::from(inside.is_symbol("("));
            depth -= usize::from(inside.is_symbol(")"));
            if depth == 0 {
                break;
            }
            // `MODEL => MODEL name` as well.
            let named = tokens.get(behind + 1).filter(|it| it.name().is_some());
            if depth == 1 && inside.is("MODEL") && named.is_some() {
                asked = named;
            }
        }
        let known = asked
            .and_then(Token::name)
            .filter(|it| names.models.contains(*it));
        if known.is_none() {
            let name = asked.and_then(Token::name).unwrap_or("nothing");
            let text = format!(
                "`{name}` is no model of the program: it is made by CREATE MODEL before it is asked."
            );
            let place = asked.map_or(token.place, |it| it.place);
            return Err(problem(ProblemCode::UnknownTable, place, text));
        }
    }
    Ok(())
}

fn is_of_models(function: &str) -> bool {
    ["ML_PREDICT", "ML_EVALUATE"]
        .iter()
        .any(|it| it.eq_ignore_ascii_case(function))
}

/// `/*+ NAME('a' = '1d', b), NAME(..) */`
fn hints(tokens: &[Token]) -> Result<(), Problem> {
    let mut rest = tokens;
    while let Some(begin) = rest.iter().position(|it| it.kind == Kind::HintBegin) {
        let after = &rest[begin + 1..];
        let end = after
            .iter()
            .position(|it| it.kind == Kind::HintEnd)
            .unwrap_or(after.len());
        hint(&after[..end], rest[begin].place)?;
        rest = &after[end..];
    }
    Ok(())
}

fn hint(tokens: &[Token], place: Place) -> Result<(), Problem> {
    let mut depth = 0_u32;
    let mut named = false;
    for (at, token) in tokens.iter().enumerate() {
        let fits = match &token.kind {
            Kind::Symbol("(") => {
                depth += 1;
                depth == 1 && named
            }
            Kind::Symbol(")") => {
                named = false;
                depth = depth.saturating_sub(1);
                true
            }
            Kind::Symbol("," | "=") => true,
            Kind::Word(word) if depth == 0 => {
                named = HINTS.iter().any(|it| it.eq_ignore_ascii_case(word));
                named && tokens.get(at + 1).is_some_and(|it| it.is_symbol("("))
            }
            Kind::Text(text) if depth == 1 => text
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || "_-. ".contains(it)),
            Kind::Word(_) | Kind::Quoted(_) | Kind::Number(_) => depth == 1,
            _other => false,
        };
        if !fits {
            let text = format!("Hints that jobs may give are {}.", HINTS.join(", "));
            return Err(problem(ProblemCode::HintForbidden, token.place, text));
        }
    }
    if tokens.is_empty() || depth != 0 {
        return Err(problem(
            ProblemCode::HintForbidden,
            place,
            "A hint is written /*+ NAME(..) */.",
        ));
    }
    Ok(())
}

/// Tables behind FROM, JOIN and TABLE, and behind commas of a FROM: each is the job's, a view, or a part of the query itself.
fn tables(tokens: &[Token], names: &Names<'_>) -> Result<BTreeSet<String>, Problem> {
    let own = own_names(tokens);
    let mut read = BTreeSet::new();
    for at in expected(tokens) {
        let token = &tokens[at];
        let Some(name) = token.name() else { continue };
        let follows = |symbol| tokens.get(at + 1).is_some_and(|it| it.is_symbol(symbol));
        if matches!(token.kind, Kind::Word(_))
            && (token.is_one_of(&["LATERAL", "TABLE", "VALUES"]) || follows("("))
        {
            continue;
        }
        if follows(".") {
            let text = format!("Tables have names of one part; `{name}` goes on.");
            return Err(problem(ProblemCode::UnknownTable, token.place, text));
        }
        if names.sources.contains(name) {
            read.insert(name.to_owned());
        } else if !names.views.contains(name) && !own.contains(name) {
            let text = format!("`{name}` is no source and no view of the job.");
            return Err(problem(ProblemCode::UnknownTable, token.place, text));
        }
    }
    Ok(read)
}

/// Names that the query gives to parts of itself: `name AS (`, `name (columns) AS (`.
fn own_names(tokens: &[Token]) -> BTreeSet<&str> {
    let mut own = BTreeSet::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        if !(pair[0].is("AS") && pair[1].is_symbol("(")) {
            continue;
        }
        let mut before = &tokens[..at];
        if before.last().is_some_and(|it| it.is_symbol(")")) {
            let open = before.iter().rposition(|it| it.is_symbol("(")).unwrap_or(0);
            before = &before[..open];
        }
        own.extend(before.last().and_then(Token::name));
    }
    own
}

/// Where a table is expected.
fn expected(tokens: &[Token]) -> Vec<usize> {
    let mut places = Vec::new();
    // Of each open bracket: is it a function's in which FROM means something else, and does a comma lead to another table?
    let mut levels = vec![Level::default()];
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|it| tokens.get(it));
        if token.is_symbol("(") {
            let of_function = before.is_some_and(|it| it.is_one_of(&FROM_OF_FUNCTIONS));
            levels.push(Level {
                of_function,
                lists: false,
            });
            continue;
        }
        if token.is_symbol(")") {
            if levels.len() > 1 {
                levels.pop();
            }
            continue;
        }
        let Some(level) = levels.last_mut() else { continue };
        if token.is("SELECT") {
            *level = Level::default();
        } else if token.is("FROM") {
            if !level.of_function && !before.is_some_and(|it| it.is("DISTINCT")) {
                places.push(at + 1);
                level.lists = true;
            }
        } else if token.is_one_of(&["JOIN", "TABLE"]) {
            places.push(at + 1);
        } else if token.is_one_of(&[
            "WHERE",
            "GROUP",
            "HAVING",
            "WINDOW",
            "ORDER",
            "LIMIT",
            "UNION",
            "EXCEPT",
            "INTERSECT",
            "ON",
        ]) {
            level.lists = false;
        } else if token.is_symbol(",") && level.lists {
            places.push(at + 1);
        }
    }
    places.retain(|at| *at < tokens.len());
    places
}

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    of_function: bool,
    lists: bool,
}
