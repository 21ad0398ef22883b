//! `weir contract import` and `export`: contracts in the words of other standards.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use weir_contract::document::{Document, DocumentError, write_yaml};
use weir_contract::standards::{Standard, asyncapi, odcs};

use super::file;
use crate::output::{Outcome, Printer};

/// Examples, and what the long help says beyond the options.
pub const IMPORT_LONG: &str = r"Examples:
  weir contract import orders.odcs.yaml > orders.yaml
  weir contract import streetlights.asyncapi.yml --subject smartylighting.streetlights-value

An ODCS document (3.x) is a contract for each of its schemas, an AsyncAPI document (3.x) one for each message of
its channels that has a payload. What such a document says beyond a contract is kept under `carried` and stands in
the next export again.

Exit codes:
  0  it was written
  2  the command line or a file is wrong; the message names the place where there is one";

/// The same of export.
pub const EXPORT_LONG: &str = r"Examples:
  weir contract export payment.yaml --to odcs > payment.odcs.yaml
  weir contract export payment.yaml --to asyncapi --json --out payment.asyncapi.json

What a standard has no place for stands in its extension: the custom property `weirContract` of ODCS,
`x-weir-contract` of AsyncAPI. Importing the result gives the same contract.

Exit codes:
  0  it was written
  2  the command line or a file is wrong; the message names the place where there is one";

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The document: ODCS 3.x, AsyncAPI 3.x, or a contract of Weir.
    document: PathBuf,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The contract; a document of any of the standards.
    contract: PathBuf,
    /// Which standard.
    #[arg(long, value_enum)]
    to: StandardName,
    #[command(flatten)]
    written: Written,
}

/// Which contract, and where its text goes.
#[derive(Debug, Args)]
struct Written {
    /// Which contract of a document that has several.
    #[arg(long)]
    subject: Option<String>,
    /// Write JSON and not YAML.
    #[arg(long)]
    json: bool,
    /// Write to a new file and not to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StandardName {
    /// Open Data Contract Standard 3.1.
    Odcs,
    /// AsyncAPI 3.0.
    Asyncapi,
    /// Weir's own.
    Weir,
}

impl From<StandardName> for Standard {
    fn from(name: StandardName) -> Self {
        match name {
            StandardName::Odcs => Self::Odcs,
            StandardName::Asyncapi => Self::AsyncApi,
            StandardName::Weir => Self::Weir,
        }
    }
}

/// Reads a document and writes a contract of Weir.
///
/// # Errors
/// If it cannot be read, or not be written.
pub fn import(args: &ImportArgs) -> anyhow::Result<Outcome> {
    let document = file::contract(&args.document, args.written.subject.as_deref())?;
    write(&args.written, &document)
}

/// Reads a contract and writes it in the words of a standard.
///
/// # Errors
/// If it cannot be read, or not be written.
pub fn export(args: &ExportArgs) -> anyhow::Result<Outcome> {
    let document: Document = file::contract(&args.contract, args.written.subject.as_deref())?;
    let named = || args.contract.display().to_string();
    match Standard::from(args.to) {
        Standard::Weir => write(&args.written, &document),
        Standard::Odcs => write(&args.written, &odcs::export(&document).with_context(named)?),
        Standard::AsyncApi => write(&args.written, &asyncapi::export(&document).with_context(named)?),
    }
}

fn write<T: Serialize>(written: &Written, value: &T) -> anyhow::Result<Outcome> {
    let text = if written.json {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        text
    } else {
        write_yaml(value).map_err(|error: DocumentError| anyhow::anyhow!("{error}"))?
    };
    match &written.out {
        Some(path) => create(path, &text).with_context(|| path.display().to_string())?,
        None => {
            let mut printer = Printer::new();
            printer.text(&text)?;
            printer.flush()?;
        }
    }
    Ok(Outcome::Fine)
}

/// A file that was there is somebody's work.
fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = std::fs::File::options().write(true).create_new(true).open(path);
    match file {
        Ok(mut file) => Ok(file.write_all(text.as_bytes())?),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("the file is there; remove it or choose another name")
        }
        Err(error) => Err(error.into()),
    }
}
