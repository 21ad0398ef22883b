//! Paths of fields: names with points between them; a name with other characters stands in back ticks.

use crate::limits::{PATH_NAMES_MAX, WORD_BYTES_MAX};

/// A way into a record; through a list it leads to every element.
pub(crate) type Path = Vec<Box<str>>;

/// Reads a path.
pub(crate) fn read(text: &str) -> Result<Path, String> {
    if text.len() > WORD_BYTES_MAX {
        return Err(format!("A path has at most {WORD_BYTES_MAX} bytes."));
    }
    let mut names = Path::new();
    let mut rest = text;
    loop {
        let (name, behind) = match rest.strip_prefix('`') {
            Some(quoted) => quoted
                .split_once('`')
                .ok_or("A name in back ticks does not end; close it with a back tick.")?,
            None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
        };
        let plain = name
            .chars()
            .all(|it| it.is_alphanumeric() || matches!(it, '_' | '-'));
        if name.is_empty() || (!plain && !rest.starts_with('`')) {
            return Err(
                "A path is names with points between them, such as customer.address.city; put a name with other \
                 characters into back ticks."
                    .to_owned(),
            );
        }
        names.push(name.into());
        if names.len() > PATH_NAMES_MAX {
            return Err(format!("A path has at most {PATH_NAMES_MAX} names."));
        }
        if behind.is_empty() {
            return Ok(names);
        }
        rest = behind
            .strip_prefix('.')
            .ok_or("A point is expected behind a name in back ticks.")?;
    }
}

/// A path as a person writes it.
pub(crate) fn shown(path: &[Box<str>]) -> String {
    path.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_names_with_points() {
        let read =
            |text: &str| read(text).map(|path| path.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(read("a"), Ok(vec!["a".to_owned()]));
        assert_eq!(
            read("a.b-1.ü"),
            Ok(vec!["a".to_owned(), "b-1".to_owned(), "ü".to_owned()])
        );
        assert_eq!(read("`a.b`.c"), Ok(vec!["a.b".to_owned(), "c".to_owned()]));
        for wrong in [
            "", ".", "a.", ".a", "a..b", "a b", "`a", "``", "`a`b", "a[0]", "$.a",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&vec!["a"; 17].join(".")).is_err());
        assert!(read(&"a".repeat(2000)).is_err());
    }
}
