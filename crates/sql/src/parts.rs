//! Names and lists of columns, as parts of statements.

use crate::problem::{Place, Problem, ProblemCode};
use crate::token::{Token, print};

/// A name of one part, and what follows it.
pub(crate) fn named(tokens: &[Token], place: Place) -> Result<(String, &[Token]), Problem> {
    let Some((name, rest)) = tokens
        .split_first()
        .and_then(|(it, rest)| Some((it.name()?, rest)))
    else {
        return Err(malformed(place, "A name is missing."));
    };
    if rest.first().is_some_and(|it| it.is_symbol(".")) {
        return Err(malformed(tokens[0].place, "Tables have names of one part."));
    }
    Ok((name.to_owned(), rest))
}

/// `(a, b)` if it stands there and is no query, and what follows it.
pub(crate) fn columns(tokens: &[Token]) -> Result<(&[Token], &[Token]), Problem> {
    match tokens {
        [open, first, ..]
            if open.is_symbol("(") && first.name().is_some() && !first.is_one_of(&["SELECT", "WITH"]) =>
        {
            let end = tokens.iter().position(|it| it.is_symbol(")"));
            let end = end.ok_or_else(|| malformed(open.place, "A bracket is not closed."))?;
            let (list, rest) = tokens.split_at(end + 1);
            let named = list[1..end]
                .chunks(2)
                .all(|it| it[0].name().is_some() && it.get(1).is_none_or(|comma| comma.is_symbol(",")));
            if named && (end - 1) % 2 == 1 {
                Ok((list, rest))
            } else {
                Err(malformed(
                    open.place,
                    "A list of columns is names with commas between them.",
                ))
            }
        }
        _query => Ok((&[], tokens)),
    }
}

pub(crate) fn spaced(columns: &[Token]) -> String {
    if columns.is_empty() {
        String::new()
    } else {
        format!(" {}", print(columns))
    }
}

pub(crate) fn malformed(place: Place, message: &str) -> Problem {
    Problem::new(ProblemCode::Malformed, place, message)
}
