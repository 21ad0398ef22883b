//! Which steps a contract may take in its life, and whether a step takes its schemas from records or gives them back.

use weir_contract::Level;

use crate::resources::contract::config::Config;
use crate::resources::contract::model::{Asker, ContractId, Registered};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::standing::ContractLifecycle;
use crate::resources::contract::wish::Metadata;
use crate::resources::contract::{verdict, version};
use crate::runtime::Tx;

/// Refuses a draft after what others may rely on. Under NONE nothing was promised.
pub async fn check(
    tx: &mut Tx,
    asker: &Asker,
    id: ContractId,
    config: &Config,
    metadata: Option<&Metadata>,
) -> Outcome<()> {
    let draft = ContractLifecycle::of(metadata) == Some(ContractLifecycle::Draft);
    if !draft || verdict::level(config.level())? == Level::None {
        return Ok(());
    }
    let (number, said) = match version::last_lifecycle(tx, asker.scope, id).await? {
        Some((number, said)) => (number, ContractLifecycle::read(Some(&said))),
        None => return Ok(()),
    };
    match said {
        None | Some(ContractLifecycle::Draft) => Ok(()),
        Some(stage) => Err(Refusal::Lifecycle(format!(
            "Version {number} is {}, and does not become DRAFT again: others may rely on it. Leave the lifecycle as it is, take \
             another subject, or set the compatibility level NONE, which promises nothing",
            stage.name()
        ))
        .into()),
    }
}

/// Does a new newest version retire the contract, or bring it back?
pub fn turns(before: Option<&Registered>, after: Option<&Metadata>) -> bool {
    let retired = |metadata| ContractLifecycle::of(metadata) == Some(ContractLifecycle::Retired);
    retired(before.and_then(|it| it.schema.metadata.as_ref())) || retired(after)
}
