//! Records from a file or standard input, one a line, in memory that grows with the longest line alone.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::Context as _;

/// Bytes of one line; a longer one is told and passed over. As large as a record that a gateway takes.
pub const LINE_BYTES_MAX: usize = 64 << 20;

/// Lines with their numbers.
pub struct Lines {
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
    most: usize,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'l> {
    /// Without its end.
    Record(u64, &'l [u8]),
    /// It is longer than a line may be.
    TooLong(u64),
}

impl Lines {
    /// Of a file; of standard input for `-`.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let input: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = File::open(path).with_context(|| path.display().to_string())?;
            Box::new(BufReader::with_capacity(1 << 16, file))
        };
        Ok(Self::of(input, LINE_BYTES_MAX))
    }

    fn of(input: Box<dyn BufRead>, most: usize) -> Self {
        Self {
            input,
            line: Vec::new(),
            number: 0,
            most,
        }
    }

    /// The next line that is not blank.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            self.line.clear();
            let most = u64::try_from(self.most).unwrap_or(u64::MAX);
            let read = self
                .input
                .by_ref()
                .take(most + 1)
                .read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.last() != Some(&b'\n') && self.line.len() > self.most {
                self.pass_over()?;
                return Ok(Some(Line::TooLong(self.number)));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(Line::Record(self.number, self.line.trim_ascii())));
            }
        }
    }

    /// The rest of a line, without keeping it.
    fn pass_over(&mut self) -> io::Result<()> {
        self.line = Vec::new();
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.input.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_blank_ones_left_out_and_long_ones_passed_over() {
        let text = "one\n\n  \n12345678\n123456789\nlast";
        let mut lines = Lines::of(Box::new(text.as_bytes()), 8);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().expect("it can be read") {
            seen.push(match line {
                Line::Record(number, line) => format!("{number} {}", String::from_utf8_lossy(line)),
                Line::TooLong(number) => format!("{number} too long"),
            });
        }
        assert_eq!(seen, ["1 one", "4 12345678", "5 too long", "6 last"]);
    }
}
