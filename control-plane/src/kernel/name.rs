//! Names, labels and the patterns that bindings use.

use std::collections::BTreeMap;

use crate::kernel::{FieldError, code};

/// Free labels of an object: at most 32, keys to 63 characters, values to 255.
pub type Labels = BTreeMap<String, String>;

const NAME_LENGTH_MAX: usize = 63;
const LABELS_MAX: usize = 32;

fn bad(pointer: &str, code: &str, detail: String) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        code: code.to_owned(),
        detail,
    }
}

/// A name: 1 to 63 of `a-z 0-9 -`, beginning with a letter and not ending with `-`.
pub fn check_name(pointer: &str, name: &str, errors: &mut Vec<FieldError>) {
    let legal = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    let fits = (1..=NAME_LENGTH_MAX).contains(&name.len())
        && name.bytes().all(legal)
        && name.as_bytes()[0].is_ascii_lowercase()
        && !name.ends_with('-');
    if !fits {
        let detail = "A name has 1 to 63 characters of a-z, 0-9 and '-', begins with a letter and does not end with '-'.";
        errors.push(bad(pointer, code::BAD_NAME, detail.into()));
    }
}

/// A text for people: 0 to `max` characters without control characters.
pub fn check_display_name(pointer: &str, text: &str, max: usize, errors: &mut Vec<FieldError>) {
    if text.chars().count() > max || text.chars().any(char::is_control) {
        let detail = format!("The text has at most {max} characters and no control characters.");
        errors.push(bad(pointer, code::OUT_OF_RANGE, detail));
    }
}

/// Checks the limits of [`Labels`].
pub fn check_labels(labels: &Labels, errors: &mut Vec<FieldError>) {
    let legal_key = |key: &str| {
        (1..=63).contains(&key.len())
            && key
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.' | b'/'))
    };
    let legal = labels.len() <= LABELS_MAX
        && labels.iter().all(|(key, value)| {
            legal_key(key) && value.chars().count() <= 255 && !value.chars().any(char::is_control)
        });
    if !legal {
        let detail = "At most 32 labels; keys 1 to 63 of A-Z a-z 0-9 - _ . /; values to 255 characters.";
        errors.push(bad("/metadata/labels", code::BAD_LABELS, detail.into()));
    }
}

/// Does a pattern of a role binding cover a resource? `*` covers all; a trailing `*` covers every name that begins
/// so; otherwise the pattern covers the named resource and everything below it.
#[must_use]
pub fn matches_pattern(pattern: &str, resource: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => resource.starts_with(prefix),
        None => resource
            .strip_prefix(pattern)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_bounded() {
        for (name, good) in [
            ("payments", true),
            ("a", true),
            ("a-1", true),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("1a", false),
            ("A", false),
            ("a/b", false),
            ("../a", false),
            ("a\0", false),
        ] {
            let mut errors = Vec::new();
            check_name("/spec/name", name, &mut errors);
            assert_eq!(errors.is_empty(), good, "{name:?}");
        }
        let mut errors = Vec::new();
        check_name("/spec/name", &"a".repeat(64), &mut errors);
        assert_eq!(errors.len(), 1);
    }

    #[test]
    fn a_pattern_covers_what_lies_below_it_and_nothing_beside() {
        let topic = "environment=prod/cluster=cards/topic=payments";
        assert!(matches_pattern("*", topic));
        assert!(matches_pattern("environment=prod", topic));
        assert!(matches_pattern("environment=prod/*", topic));
        assert!(matches_pattern(
            "environment=prod/cluster=cards/topic=pay*",
            topic
        ));
        assert!(!matches_pattern("environment=pro", topic));
        assert!(!matches_pattern("environment=test/*", topic));
        assert!(!matches_pattern(
            "environment=prod/cluster=cards/topic=pays",
            topic
        ));
    }
}
