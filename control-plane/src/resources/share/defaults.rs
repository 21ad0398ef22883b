//! What a share begins with unless its owner says otherwise: fields that the contract tags are redacted, nothing that was written before it
//! is taken is shown, all readers together get so much, and it ends by itself.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};
use weir_contract::columns::{Tagged, tagged};
use weir_contract::record::Codec;

use crate::auth::TenantScope;
use crate::kernel::{Error, Result, code};
use crate::resources::contract::{self, Newest};
use crate::resources::share::view::{self, View};
use crate::resources::topic::Topic;
use crate::runtime::Tx;

/// How long it is shown.
pub const ENDS_AFTER: TimeDelta = TimeDelta::days(90);
/// What all of its readers together are delivered.
pub const FETCH_BYTES_PER_SECOND: i64 = 10 * 1024 * 1024;

/// The steps that redact what the contract tags, and what is seen of records then.
///
/// # Errors
/// 422 when what is tagged cannot be hidden by itself: its owner has to say how.
pub async fn steps(tx: &mut Tx, owner: TenantScope, topic: &Topic) -> Result<(Vec<Value>, View)> {
    let newest = contract::newest_value(tx, owner, topic.spec.cluster, &topic.spec.name).await?;
    let marked = match newest {
        None => Ok(Marked::default()),
        Some(newest) => tokio::task::spawn_blocking(move || Marked::of(&newest))
            .await
            .map_err(Error::internal)?,
    };
    let marked = marked.map_err(|detail| refused(&detail))?;
    for steps in marked.candidates(view::takes_unframed(topic)) {
        if let Ok(view) = view::compile(tx, owner, topic, &steps, "/steps").await {
            return Ok((steps, view));
        }
    }
    Err(refused("no mask reaches all of them"))
}

fn refused(why: &str) -> Error {
    let detail = format!(
        "The fields that the contract tags cannot be redacted without being told how ({why}): approve with steps."
    );
    Error::invalid("/steps", code::REQUIRED, detail)
}

/// What a contract marks.
#[derive(Debug, Default, PartialEq, Eq)]
struct Marked {
    /// Its tags.
    tags: BTreeSet<String>,
    /// Paths of the fields that carry them now.
    paths: Vec<String>,
    /// Does none lead to one of them?
    lost: bool,
}

impl Marked {
    fn of(newest: &Newest) -> Result<Self, String> {
        let found = tagged(&newest.schema, &newest.metadata)?;
        let codec = Codec::new(&newest.schema, &newest.metadata)?;
        let named = found.iter().flat_map(|it| it.tags.iter().cloned());
        let mut tags: BTreeSet<String> = named.collect();
        tags.extend(newest.metadata.tags.values().flatten().cloned());
        tags.retain(|it| codec.has_tag(&BTreeSet::from([it.clone()])));
        let paths: Vec<String> = found.iter().filter_map(path).collect();
        let lost = paths.len() < found.len();
        Ok(Self { tags, paths, lost })
    }

    /// The steps that may do, the best first. By tag also fields are hidden that come later; by path also in records that name no schema.
    fn candidates(&self, unframed: bool) -> Vec<Vec<Value>> {
        let by_tags = json!({"mask": {"tags": self.tags, "how": "REDACT"}});
        let by_paths = json!({"mask": {"fields": self.paths, "how": "REDACT"}});
        if unframed && self.lost {
            return Vec::new();
        }
        match (self.tags.is_empty(), self.paths.is_empty()) {
            (true, true) => vec![Vec::new()],
            (true, false) => vec![vec![by_paths]],
            (false, true) if unframed => Vec::new(),
            (false, true) => vec![vec![by_tags]],
            (false, false) if unframed => vec![vec![by_tags, by_paths]],
            (false, false) => vec![vec![by_tags.clone(), by_paths], vec![by_tags]],
        }
    }
}

/// As steps name it; none for a name that none of them can.
fn path(field: &Tagged) -> Option<String> {
    let mut path = String::new();
    for name in &field.names {
        if name.is_empty() || name.contains('`') {
            return None;
        }
        if !path.is_empty() {
            path.push('.');
        }
        let plain = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-');
        if name.chars().all(plain) {
            path.push_str(name);
        } else {
            path.push('`');
            path.push_str(name);
            path.push('`');
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tagged_is_hidden_by_tag_and_by_path() {
        let marked = Marked {
            tags: BTreeSet::from(["PII".to_owned()]),
            paths: vec!["owner.iban".to_owned()],
            lost: false,
        };
        assert_eq!(marked.candidates(false).len(), 2);
        assert_eq!(
            marked.candidates(true).len(),
            1,
            "records without a schema know no tags"
        );
        let lost = Marked { lost: true, ..marked };
        assert_eq!(
            (lost.candidates(false).len(), lost.candidates(true).len()),
            (2, 0)
        );
        assert_eq!(Marked::default().candidates(true), [Vec::<Value>::new()]);
        let odd = Tagged {
            names: vec!["owner".to_owned(), "a.b".to_owned(), "2nd-one".to_owned()],
            tags: BTreeSet::new(),
        };
        assert_eq!(path(&odd).unwrap(), "owner.`a.b`.2nd-one");
    }
}
