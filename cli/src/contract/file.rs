//! Contracts from files, with what `file:` names beside them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use weir_contract::document::{DOCUMENT_BYTES_MAX, Document, file_of};
use weir_contract::standards::import;

/// Subjects that a message names.
const SUBJECTS_TOLD: usize = 20;

/// Reads a file that may not be larger than a document.
pub fn text(path: &Path) -> anyhow::Result<String> {
    let named = || path.display().to_string();
    let file = File::open(path).with_context(named)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_end(&mut bytes).with_context(named)?;
    if bytes.len() > DOCUMENT_BYTES_MAX {
        bail!(
            "{}: the file has more than {DOCUMENT_BYTES_MAX} bytes",
            path.display()
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..valid];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = valid
                - before
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |at| at + 1)
                + 1;
            bail!("{}: line {line}, column {column}: no UTF-8", path.display())
        }
    }
}

/// Reads a contract of a document of any standard, with the texts of the files that it names. Of several it is the one of the
/// subject.
pub fn contract(path: &Path, subject: Option<&str>) -> anyhow::Result<Document> {
    let named = || path.display().to_string();
    let (_standard, mut documents) = import(&text(path)?).with_context(named)?;
    let subjects: Vec<String> = documents.iter().map(|it| it.subject.clone()).collect();
    let found = match subject {
        None if documents.len() == 1 => Some(0),
        None => bail!(
            "{}: the document has {} contracts; choose one with --subject: {}",
            path.display(),
            subjects.len(),
            some_of(&subjects)
        ),
        Some(subject) => subjects.iter().position(|it| it == subject),
    };
    let Some(found) = found else {
        bail!(
            "{}: the document has no contract of that subject; it has {}",
            path.display(),
            some_of(&subjects)
        );
    };
    let mut document = documents.swap_remove(found);
    resolve(&mut document, path)?;
    Ok(document)
}

fn some_of(subjects: &[String]) -> String {
    let more = if subjects.len() > SUBJECTS_TOLD {
        ", ..."
    } else {
        ""
    };
    let told: Vec<&str> = subjects.iter().take(SUBJECTS_TOLD).map(String::as_str).collect();
    format!("{}{more}", told.join(", "))
}

/// Puts what stands in a file where the document names it; paths are beside the document.
fn resolve(document: &mut Document, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    for slot in document.texts_mut() {
        if let Some(file) = file_of(slot) {
            let file = folder.join(file.trim());
            *slot = text(&file).with_context(|| format!("{} names a file", path.display()))?;
        }
    }
    Ok(())
}
