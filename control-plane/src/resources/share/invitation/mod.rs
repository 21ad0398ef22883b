//! Invitations by e-mail or by link: a token for one use, a week long unless the share ends before. Only its SHA-256 is stored, and rows are found
//! by it, so how long a look-up takes tells nothing of any token. Nothing is mailed: whoever invites hands the token on.

mod store;

use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

pub use store::set_token;
use weir_credentials::{Secret, SecretKind};

use crate::auth::{Caller, DirectoryScope, Home, Principal, TenantScope};
use crate::kernel::{Action, Error, ErrorKind, Result, TenantId, code};
use crate::resources::share::api::SharePreview;
use crate::resources::share::model::{Decision, Share, ShareId, ShareRecipient, decide};
use crate::resources::share::{party, received, store as shares, switch};
use crate::resources::{member, owner};
use crate::rest::{Answer, Begun, Call, Phase, Write, note};
use crate::runtime::tries::Tries;
use crate::runtime::{App, LookupKey, Scope};

/// Looks within a minute from one network address.
const TRIES_PER_ADDRESS: u32 = 30;

static TRIES: LazyLock<Mutex<Tries>> = LazyLock::new(Mutex::default);

/// Counts a look, before anything is looked at.
///
/// # Errors
/// 429 with the time to wait.
pub fn count(address: Option<IpAddr>) -> Result<()> {
    let Some(address) = address else { return Ok(()) };
    let mut tries = TRIES.lock().unwrap_or_else(PoisonError::into_inner);
    let counted = tries.count(address.to_string(), TRIES_PER_ADDRESS, Instant::now());
    counted.map_err(|seconds| {
        let detail = format!("Too many tries; wait {seconds} seconds.");
        let mut error = Error::new(ErrorKind::TooMany, code::TOO_MANY_REQUESTS, detail);
        error.retry_after_seconds = Some(seconds);
        error
    })
}

/// One answer for a token that never was, was used, is over, or belongs to a share that ended.
fn wrong() -> Error {
    let detail = "The invitation is not one, was used, or is over. Ask whoever invited you for another.";
    Error::new(ErrorKind::NotFound, code::WRONG_INVITATION, detail)
}

/// The SHA-256 of a token, and the share that it opens.
async fn find(app: &App, token: &str) -> Result<(TenantId, ShareId)> {
    let secret = Secret::parse(SecretKind::Invitation, token).map_err(|_not_one| wrong())?;
    let hash = secret.sha256();
    let mut tx = app.db.read(&Scope::Lookup(LookupKey::TokenSha256(hash))).await?;
    let found = store::by_token(&mut tx, &hash).await?;
    tx.commit().await?;
    found.ok_or_else(wrong)
}

/// What an invitation is about, for whoever has it: what he would see if he took it. The first look is noted.
pub async fn preview(app: &App, call: &Call, token: &str) -> Result<SharePreview> {
    let (provider, id) = find(app, token).await?;
    let mut tx = app.db.begin(&Scope::Tenant(provider)).await?;
    let provider = TenantScope::turn_to_party(&mut tx, provider).await?;
    shares::hold(&mut tx, provider, id).await?;
    let before = shares::by_id(&mut tx, provider, id).await?;
    if before.phase == Phase::Invited {
        let after = Share {
            phase: decide(before.phase, Decision::Preview)?,
            generation: before.generation + 1,
            ..before.clone()
        };
        shares::update(&mut tx, provider, &before, &after).await?;
        let change = party::given_change(Action::Act("preview"), &after, provider);
        note(&mut tx, &change, "invitation", &call.request_id).await?;
    }
    let shown = received::look(&mut tx, provider, id).await?;
    tx.commit().await?;
    app.wake.changed();
    Ok(shown)
}

/// Takes an invitation for the caller's tenant: the share is among those it receives from then on, and the token is used.
pub async fn claim(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    token: &str,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    switch::check_receives(write.tx(), scope).await?;
    let (provider, id) = find(app, token).await?;
    let email = email_of(app, caller, scope).await?;
    let tx = write.tx();
    let provider = TenantScope::turn_to_party(tx, provider).await?;
    // Of two with the same token the second waits here, and finds it used.
    shares::hold(tx, provider, id).await?;
    let before = shares::by_id(tx, provider, id).await?;
    let open =
        matches!(before.phase, Phase::Invited | Phase::Previewed) && before.invitation_expires_at.is_some();
    if !open || before.recipient.is_some() {
        return Err(wrong());
    }
    if let ShareRecipient::Email { email: invited } = &before.spec.recipient
        && email.as_deref() != Some(invited.as_str())
    {
        let detail = "The invitation is for another e-mail address than the one you signed in with.";
        return Err(Error::denied(detail));
    }
    let after = Share {
        recipient: Some(scope.tenant()),
        generation: before.generation + 1,
        ..before.clone()
    };
    shares::update(tx, provider, &before, &after).await?;
    store::set_token(tx, provider, id, None).await?;
    let action = Action::Act("claim");
    party::tell_provider(tx, provider, scope.tenant(), action, &after, &call.request_id).await?;
    scope.back(tx).await?;
    let row = shares::received_by_id(tx, scope, id).await?;
    let shown = party::received(tx, scope, &row).await?;
    let change = party::received_change(action, &row, scope);
    write.record(change.with_after(shown.clone())).await?;
    write.finish(200, shown).await
}

/// The address that the caller signed in with; a service account has none.
async fn email_of(app: &App, caller: &Caller, scope: TenantScope) -> Result<Option<String>> {
    let Principal::Member(id) = caller.principal else {
        return Ok(None);
    };
    let reach = match caller.home {
        Home::Operator => DirectoryScope::Operator,
        Home::Organization(organization) => DirectoryScope::Organization(organization),
        Home::Tenant(..) => DirectoryScope::Tenant(scope),
    };
    let mut tx = app.db.read(&reach.scope()).await?;
    let found = member::by_id(&mut tx, reach, id).await?;
    tx.commit().await?;
    Ok(Some(found.spec.email))
}
