//! Programs that are let through, and programs that are not.

mod avro;
mod fence;
mod models;
mod property;
mod select;
mod tables;

use std::collections::BTreeSet;

use crate::{Fenced, Known, Problem};

fn known(sources: &[&str], sinks: &[&str]) -> Known {
    let set = |names: &[&str]| {
        names
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<BTreeSet<String>>()
    };
    Known {
        sources: set(sources),
        sinks: set(sinks),
    }
}

fn judged(text: &str) -> Result<Fenced, Vec<Problem>> {
    crate::fence(
        text,
        &known(&["payments", "rates", "odd name"], &["alerts", "totals"]),
    )
}
