//! Names, labels and the patterns that bindings use.

use std::collections::BTreeMap;

use crate::kernel::{FieldError, code, kind};

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

/// Does everything that `asked` covers lie within what `held` covers? So that nobody hands on more than he holds.
#[must_use]
pub fn covers_pattern(held: &str, asked: &str) -> bool {
    let Some(asked_prefix) = asked.strip_suffix('*') else {
        return matches_pattern(held, asked);
    };
    match held.strip_suffix('*') {
        Some(held_prefix) => asked_prefix.starts_with(held_prefix),
        // What `held` names and all below it: the asked prefix must lead below.
        None => asked_prefix
            .strip_prefix(held)
            .is_some_and(|rest| rest.starts_with('/')),
    }
}

const PATTERN_LENGTH_MAX: usize = 500;

/// A pattern of a role binding: `*`, or `kind=name` steps joined by `/`, of which the last may end in `*`.
pub fn check_pattern(pointer: &str, pattern: &str, errors: &mut Vec<FieldError>) {
    let (steps, open) = match pattern.strip_suffix('*') {
        Some(steps) => (steps, true),
        None => (pattern, false),
    };
    // `environment=prod/*`: the last step is the star alone.
    let steps = if open {
        steps.strip_suffix('/').unwrap_or(steps)
    } else {
        steps
    };
    let legal_value = |value: &str| {
        value
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.' | b'@' | b'+'))
    };
    let count = steps.split('/').count();
    let legal_step = |(at, step): (usize, &str)| {
        step.split_once('=').is_some_and(|(key, value)| {
            names_a_kind(key) && legal_value(value) && (!value.is_empty() || (open && at + 1 == count))
        })
    };
    let legal = pattern == "*"
        || (pattern.len() <= PATTERN_LENGTH_MAX && steps.split('/').enumerate().all(legal_step));
    if !legal {
        let detail = "A pattern is `*`, or steps such as environment=prod/cluster=cards/topic=pay* of which only the last may end in '*'.";
        errors.push(bad(pointer, code::BAD_NAME, detail.into()));
    }
}

/// `data_plane` names the kind `DataPlane`.
fn names_a_kind(key: &str) -> bool {
    let camel: String = key
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<String>()
        })
        .collect();
    key.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
        && kind::ALL.iter().any(|(name, _)| *name == camel)
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

    #[test]
    fn a_pattern_is_covered_only_when_all_of_it_is() {
        for (held, asked, covered) in [
            ("*", "*", true),
            ("*", "environment=prod/*", true),
            ("environment=prod", "environment=prod", true),
            ("environment=prod", "environment=prod/cluster=a", true),
            ("environment=prod", "environment=prod/*", true),
            ("environment=prod", "environment=prod*", false),
            ("environment=prod/*", "environment=prod", false),
            ("environment=prod/*", "environment=prod/cluster=*", true),
            ("environment=prod/*", "*", false),
            ("environment=prod/*", "environment=*", false),
            ("environment=prod", "*", false),
            ("environment=test/*", "environment=prod/*", false),
        ] {
            assert_eq!(covers_pattern(held, asked), covered, "{held} covers {asked}");
        }
    }

    #[test]
    fn a_pattern_is_made_of_known_steps() {
        for (pattern, good) in [
            ("*", true),
            ("environment=prod", true),
            ("environment=prod/*", true),
            ("environment=*", true),
            ("environment=prod/cluster=cards/topic=pay*", true),
            ("data_plane=north", true),
            ("member=a.b+c@example.com", true),
            ("", false),
            ("/", false),
            ("/*", false),
            ("**", false),
            ("enviroment=prod", false),
            ("environment=", false),
            ("environment=/cluster=*", false),
            ("environment=p*d", false),
            ("environment=prod/", false),
            ("environment=prod//topic=a", false),
            ("environment=prod/topic", false),
            ("Environment=prod", false),
            ("environment=a b", false),
            ("environment=a\0", false),
        ] {
            let mut errors = Vec::new();
            check_pattern("/spec/resource", pattern, &mut errors);
            assert_eq!(errors.is_empty(), good, "{pattern:?}");
        }
    }
}
