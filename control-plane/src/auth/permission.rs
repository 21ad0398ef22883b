//! Permissions as arguments: a handler that names one cannot run without it, and gets its scope from it.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::auth::authenticate::{authenticate, authenticate_in};
use crate::auth::principal::{Caller, Home, Role};
use crate::auth::store::organization_of;
use crate::kernel::{Error, ErrorKind, Kind as _, OrganizationId, Result, TenantId, code, kind};
use crate::runtime::{App, Scope, Tx};

/// One tenant's rows, by a caller who may.
#[derive(Debug, Clone, Copy)]
pub struct TenantScope {
    organization: OrganizationId,
    tenant: TenantId,
}

impl TenantScope {
    /// The tenant whose rows are meant.
    #[must_use]
    pub const fn tenant(self) -> TenantId {
        self.tenant
    }
    /// The tenant's organization.
    #[must_use]
    pub const fn organization(self) -> OrganizationId {
        self.organization
    }
    /// For the database.
    #[must_use]
    pub const fn scope(self) -> Scope {
        Scope::Tenant(self.tenant)
    }

    /// Goes on as the other side of what two tenants agreed upon, a share: what showed before shows no more. Whoever turns there names the
    /// agreement first, under his own scope, and turns back ([`TenantScope::back`]) before he goes on for himself.
    ///
    /// # Errors
    /// 404 when the other tenant is gone.
    pub async fn turn_to_party(tx: &mut Tx, other: TenantId) -> Result<Self> {
        tx.turn_to(other).await?;
        let organization = organization_of(tx, other).await?;
        let organization = organization.ok_or_else(|| Error::not_found(kind::Tenant::KIND))?;
        Ok(Self {
            organization,
            tenant: other,
        })
    }

    /// Goes on under this scope again.
    ///
    /// # Errors
    /// The database's.
    pub async fn back(self, tx: &mut Tx) -> Result<()> {
        tx.turn_to(self.tenant).await
    }
}

/// Part of the directory: one tenant's people, an organization's tenants and people, or all.
#[derive(Debug, Clone, Copy)]
pub enum DirectoryScope {
    /// Within a tenant.
    Tenant(TenantScope),
    /// Within an organization.
    Organization(OrganizationId),
    /// The whole installation.
    Operator,
}

impl DirectoryScope {
    /// For the database.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Tenant(scope) => scope.scope(),
            Self::Organization(id) => Scope::Organization(id),
            Self::Operator => Scope::Operator,
        }
    }
    /// The tenant, if the scope is one.
    #[must_use]
    pub const fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Tenant(scope) => Some(scope.tenant),
            Self::Organization(_) | Self::Operator => None,
        }
    }
    /// The organization, unless the scope is the whole installation.
    #[must_use]
    pub const fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::Tenant(scope) => Some(scope.organization),
            Self::Organization(id) => Some(id),
            Self::Operator => None,
        }
    }
}

/// What a caller must hold, and the scope that holding it gives.
pub trait Permission: 'static {
    /// The scope.
    type Scope: Send;
    /// Checks the caller.
    ///
    /// # Errors
    /// 403 or 422 saying what is missing.
    fn grant(caller: &Caller) -> Result<Self::Scope>;
}

/// A caller that holds `P`; extracting it authenticates.
#[derive(Debug)]
pub struct Allowed<P: Permission> {
    /// Who.
    pub caller: Caller,
    /// What the permission opens.
    pub scope: P::Scope,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<App> for Allowed<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = authenticate(app, &parts.method, &parts.headers).await?;
        Self::to(caller)
    }
}

impl<P: Permission> Allowed<P> {
    fn to(caller: Caller) -> Result<Self> {
        let scope = P::grant(&caller)?;
        Ok(Self {
            caller,
            scope,
            permission: PhantomData,
        })
    }
}

impl<P: Permission<Scope = TenantScope>> Allowed<P> {
    /// For who only reads: a key's holder goes on in the transaction in which he was found. It is read-only and shows his tenant,
    /// which is the scope's. It holds a connection, so nothing may be waited for but the database.
    ///
    /// # Errors
    /// As the extractor's.
    pub async fn to_read(parts: &Parts, app: &App) -> Result<(Self, Option<Tx>)> {
        let (caller, tx) = authenticate_in(app, &parts.method, &parts.headers).await?;
        let allowed = Self::to(caller)?;
        let own = matches!(allowed.caller.home, Home::Tenant(_, own) if own == allowed.scope.tenant());
        Ok((allowed, tx.filter(|_| own)))
    }
}

fn within_tenant(caller: &Caller, least: Role) -> Result<TenantScope> {
    let Some((organization, tenant)) = caller.tenant else {
        let detail = "Name the tenant that the request is about in the Weir-Tenant header.";
        return Err(Error::new(ErrorKind::Denied, code::TENANT_REQUIRED, detail));
    };
    match caller.role_in(organization, tenant) {
        Some(role) if role >= least => Ok(TenantScope { organization, tenant }),
        _ => Err(Error::denied(format!(
            "This needs the role {} in the tenant. A tenant administrator can grant it.",
            least.name()
        ))),
    }
}

/// Anybody who is signed in.
#[derive(Debug)]
pub enum SignedIn {}
impl Permission for SignedIn {
    type Scope = ();
    fn grant(_caller: &Caller) -> Result<()> {
        Ok(())
    }
}

/// To read a tenant's objects.
#[derive(Debug)]
pub enum ReadTenant {}
impl Permission for ReadTenant {
    type Scope = TenantScope;
    fn grant(caller: &Caller) -> Result<TenantScope> {
        within_tenant(caller, Role::Reader)
    }
}

/// To change streams; services check the pattern of each resource besides ([`Caller::require`]).
#[derive(Debug)]
pub enum WriteStreams {}
impl Permission for WriteStreams {
    type Scope = TenantScope;
    fn grant(caller: &Caller) -> Result<TenantScope> {
        within_tenant(caller, Role::Developer)
    }
}

/// To administer a tenant.
#[derive(Debug)]
pub enum AdministerTenant {}
impl Permission for AdministerTenant {
    type Scope = TenantScope;
    fn grant(caller: &Caller) -> Result<TenantScope> {
        within_tenant(caller, Role::TenantAdmin)
    }
}

fn directory(caller: &Caller, least: Role) -> Result<DirectoryScope> {
    if caller.tenant.is_some() {
        return within_tenant(caller, least).map(DirectoryScope::Tenant);
    }
    if caller.is_operator() {
        return Ok(DirectoryScope::Operator);
    }
    match caller.home {
        Home::Organization(id) if caller.administers(id) => Ok(DirectoryScope::Organization(id)),
        _ => Err(Error::denied(
            "This needs the role ORGANIZATION_ADMIN. An operator can grant it.",
        )),
    }
}

/// To read people, bindings, tenants or organizations within reach.
#[derive(Debug)]
pub enum ReadDirectory {}
impl Permission for ReadDirectory {
    type Scope = DirectoryScope;
    fn grant(caller: &Caller) -> Result<DirectoryScope> {
        directory(caller, Role::Reader)
    }
}

/// To change people, bindings or tenants within reach.
#[derive(Debug)]
pub enum AdministerDirectory {}
impl Permission for AdministerDirectory {
    type Scope = DirectoryScope;
    fn grant(caller: &Caller) -> Result<DirectoryScope> {
        directory(caller, Role::TenantAdmin)
    }
}

/// To run the installation.
#[derive(Debug)]
pub enum Operate {}
impl Permission for Operate {
    type Scope = DirectoryScope;
    fn grant(caller: &Caller) -> Result<DirectoryScope> {
        if caller.is_operator() {
            return Ok(DirectoryScope::Operator);
        }
        Err(Error::denied("This is for operators of the installation."))
    }
}

/// To decide, as who runs the installation, about one tenant: the one that the request names.
#[derive(Debug)]
pub enum OperateTenant {}
impl Permission for OperateTenant {
    type Scope = TenantScope;
    fn grant(caller: &Caller) -> Result<TenantScope> {
        Operate::grant(caller)?;
        within_tenant(caller, Role::TenantAdmin)
    }
}

/// To change tenants: above them, so for organization administrators and operators.
#[derive(Debug)]
pub enum ManageTenants {}
impl Permission for ManageTenants {
    type Scope = DirectoryScope;
    fn grant(caller: &Caller) -> Result<DirectoryScope> {
        match caller.home {
            Home::Operator if caller.is_operator() => Ok(DirectoryScope::Operator),
            Home::Organization(id) if caller.administers(id) => Ok(DirectoryScope::Organization(id)),
            _ => Err(Error::denied(
                "This needs the role ORGANIZATION_ADMIN. An operator can grant it.",
            )),
        }
    }
}
