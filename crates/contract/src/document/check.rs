//! What a document must be beside its form: no empty names, no promise twice, no number that means nothing.

use std::collections::HashSet;

use super::{Document, ServiceLevel};
use crate::limits::Limits;

const NAME_CHARACTERS_MAX: usize = 512;
const WORDS_CHARACTERS_MAX: usize = 64 * 1024;
const SERVICE_LEVELS_MAX: usize = 200;

/// Something that a document may not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProblem {
    /// Which part of it.
    pub path: String,
    /// One sentence.
    pub message: String,
}

impl Document {
    /// Everything that is wrong with a document but its schema and rules, which compiling looks at.
    pub fn problems(&self) -> Vec<DocumentProblem> {
        let mut problems = Vec::new();
        let mut problem = |path: String, message: String| problems.push(DocumentProblem { path, message });
        let mut word = |path: &str, word: &str, most: usize| {
            if word.trim().is_empty() {
                problem(path.to_owned(), "is empty; leave it out or fill it in".to_owned());
            } else if word.chars().count() > most {
                problem(path.to_owned(), format!("has more than {most} characters"));
            }
        };
        word("subject", &self.subject, NAME_CHARACTERS_MAX);
        for (path, text, most) in [
            ("owner", &self.owner, NAME_CHARACTERS_MAX),
            ("description", &self.description, WORDS_CHARACTERS_MAX),
        ] {
            if let Some(text) = text {
                word(path, text, most);
            }
        }
        for (index, reference) in self.references.iter().enumerate() {
            word(
                &format!("references[{index}].name"),
                &reference.name,
                NAME_CHARACTERS_MAX,
            );
        }
        if self.references.len() > Limits::DEFAULT.references {
            let most = Limits::DEFAULT.references;
            problem("references".to_owned(), format!("are more than {most}"));
        }
        if self.version == Some(0) {
            problem("version".to_owned(), "versions begin at 1".to_owned());
        }
        problems.extend(service_levels(&self.service_levels));
        problems
    }
}

fn service_levels(levels: &[ServiceLevel]) -> Vec<DocumentProblem> {
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for (index, level) in levels.iter().enumerate() {
        let path = format!("serviceLevels[{index}]");
        let mut problem = |message: String| {
            problems.push(DocumentProblem {
                path: path.clone(),
                message,
            });
        };
        if level.name.trim().is_empty() {
            problem("a service level has a name, such as freshness".to_owned());
        }
        if !seen.insert((&level.name, &level.element)) {
            problem(format!("{} is promised twice for the same element", level.name));
        }
        if let Some(percent) = level.percent()
            && !(0.0..=100.0).contains(&percent)
        {
            problem(format!("{percent} percent is not between 0 and 100"));
        }
    }
    if levels.len() > SERVICE_LEVELS_MAX {
        problems.push(DocumentProblem {
            path: "serviceLevels".to_owned(),
            message: format!("are more than {SERVICE_LEVELS_MAX}"),
        });
    }
    problems
}

impl ServiceLevel {
    /// The value, if it is a share.
    fn percent(&self) -> Option<f64> {
        match self.unit.as_deref() {
            Some("%" | "percent") => self.value.as_f64(),
            _ => None,
        }
    }

    /// The value in the least unit of its sort, and that unit: so that `5 m` and `300 s` are equal.
    pub fn in_base_units(&self) -> Option<(f64, &str)> {
        let value = self.value.as_f64()?;
        let unit = self.unit.as_deref().unwrap_or_default();
        let (factor, base) = match unit {
            "ms" | "millisecond" | "milliseconds" => (1.0, "ms"),
            "s" | "second" | "seconds" => (1_000.0, "ms"),
            "m" | "min" | "minute" | "minutes" => (60_000.0, "ms"),
            "h" | "hour" | "hours" => (3_600_000.0, "ms"),
            "d" | "day" | "days" => (86_400_000.0, "ms"),
            "y" | "yr" | "year" | "years" => (31_557_600_000.0, "ms"),
            "%" | "percent" => (1.0, "percent"),
            other => (1.0, other),
        };
        Some((value * factor, base))
    }
}
