//! Requests that nobody answered in time: both sides are told. Each is a transaction of its own.

use chrono::Utc;

use crate::auth::TenantScope;
use crate::kernel::{Action, Result, TenantId};
use crate::resources::share::request::model::{AccessRequestId, Decision, decide};
use crate::resources::share::request::{service, store};
use crate::rest::note;
use crate::runtime::{App, Scope};

/// Requests of one turn.
const TURN_MAX: i64 = 500;
/// Who decided, in the audit.
const WHO: &str = "clock";

/// Ends every request whose time is over; gives whether there was one.
///
/// # Errors
/// The database's.
pub async fn look(app: &App) -> Result<bool> {
    let mut tx = app.db.read(&Scope::Operator).await?;
    let over = store::over(&mut tx, TURN_MAX).await?;
    tx.commit().await?;
    let any = !over.is_empty();
    for (owner, id) in over {
        expire(app, owner, id).await?;
    }
    Ok(any)
}

async fn expire(app: &App, owner: TenantId, id: AccessRequestId) -> Result<()> {
    let mut tx = app.db.begin(&Scope::Tenant(owner)).await?;
    let owner = TenantScope::turn_to_party(&mut tx, owner).await?;
    let before = store::hold(&mut tx, owner, id).await?;
    let Ok(after) = decide(&before, Decision::Expire, Utc::now()) else {
        // Somebody decided meanwhile.
        return Ok(());
    };
    store::decided(&mut tx, owner, &before, &after).await?;
    let action = Action::Act(Decision::Expire.name());
    note(&mut tx, &service::change(action, &after, owner), WHO, "").await?;
    service::tell_requester(&mut tx, owner, &after, Decision::Expire, "").await?;
    tx.commit().await
}
