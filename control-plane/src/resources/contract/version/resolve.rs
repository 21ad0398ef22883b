//! The texts that a schema refers to, directly and through others: dependencies first, each once, and no more than a schema may have.

use std::collections::HashSet;

use weir_contract::{Limits, NamedSource};

use crate::auth::TenantScope;
use crate::resources::contract::model::{Context, ContextName, Lookup, Schema, SchemaReference, Subject};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::version::store;
use crate::resources::contract::{read, store as contracts};
use crate::runtime::Tx;

enum Step {
    Visit(Context, SchemaReference),
    Emit(NamedSource),
}

/// What references of a schema in `context` lead to.
pub async fn resolve(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    references: &[SchemaReference],
) -> Outcome<Vec<NamedSource>> {
    let visit = |context: &Context, references: &[SchemaReference]| {
        let steps = references.iter().rev().cloned();
        steps
            .map(|it| Step::Visit(context.clone(), it))
            .collect::<Vec<_>>()
    };
    let mut steps = visit(context, references);
    let (mut seen, mut sources, mut bytes) = (HashSet::new(), Vec::new(), 0_usize);
    while let Some(step) = steps.pop() {
        let (context, reference) = match step {
            Step::Emit(source) => {
                sources.push(source);
                continue;
            }
            Step::Visit(context, reference) => (context, reference),
        };
        if !seen.insert(reference.name.clone()) {
            continue;
        }
        let found = found(tx, scope, &context, &reference).await?;
        bytes += found.text.len();
        if seen.len() > Limits::DEFAULT.references || bytes > Limits::DEFAULT.references_bytes {
            return Err(Refusal::TooLarge(
                "The schema refers to too much, directly or through others.".into(),
            )
            .into());
        }
        let name = reference.name;
        steps.push(Step::Emit(NamedSource {
            name,
            text: found.text,
        }));
        steps.extend(visit(&found.context, &found.references));
    }
    Ok(sources)
}

/// What a stored schema refers to.
pub async fn sources_of(tx: &mut Tx, scope: TenantScope, schema: &Schema) -> Outcome<Vec<NamedSource>> {
    if schema.references.is_empty() {
        return Ok(Vec::new());
    }
    resolve(tx, scope, &schema.context, &schema.references).await
}

async fn found(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    reference: &SchemaReference,
) -> Outcome<Schema> {
    let SchemaReference {
        name: _,
        subject,
        version,
    } = reference;
    let missing = || {
        let text = format!("No schema reference found for subject \"{subject}\" and version {version}");
        Refusal::InvalidSchema(text)
    };
    let (named, name) = ContextName::split(subject);
    let context = read::context(tx, scope, context, named)
        .await?
        .ok_or_else(missing)?;
    let subject = Subject {
        context,
        name: name.to_owned(),
    };
    let id = contracts::find(tx, scope, &subject).await?.ok_or_else(missing)?;
    let wanted = (*version >= 0).then_some(*version);
    let lookup = if wanted.is_some() {
        Lookup::All
    } else {
        Lookup::Live
    };
    let found = store::last(tx, scope, &subject, id, wanted, lookup).await?;
    Ok(found.ok_or_else(missing)?.schema)
}
