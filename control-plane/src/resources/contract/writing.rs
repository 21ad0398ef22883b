//! Every change of a contract begins in the same way, and what changes the versions that stand ends in the same way.

use uuid::Uuid;

use crate::kernel::Error;
use crate::resources::contract::model::{Asker, Subject};
use crate::resources::contract::refusal::Outcome;
use crate::resources::{owner, topic};
use crate::rest::{Begun, Call, Write};
use crate::runtime::{App, Tx};

/// A write of the asker's. Clients of the registry repeat a call without a key: what they ask for twice is there once.
pub async fn begin(app: &App, asker: &Asker) -> Outcome<Box<Write>> {
    let call = Call::repeatable(asker.request_id.clone());
    let scope = asker.scope.scope();
    match Write::begin(app, &scope, &asker.caller, owner(asker.scope), &call).await? {
        Begun::Fresh(write) => Ok(write),
        Begun::Replayed(_) => Err(Error::internal("a call without a key was replayed").into()),
    }
}

/// Tells the gateways of topics that take schemas of the subject, if there are some; last in the transaction. `schemas` are those
/// that it gained or lost.
pub async fn tell_gateways(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    schemas: &[Uuid],
) -> Outcome<bool> {
    // No topic is in the default context.
    let Some(environment) = subject.context.environment else {
        return Ok(false);
    };
    let tx = write.tx();
    Ok(topic::tell_of_subject(tx, asker.scope, environment, &subject.name, schemas).await?)
}

/// Are there gateways of topics that take schemas of the subject and do not have this one yet?
pub async fn gateways_wait(tx: &mut Tx, asker: &Asker, subject: &Subject, schema: Uuid) -> Outcome<bool> {
    let Some(environment) = subject.context.environment else {
        return Ok(false);
    };
    Ok(topic::behind_subject(tx, asker.scope, environment, &subject.name, &[schema]).await?)
}

/// Waits until the gateways of topics that take schemas of the subject have this one, so that its id can be used at once.
pub async fn until_gateways_know(app: &App, asker: &Asker, subject: &Subject, schema: Uuid) -> Outcome<()> {
    let Some(environment) = subject.context.environment else {
        return Ok(());
    };
    topic::until_judged(app, asker.scope, environment, &subject.name, &[schema]).await?;
    Ok(())
}
