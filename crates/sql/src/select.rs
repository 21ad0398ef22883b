//! A question of a person's to the tables of a job: one query, which says how many rows it wants.
//!
//! The same fence as that of programs, with nothing but the query let through: it writes nowhere, sets nothing and asks no model.

use std::collections::BTreeSet;

use crate::fence::{TEXT_BYTES_MAX, statements};
use crate::inside::{self, Names};
use crate::parts::malformed;
use crate::problem::{Problem, ProblemCode};
use crate::token::{Kind, Token, print, tokens};

/// Rows that are answered at most.
pub const LIMIT_MAX: u32 = 100;

/// A query as it may be sent to Flink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// It.
    pub statement: String,
    /// Tables that it reads.
    pub reads: BTreeSet<String>,
    /// Rows that it wants at most.
    pub limit: u32,
}

/// Judges a question to these tables.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn select(text: &str, tables: &BTreeSet<String>) -> Result<Query, Problem> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("A query has at most {TEXT_BYTES_MAX} bytes.");
        return Err(Problem::new(ProblemCode::TooLarge, None, message));
    }
    let tokens = tokens(text)?;
    let query = match statements(&tokens).as_slice() {
        [] => return Err(Problem::new(ProblemCode::Malformed, None, "There is no query.")),
        [query] => *query,
        [_first, second, ..] => return Err(not_a_query(&second[0])),
    };
    let first = &query[0];
    if !first.is_one_of(&["SELECT", "WITH"]) {
        return Err(not_a_query(first));
    }
    let reads = inside::query(query, first.place, &Names::new(tables))?;
    Ok(Query {
        limit: limit(query)?,
        statement: print(query),
        reads,
    })
}

fn not_a_query(token: &Token) -> Problem {
    let message = "Only one query is answered: SELECT .. LIMIT n, or WITH .. SELECT .. LIMIT n.";
    Problem::new(ProblemCode::StatementForbidden, token.place, message)
}

/// The number at its end: what stands there counts for the whole query, and not for a part in brackets.
fn limit(query: &[Token]) -> Result<u32, Problem> {
    let wanted = || format!("A query ends with LIMIT n: it is answered with 1 to {LIMIT_MAX} rows.");
    let [.., word, number] = query else {
        return Err(malformed(query[0].place, &wanted()));
    };
    let count = match &number.kind {
        Kind::Number(digits) if word.is("LIMIT") => digits.parse::<u32>().ok(),
        _other => return Err(malformed(number.place, &wanted())),
    };
    count
        .filter(|it| (1..=LIMIT_MAX).contains(it))
        .ok_or_else(|| Problem::new(ProblemCode::TooLarge, number.place, wanted()))
}
