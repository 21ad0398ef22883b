//! How large what stands beside a schema's text may be: it is read, written and sent with every version.

use serde::Serialize;
use weir_contract::Limits;

use crate::kernel::Error;
use crate::resources::contract::model::SchemaReference;
use crate::resources::contract::refusal::{Outcome, Refusal};

/// Of references, metadata and rules together, and of a configuration, in bytes of JSON.
const BYTES_MAX: usize = 128 * 1024;

/// The bytes of JSON that this takes.
pub fn of<T: Serialize>(value: &T) -> Outcome<usize> {
    Ok(serde_json::to_vec(value).map_err(Error::internal)?.len())
}

/// Refuses what is larger than it may be.
pub fn check<T: Serialize>(what: &str, value: &T) -> Outcome<()> {
    let bytes = of(value)?;
    if bytes <= BYTES_MAX {
        return Ok(());
    }
    let text = format!("{what} may have {BYTES_MAX} bytes of JSON together, and have {bytes}");
    Err(Refusal::TooLarge(text).into())
}

/// Refuses more references than a schema may have, before any of them is looked for.
pub fn check_references(references: &[SchemaReference]) -> Outcome<()> {
    let most = Limits::DEFAULT.references;
    if references.len() <= most {
        return Ok(());
    }
    let text = format!(
        "A schema may refer to {most} others, and this one refers to {}",
        references.len()
    );
    Err(Refusal::TooLarge(text).into())
}
