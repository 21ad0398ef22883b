//! The tenant's own switch: it gives and receives shares only once it says so.

mod store;

pub use store::hold;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Caller, TenantScope};
use crate::kernel::{Action, Change, Error, ErrorKind, Result, code};
use crate::resources::owner;
use crate::resources::share::product;
use crate::rest::{Answer, Begun, Call, Write};
use crate::runtime::{App, Tx};

/// Which way a tenant shares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// May it offer topics to other tenants?
    pub gives: bool,
    /// May it take what others offer?
    pub receives: bool,
}

/// The switch, as the tenant left it; off both ways before.
pub async fn read(app: &App, scope: TenantScope) -> Result<Sharing> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let (sharing, _generation) = store::read(&mut tx, scope).await?;
    tx.commit().await?;
    Ok(sharing)
}

/// Turns it. What is shared already goes on: it is ended by whoever gave or took it.
pub async fn write(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    sharing: Sharing,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let (before, _generation) = store::read(write.tx(), scope).await?;
    let generation = store::write(write.tx(), scope, sharing).await?;
    product::set_given(write.tx(), scope, sharing.gives).await?;
    let change = Change::new(
        Action::Act("turn_sharing"),
        scope.tenant(),
        "sharing",
        generation,
        owner(scope),
    );
    let json = |it: Sharing| serde_json::to_value(it).map_err(Error::internal);
    write
        .record(change.with_before(json(before)?).with_after(json(sharing)?))
        .await?;
    write.finish(200, json(sharing)?).await
}

/// Refuses unless the tenant offers topics to others.
pub async fn check_gives(tx: &mut Tx, scope: TenantScope) -> Result<()> {
    let (sharing, _generation) = store::read(tx, scope).await?;
    on(sharing.gives, "gives")
}

/// Refuses unless the tenant takes what others offer.
pub async fn check_receives(tx: &mut Tx, scope: TenantScope) -> Result<()> {
    let (sharing, _generation) = store::read(tx, scope).await?;
    on(sharing.receives, "receives")
}

fn on(switch: bool, name: &str) -> Result<()> {
    if switch {
        return Ok(());
    }
    let detail = format!(
        "The tenant has not turned this on: a tenant administrator sets `{name}` with PUT /v1/sharing."
    );
    Err(Error::new(ErrorKind::Denied, code::SHARING_OFF, detail))
}
