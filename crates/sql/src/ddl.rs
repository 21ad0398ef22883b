//! `CREATE TABLE` and `CREATE MODEL` statements as text, with their secrets or without.

use std::fmt;

use crate::token::{literal, quoted};

const HIDDEN: &str = "***";

/// A `CREATE TABLE` or `CREATE MODEL` statement; shown without secrets.
#[derive(Clone)]
pub struct Ddl {
    head: String,
    options: Vec<(String, String, bool)>,
}

impl Ddl {
    /// With its secrets, for Flink alone.
    #[must_use]
    pub fn reveal(&self) -> String {
        self.print(true)
    }

    fn print(&self, whole: bool) -> String {
        let options: Vec<String> = self
            .options
            .iter()
            .map(|(key, value, secret)| {
                let value = if *secret && !whole { HIDDEN } else { value };
                format!("  {} = {}", literal(key), literal(value))
            })
            .collect();
        format!("{} WITH (\n{}\n)", self.head, options.join(",\n"))
    }

    /// A source that is read up to where it ends when the job begins.
    #[must_use]
    pub fn bounded(mut self, is_bounded: bool) -> Self {
        if is_bounded {
            self.option("scan.bounded.mode", "latest-offset");
        }
        self
    }

    pub(crate) fn option(&mut self, key: &str, value: impl Into<String>) {
        self.options.push((key.to_owned(), value.into(), false));
    }

    pub(crate) fn secret(&mut self, key: &str, value: impl Into<String>) {
        self.options.push((key.to_owned(), value.into(), true));
    }
}

impl fmt::Display for Ddl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print(false))
    }
}

impl fmt::Debug for Ddl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print(false))
    }
}

/// A table without options.
pub(crate) fn begin(name: &str, lines: &[String]) -> Ddl {
    head(format!(
        "CREATE TABLE {} (\n  {}\n)",
        quoted(name),
        lines.join(",\n  ")
    ))
}

/// The same of any other statement.
pub(crate) const fn head(head: String) -> Ddl {
    Ddl {
        head,
        options: Vec::new(),
    }
}
