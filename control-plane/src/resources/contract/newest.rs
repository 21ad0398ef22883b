//! The newest schema of a topic's values with its rules, read: for those who check a program against it.

use weir_contract::rules::{Metadata, RuleSet};

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, Result};
use crate::resources::contract::model::{Lookup, Subject};
use crate::resources::contract::refusal::{Failure, Outcome};
use crate::resources::contract::{store, verdict, version};
use crate::runtime::Tx;

/// A schema with its rules.
#[derive(Debug)]
pub struct Newest {
    /// The id that records carry.
    pub id: i32,
    /// The same wherever the content is.
    pub guid: [u8; 16],
    /// The schema.
    pub schema: weir_contract::Schema,
    /// Its rules.
    pub rules: RuleSet,
    /// Its metadata.
    pub metadata: Metadata,
}

/// The newest version of the subject `<topic>-value` of the cluster's environment, if there is one that can be read.
///
/// # Errors
/// The database's.
pub async fn newest_value(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
    topic: &str,
) -> Result<Option<Newest>> {
    match found(tx, scope, cluster, topic).await {
        Ok(found) => Ok(found),
        // What was registered is readable; if it is not, nothing is known of it.
        Err(Failure::Refused(_refusal)) => Ok(None),
        Err(Failure::Broken(error)) => Err(error),
    }
}

/// Does the subject `<topic>-value` of the cluster's environment have this version?
///
/// # Errors
/// The database's.
pub async fn has_value_version(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
    topic: &str,
    number: i32,
) -> Result<bool> {
    let Some(context) = store::context_of_cluster(tx, scope, cluster).await? else {
        return Ok(false);
    };
    let name = format!("{topic}-value");
    let subject = Subject { context, name };
    let Some(contract) = store::find(tx, scope, &subject).await? else {
        return Ok(false);
    };
    let found = version::last(tx, scope, &subject, contract, Some(number), Lookup::Live).await?;
    Ok(found.is_some())
}

async fn found(tx: &mut Tx, scope: TenantScope, cluster: ClusterId, topic: &str) -> Outcome<Option<Newest>> {
    let Some(context) = store::context_of_cluster(tx, scope, cluster).await? else {
        return Ok(None);
    };
    let subject = Subject {
        context,
        name: format!("{topic}-value"),
    };
    let Some(contract) = store::find(tx, scope, &subject).await? else {
        return Ok(None);
    };
    let Some(newest) = version::last(tx, scope, &subject, contract, None, Lookup::Live).await? else {
        return Ok(None);
    };
    let schema = newest.schema;
    let sources = version::sources_of(tx, scope, &schema).await?;
    let parsed = verdict::parse(schema.format, schema.text.clone(), sources, false).await?;
    let rules = schema.rule_set.as_ref().map(verdict::rules_of).transpose()?;
    Ok(Some(Newest {
        id: schema.id,
        guid: *schema.guid.as_bytes(),
        schema: parsed.into_schema(),
        rules: rules.unwrap_or_default(),
        metadata: verdict::metadata_of(schema.metadata.as_ref())?,
    }))
}
