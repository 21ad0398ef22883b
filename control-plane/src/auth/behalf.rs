//! A service account that acts by the Kafka protocol: an agent vouches for the login, the database for key and roles.
//!
//! An agent is believed no further than the keys of the clusters that its data plane serves: without a live key of the
//! account for the cluster there is no caller. Only an administrator's roles count, as at the gateway.

use crate::auth::principal::{Caller, Home, Principal, Role};
use crate::auth::store;
use crate::kernel::{DataPlaneId, Error, Id, Result, kind};
use crate::runtime::{App, Scope};

/// The account as a caller, within the tenant of the cluster.
///
/// # Errors
/// 403 when the data plane serves no such cluster, or the account holds no live key for it.
pub async fn on_behalf(
    app: &App,
    data_plane: DataPlaneId,
    cluster: Id<kind::Cluster>,
    account: Id<kind::ServiceAccount>,
) -> Result<Caller> {
    let no_key = || Error::denied("The principal holds no key for this cluster.");
    let mut tx = app.db.read(&Scope::DataPlane(data_plane)).await?;
    let tenant = store::key_holder(&mut tx, data_plane, cluster.uuid(), account.uuid()).await?;
    tx.commit().await?;
    let tenant = tenant.ok_or_else(no_key)?;
    let mut tx = app.db.read(&Scope::Tenant(tenant)).await?;
    let organization = store::organization_of(&mut tx, tenant)
        .await?
        .ok_or_else(no_key)?;
    let mut bindings = store::bindings(&mut tx, account.uuid()).await?;
    tx.commit().await?;
    bindings.retain(|it| it.role >= Role::TenantAdmin);
    Ok(Caller {
        principal: Principal::ServiceAccount(account),
        home: Home::Tenant(organization, tenant),
        bindings,
        tenant: Some((organization, tenant)),
        session: None,
        cluster: Some(cluster),
    })
}
