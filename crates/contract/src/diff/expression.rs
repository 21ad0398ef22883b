//! Whether a condition asks more or less than it did: decided for what can be decided by its words.
//!
//! `a && b` asks more than `a`; `x > 5` asks more than `x > 3`. Whatever is more than that is a change of which nothing is known.

use std::cmp::Ordering;

use crate::rules::cel::lexer::{Token, words};

/// How a new condition stands to an old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// Both let the same pass.
    Same,
    /// The new one lets nothing pass that the old one did not.
    Tighter,
    /// The old one let nothing pass that the new one does not.
    Looser,
    /// Nothing is known.
    Other,
}

impl Relation {
    /// Of two independent changes.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Same, one) | (one, Self::Same) => one,
            (one, two) if one == two => one,
            _ => Self::Other,
        }
    }

    const fn opposite(self) -> Self {
        match self {
            Self::Tighter => Self::Looser,
            Self::Looser => Self::Tighter,
            other => other,
        }
    }
}

/// How the expression `new` stands to `old`; of each its guard and its body.
pub(super) fn relation(old: &str, new: &str) -> Relation {
    if old == new {
        return Relation::Same;
    }
    let (Some(old), Some(new)) = (tokens(old), tokens(new)) else {
        return Relation::Other;
    };
    let (old_guard, old_body) = guarded(&old);
    let (new_guard, new_body) = guarded(&new);
    if old_guard != new_guard {
        return Relation::Other;
    }
    let (before, after) = (parts(old_body), parts(new_body));
    let gone: Vec<_> = before.iter().filter(|part| !after.contains(part)).collect();
    let mut come: Vec<_> = after.iter().filter(|part| !before.contains(part)).collect();
    let mut relation = Relation::Same;
    for part in gone {
        let found = come.iter().enumerate().find_map(|(index, other)| {
            let relation = bounds(part, other);
            (relation != Relation::Other).then_some((index, relation))
        });
        relation = relation.and(match found {
            Some((index, bound)) => {
                come.remove(index);
                bound
            }
            None => Relation::Looser,
        });
    }
    if come.is_empty() {
        relation
    } else {
        relation.and(Relation::Tighter)
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let words = words(text).ok()?;
    Some(
        words
            .into_iter()
            .map(|(token, _at)| token)
            .filter(|token| *token != Token::End)
            .collect(),
    )
}

/// `guard ; body`
fn guarded(tokens: &[Token]) -> (&[Token], &[Token]) {
    match tokens.iter().position(|token| *token == Token::Mark(";")) {
        Some(at) => (&tokens[..at], &tokens[at + 1..]),
        None => (&[], tokens),
    }
}

/// What stands between the outermost `&&`; all of it, where something binds less.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let tokens = unwrapped(tokens);
    let outer = outermost(tokens);
    let is = |at: &usize, mark: &str| matches!(&tokens[*at], Token::Mark(found) if *found == mark);
    if outer.iter().any(|at| is(at, "||") || is(at, "?")) {
        return vec![tokens];
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for at in outer.iter().filter(|at| is(at, "&&")) {
        parts.push(unwrapped(&tokens[from..*at]));
        from = at + 1;
    }
    parts.push(unwrapped(&tokens[from..]));
    parts
}

/// Places of tokens that stand in no brackets.
fn outermost(tokens: &[Token]) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut outer = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark("(" | "[" | "{") => depth += 1,
            Token::Mark(")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ if depth == 0 => outer.push(at),
            _ => {}
        }
    }
    outer
}

/// Without brackets around all of it.
fn unwrapped(mut tokens: &[Token]) -> &[Token] {
    while let [Token::Mark("("), inner @ .., Token::Mark(")")] = tokens
        && closes_last(tokens)
    {
        tokens = inner;
    }
    tokens
}

/// Whether the first bracket is closed by the last token and not before.
fn closes_last(tokens: &[Token]) -> bool {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark("(" | "[" | "{") => depth += 1,
            Token::Mark(")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1 == tokens.len();
        }
    }
    false
}

/// A comparison of something with a number.
struct Bound<'t> {
    of: &'t [Token],
    /// Something has to be larger, and not smaller.
    above: bool,
    /// The number itself will do.
    or_equal: bool,
    number: f64,
}

impl<'t> Bound<'t> {
    fn of(tokens: &'t [Token]) -> Option<Self> {
        let outer = outermost(tokens);
        let mut operators = outer.iter().filter_map(|at| match tokens[*at] {
            Token::Mark(mark @ ("<" | "<=" | ">" | ">=")) => Some((*at, mark)),
            _ => None,
        });
        let (at, mark) = operators.next()?;
        if operators.next().is_some() {
            return None;
        }
        let (left, right) = (&tokens[..at], &tokens[at + 1..]);
        let (of, number, turned) = match (number(left), number(right)) {
            (None, Some(number)) => (left, number, false),
            (Some(number), None) => (right, number, true),
            _ => return None,
        };
        Some(Self {
            of,
            above: mark.starts_with('>') != turned,
            or_equal: mark.ends_with('='),
            number,
        })
    }
}

fn number(tokens: &[Token]) -> Option<f64> {
    let (sign, token) = match tokens {
        [token] => (1.0, token),
        [Token::Mark("-"), token] => (-1.0, token),
        _ => return None,
    };
    let number = match token {
        #[expect(
            clippy::cast_precision_loss,
            reason = "beyond 2^53 two bounds count as the same"
        )]
        Token::Int(number) | Token::Uint(number) => *number as f64,
        Token::Double(number) => *number,
        _ => return None,
    };
    Some(sign * number)
}

/// How two comparisons of the same thing stand to each other.
fn bounds(old: &[Token], new: &[Token]) -> Relation {
    let (Some(old), Some(new)) = (Bound::of(old), Bound::of(new)) else {
        return Relation::Other;
    };
    if old.of != new.of || old.above != new.above {
        return Relation::Other;
    }
    let above = match new.number.total_cmp(&old.number) {
        Ordering::Greater => Relation::Tighter,
        Ordering::Less => Relation::Looser,
        Ordering::Equal => {
            return match (old.or_equal, new.or_equal) {
                (true, false) => Relation::Tighter,
                (false, true) => Relation::Looser,
                _ => Relation::Same,
            };
        }
    };
    if new.above { above } else { above.opposite() }
}
