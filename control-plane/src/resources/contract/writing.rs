//! Every change of a contract begins in the same way.

use crate::kernel::Error;
use crate::resources::contract::model::Asker;
use crate::resources::contract::refusal::Outcome;
use crate::resources::owner;
use crate::rest::{Begun, Call, Write};
use crate::runtime::App;

/// A write of the asker's. Clients of the registry repeat a call without a key: what they ask for twice is there once.
pub async fn begin(app: &App, asker: &Asker) -> Outcome<Box<Write>> {
    let call = Call::repeatable(asker.request_id.clone());
    let scope = asker.scope.scope();
    match Write::begin(app, &scope, &asker.caller, owner(asker.scope), &call).await? {
        Begun::Fresh(write) => Ok(write),
        Begun::Replayed(_) => Err(Error::internal("a call without a key was replayed").into()),
    }
}
