//! Comparing two graphs of types pair by pair: each pair once, cycles allowed, time and stack bounded.

use std::collections::HashMap;
use std::rc::Rc;

use super::report::{Difference, Report};
use super::rule::Rule;

/// Pairs that one comparison looks at.
const PAIRS: usize = 50_000;
/// Pairs inside pairs: what the stack can bear.
const DEPTH: usize = 200;

/// The reader's type, the writer's, and whether they have changed places.
pub(crate) type Pair = (usize, usize, bool);

/// Differences of a pair, with paths that begin at the pair.
pub(crate) type Found = Rc<[Difference]>;

/// Memory of the pairs that were compared.
///
/// A pair that is met again while it is being compared counts as compatible: it is, unless something else on the way is not.
/// Such a verdict holds only inside the comparison that it leans on, so it is kept only when nothing further out was leaned on.
/// A pair that is incompatible under the most friendly assumption is so for good.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    known: HashMap<Pair, Found>,
    open: HashMap<Pair, usize>,
    /// The outermost open pair that was leaned on since the current pair began.
    leaned: Option<usize>,
    looked: usize,
    /// What is said of every further pair once the bounds are reached.
    exhausted: Option<Found>,
}

/// What is known of a pair before it is compared.
pub(crate) enum Before {
    /// The verdict.
    Known(Found),
    /// It must be compared; give this back to [`Memory::close`].
    Open(Ticket),
}

/// An open pair.
pub(crate) struct Ticket {
    pair: Pair,
    depth: usize,
    leaned_before: Option<usize>,
}

impl Memory {
    /// Begins a pair.
    pub fn open(&mut self, pair: Pair) -> Before {
        if let Some(found) = self.exhausted.as_ref().or_else(|| self.known.get(&pair)) {
            return Before::Known(Rc::clone(found));
        }
        if let Some(depth) = self.open.get(&pair) {
            self.leaned = Some(self.leaned.map_or(*depth, |leaned| leaned.min(*depth)));
            return Before::Known(Rc::from([]));
        }
        self.looked += 1;
        let depth = self.open.len();
        if self.looked > PAIRS || depth > DEPTH {
            let sentence = "is too intricate to be compared with the {other} one in bounded time: let fewer definitions refer to each other";
            let found: Found = Rc::from([Difference::new(Rule::ComparisonTooLarge, "", sentence.to_owned())]);
            self.exhausted = Some(Rc::clone(&found));
            return Before::Known(found);
        }
        self.open.insert(pair, depth);
        Before::Open(Ticket {
            pair,
            depth,
            leaned_before: self.leaned.take(),
        })
    }

    /// What a whole comparison says: that it was too large, if it was.
    pub fn verdict(&self, found: Found) -> Found {
        self.exhausted.clone().unwrap_or(found)
    }

    /// Ends a pair.
    pub fn close(&mut self, ticket: Ticket, report: Report) -> Found {
        let found: Found = Rc::from(report.finish());
        self.open.remove(&ticket.pair);
        let outward = self.leaned.filter(|leaned| *leaned < ticket.depth);
        if outward.is_none() || !found.is_empty() {
            self.known.insert(ticket.pair, Rc::clone(&found));
        }
        self.leaned = match (ticket.leaned_before, outward) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        found
    }
}

/// The same differences, seen from further out.
pub(crate) fn below<'a>(prefix: &'a str, found: &'a Found) -> impl Iterator<Item = Difference> + 'a {
    found.iter().map(move |difference| {
        let mut moved = difference.clone();
        moved.path = format!("{prefix}{}", difference.path);
        moved
    })
}
