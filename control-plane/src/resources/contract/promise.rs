//! What a version promises of its stream beside its schema: how fresh, how complete, how available it is. The words stand in
//! its metadata, as `service_level.<name>` = "<value> <unit>".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;
use utoipa::ToSchema;
use weir_contract::document::{SERVICE_LEVEL, ServiceLevel};

use crate::resources::contract::wish::Metadata;

/// How the property of a target ends.
const TARGET: &str = ".target";
/// The share of minutes that a promise without a target of its own is kept in, in percent.
pub const TARGET_DEFAULT: f64 = 99.0;
/// What is finer than the evaluation cannot be measured.
const FRESHNESS_LEAST_MS: f64 = 60_000.0;
/// No budget is kept for longer.
const FRESHNESS_MOST_MS: f64 = 30.0 * 86_400_000.0;

/// What is promised. New names may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LevelName {
    /// How old the newest record may be.
    Freshness,
    /// The share of records that are as the contract says.
    Completeness,
    /// The share of time in which the topic is served.
    Availability,
}

impl LevelName {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Freshness, Self::Completeness, Self::Availability];

    /// As the property and the API write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Freshness => "freshness",
            Self::Completeness => "completeness",
            Self::Availability => "availability",
        }
    }

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Freshness => "FRESHNESS",
            Self::Completeness => "COMPLETENESS",
            Self::Availability => "AVAILABILITY",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "COMPLETENESS" => Self::Completeness,
            "AVAILABILITY" => Self::Availability,
            _ => Self::Freshness,
        }
    }

    /// The property that holds the promise.
    #[must_use]
    pub fn property(self) -> String {
        format!("{SERVICE_LEVEL}{}", self.word())
    }
}

/// A promise that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// As it was written.
    pub value: Number,
    /// As it was written: `percent` where it was `%`.
    pub unit: String,
    /// Seconds of freshness, percent of the others.
    pub base: f64,
    /// How many of that one of `unit` is.
    pub factor: f64,
    /// The share of minutes in which it is to be kept, in percent.
    pub target: f64,
}

/// A promise, or what is wrong with it, in a sentence.
pub type Read = Result<Promise, String>;

/// Something that is wrong with a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseProblem {
    /// The property that holds it.
    pub property: String,
    /// A sentence.
    pub message: String,
}

/// The promise of this name, if the properties make one.
#[must_use]
pub fn of(properties: &BTreeMap<String, String>, name: LevelName) -> Option<Read> {
    let property = name.property();
    let text = properties.get(&property)?;
    let target = properties.get(&format!("{property}{TARGET}"));
    Some(read(name, text, target.map(String::as_str)))
}

/// Everything that is wrong with what a version promises; what it calls sensitive promises nothing.
#[must_use]
pub fn problems(metadata: &Metadata) -> Vec<PromiseProblem> {
    let Some(properties) = &metadata.properties else {
        return Vec::new();
    };
    let sensitive = |it: &str| metadata.sensitive.as_ref().is_some_and(|all| all.contains(it));
    let wrong = LevelName::ALL.into_iter().filter_map(|name| {
        let property = name.property();
        let read = of(properties, name).filter(|_| !sensitive(&property))?;
        let message = read.err()?;
        Some(PromiseProblem { property, message })
    });
    wrong.collect()
}

fn read(name: LevelName, text: &str, target: Option<&str>) -> Read {
    let level = ServiceLevel::read(name.word(), text).ok_or_else(|| {
        let example = match name {
            LevelName::Freshness => "5 m",
            LevelName::Completeness | LevelName::Availability => "99.5 percent",
        };
        format!("It is not a number and a unit, such as \"{example}\".")
    })?;
    let (value, unit) = level.in_base_units().unwrap_or_default();
    let unit = unit.to_owned();
    let promise = |base, factor, target| Promise {
        value: level.value.clone(),
        unit: match level.unit.as_deref() {
            None | Some("%") => "percent".to_owned(),
            Some(told) => told.to_owned(),
        },
        base,
        factor,
        target,
    };
    if name == LevelName::Freshness {
        if unit != "ms" {
            return Err("Freshness is a time: its unit is ms, s, m, h or d.".to_owned());
        }
        if !(FRESHNESS_LEAST_MS..=FRESHNESS_MOST_MS).contains(&value) {
            return Err("Freshness is measured by minutes: it is 1 m to 30 d.".to_owned());
        }
        let written = level.value.as_f64().unwrap_or(1.0);
        return Ok(promise(value / 1000.0, value / 1000.0 / written, share(target)?));
    }
    let percent = percent(&level).ok_or("It is a share: more than 0 percent, and 100 percent at most.")?;
    let target = match name {
        // It is about time itself.
        LevelName::Availability => percent,
        LevelName::Freshness | LevelName::Completeness => share(target)?,
    };
    Ok(promise(percent, 1.0, target))
}

/// The target of a promise: a share of minutes.
fn share(text: Option<&str>) -> Result<f64, String> {
    let Some(text) = text else {
        return Ok(TARGET_DEFAULT);
    };
    let percent = ServiceLevel::read("target", text).as_ref().and_then(percent);
    percent.ok_or_else(|| "Its target is no share of minutes, such as \"99.9 percent\".".to_owned())
}

fn percent(level: &ServiceLevel) -> Option<f64> {
    let (value, unit) = level.in_base_units()?;
    (unit == "percent" && value > 0.0 && value <= 100.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: LevelName, text: &str) -> Option<(f64, f64, String)> {
        let promise = read(name, text, None).ok()?;
        Some((promise.base, promise.target, promise.unit))
    }

    #[test]
    fn promises_are_read_in_the_units_of_documents() {
        use LevelName::{Availability, Completeness, Freshness};
        let of = |base: f64, target: f64, unit: &str| Some((base, target, unit.to_owned()));
        for (name, text, read) in [
            (Freshness, "5 m", of(300.0, 99.0, "m")),
            (Freshness, " 5m ", of(300.0, 99.0, "m")),
            (Freshness, "90 seconds", of(90.0, 99.0, "seconds")),
            (Freshness, "1.5 h", of(5400.0, 99.0, "h")),
            (Freshness, "30 d", of(2_592_000.0, 99.0, "d")),
            (Completeness, "99.5 percent", of(99.5, 99.0, "percent")),
            (Availability, "99.9%", of(99.9, 99.9, "percent")),
            (Availability, "100 %", of(100.0, 100.0, "percent")),
        ] {
            assert_eq!(told(name, text), read, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_measured_is_no_promise() {
        use LevelName::{Availability, Completeness, Freshness};
        for (name, text) in [
            (Freshness, ""),
            (Freshness, "5"),
            (Freshness, "five m"),
            (Freshness, "-5 m"),
            (Freshness, "1e9 m"),
            (Freshness, "5 percent"),
            (Freshness, "10 s"),
            (Freshness, "0 m"),
            (Freshness, "31 d"),
            (Freshness, "1 y"),
            (Completeness, "5 m"),
            (Completeness, "0 percent"),
            (Availability, "101 percent"),
            (Availability, "99..5 percent"),
            (Availability, &format!("99{} percent", " ".repeat(64))),
        ] {
            let found = read(name, text, None);
            assert!(found.is_err_and(|it| it.ends_with('.')), "{text}");
        }
    }

    #[test]
    fn a_target_is_a_share_of_minutes_and_stands_beside_its_promise() {
        let properties = |target: &str| {
            BTreeMap::from([
                ("service_level.freshness".to_owned(), "5 m".to_owned()),
                ("service_level.freshness.target".to_owned(), target.to_owned()),
                ("service_level.latency".to_owned(), "?".to_owned()),
            ])
        };
        let read = of(&properties("99.9 percent"), LevelName::Freshness).expect("a promise");
        assert_eq!(read.map(|it| it.target), Ok(99.9));
        assert_eq!(of(&properties("1 %"), LevelName::Completeness), None);
        let metadata = |target: &str, sensitive: &[&str]| Metadata {
            properties: Some(properties(target)),
            sensitive: Some(sensitive.iter().map(|it| (*it).to_owned()).collect()),
            ..Metadata::default()
        };
        assert_eq!(problems(&metadata("99.9 percent", &[])), []);
        assert_eq!(problems(&metadata("5 m", &["service_level.freshness"])), []);
        let wrong = problems(&metadata("5 m", &[]));
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert_eq!(wrong[0].property, "service_level.freshness");
    }
}
