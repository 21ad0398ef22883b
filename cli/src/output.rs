//! What a command ends with, and how it writes to a terminal, a file or a pipe that was closed.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;

/// The exit code of a command line or a file that is wrong; clap's own.
pub const WRONG: u8 = 2;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// How a command that could be carried out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to complain of.
    Fine,
    /// Records break the contract, or a change breaks somebody.
    Broken,
}

impl Outcome {
    /// Broken, if that is so.
    pub const fn broken_if(broken: bool) -> Self {
        if broken { Self::Broken } else { Self::Fine }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Broken => Self::FAILURE,
        }
    }
}

/// Standard output. Whoever closed the pipe (`weir ... | head`) wants no more, and that is no fault.
pub struct Printer {
    out: io::BufWriter<io::Stdout>,
    closed: bool,
}

impl Printer {
    pub fn new() -> Self {
        Self {
            out: io::BufWriter::new(io::stdout()),
            closed: false,
        }
    }

    /// One line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        self.text(line)?;
        self.text("\n")
    }

    /// A text as it is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.unless_closed(|out| out.write_all(text.as_bytes()))
    }

    /// All that waits.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.unless_closed(io::Write::flush)
    }

    fn unless_closed(
        &mut self,
        write: impl FnOnce(&mut io::BufWriter<io::Stdout>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match write(&mut self.out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }
}
