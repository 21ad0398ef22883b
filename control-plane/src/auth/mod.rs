//! Who calls, and what that caller may do. A permission yields a scope; a query takes the scope.

mod authenticate;
mod behalf;
mod holder;
mod key;
pub mod password;
mod permission;
mod principal;
mod store;

pub use authenticate::{COOKIE, CSRF_HEADER, TENANT_HEADER, authenticate, csrf_token, session_token};
pub use behalf::on_behalf;
pub use key::{LiveKey, api_key};
pub use permission::{
    AdministerDirectory, AdministerTenant, Allowed, DirectoryScope, ManageTenants, Operate, OperateTenant,
    Permission, ReadDirectory, ReadTenant, SignedIn, TenantScope, WriteStreams,
};
pub use principal::{Binding, Caller, Home, Principal, Role, holds};
pub use store::bindings;
