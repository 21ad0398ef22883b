//! Signing in, looking at the own session, signing out.

use std::net::IpAddr;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use weir_credentials::{Secret, SecretKind};

use crate::auth::{Caller, Home, Principal, bindings, csrf_token, password};
use crate::kernel::{Action, Change, Error, ErrorKind, Id, MemberId, Owner, Result, code, kind};
use crate::resources::member;
use crate::resources::session::api::{Session, SignIn, SignedInMember};
use crate::resources::session::{limit, store};
use crate::rest::{Answer, Begun, Call, Write};
use crate::runtime::{App, LookupKey, Scope};

const LIFE: TimeDelta = TimeDelta::hours(12);

/// The answer of a sign-in, and the token for the cookie.
pub struct SignedIn {
    pub answer: Answer,
    pub token: String,
    pub life: TimeDelta,
}

/// Checks the password and opens a session. A wrong password and an unknown address take the same work and get the
/// same answer.
pub async fn sign_in(app: &App, mut call: Call, input: SignIn, address: Option<IpAddr>) -> Result<SignedIn> {
    let SignIn { email, password } = input;
    // What cannot be an address is nobody's: neither the database nor the memory of tries should meet a stranger's text.
    let email = Some(member::normalised(&email))
        .filter(|it| member::is_email(it))
        .unwrap_or_default();
    limit::count(&email, address)?;
    let lookup = Scope::Lookup(LookupKey::Email(email.clone()));
    let mut tx = app.db.read(&lookup).await?;
    let found = member::by_email(&mut tx, &email).await?;
    tx.commit().await?;
    let hash = found.as_ref().map(|(_, _, hash)| hash.clone());
    let right = password::verify(hash, password).await?;
    let Some((id, home, _)) = found.filter(|_| right) else {
        let detail = "The e-mail address or the password is wrong.";
        return Err(Error::new(
            ErrorKind::Unauthenticated,
            code::WRONG_PASSWORD,
            detail,
        ));
    };
    limit::forgive(&email, address);
    // Read only now: before, a known address would take longer than an unknown one.
    let mut tx = app.db.read(&lookup).await?;
    let held = bindings(&mut tx, id.uuid()).await?;
    tx.commit().await?;
    // Every sign-in opens a session of its own.
    call.idempotency_key = None;
    let tenant = match home {
        Home::Tenant(organization, tenant) => Some((organization, tenant)),
        Home::Operator | Home::Organization(_) => None,
    };
    let caller = Caller {
        principal: Principal::Member(id),
        home,
        bindings: held,
        tenant,
        session: None,
        cluster: None,
    };
    open(app, &caller, home, &call, id, &email).await
}

async fn open(
    app: &App,
    caller: &Caller,
    home: Home,
    call: &Call,
    id: MemberId,
    email: &str,
) -> Result<SignedIn> {
    let token = Secret::generate(SecretKind::Session).map_err(Error::internal)?;
    let (session, expires_at) = (Id::<kind::Session>::generate(), Utc::now() + LIFE);
    let begun = Write::begin(app, &scope(home), caller, owner(home), call).await?;
    let Begun::Fresh(mut write) = begun else {
        return Err(Error::internal("replay a sign-in"));
    };
    store::insert(
        write.tx(),
        session.uuid(),
        &token.sha256(),
        id,
        email,
        home,
        expires_at,
    )
    .await?;
    member::signed_in(write.tx(), id).await?;
    let change = Change::new(
        Action::Act("sign_in"),
        session,
        &format!("member={email}"),
        1,
        owner(home),
    );
    write.record(change).await?;
    let answer = write.finish(201, Value::Null).await?;
    let mut shown = current(app, caller, &token).await?;
    shown.token = Some(token.reveal().to_owned());
    let body = serde_json::to_vec(&shown).map_err(Error::internal)?;
    Ok(SignedIn {
        answer: Answer { body, ..answer },
        token: token.reveal().to_owned(),
        life: LIFE,
    })
}

/// The session that the presented token opens.
pub async fn current(app: &App, caller: &Caller, token: &Secret) -> Result<Session> {
    let hash = token.sha256();
    let mut tx = app.db.read(&Scope::Lookup(LookupKey::TokenSha256(hash))).await?;
    let row = store::by_token(&mut tx, &hash).await?;
    tx.commit().await?;
    let (organization, tenant) = match row.home {
        Home::Operator => (None, None),
        Home::Organization(organization) => (Some(organization), None),
        Home::Tenant(organization, tenant) => (Some(organization), Some(tenant)),
    };
    let mut roles: Vec<_> = caller.bindings.iter().map(|it| it.role).collect();
    roles.sort();
    roles.dedup();
    let member = SignedInMember {
        id: row.member,
        email: row.email,
        display_name: row.display_name,
        organization,
        tenant,
        roles,
    };
    let csrf_token = csrf_token(token.reveal());
    Ok(Session {
        kind: "Session",
        token: None,
        csrf_token,
        expires_at: row.expires_at,
        member,
    })
}

/// Ends the session that the presented token opens.
pub async fn sign_out(app: &App, caller: &Caller, call: &Call, token: &Secret) -> Result<Answer> {
    let hash = token.sha256();
    let home = caller.home;
    let begun = Write::begin(app, &scope(home), caller, owner(home), call).await?;
    let Begun::Fresh(mut write) = begun else {
        return Err(Error::internal("replay a sign-out"));
    };
    store::delete(write.tx(), &hash).await?;
    let session = Id::<kind::Session>::generate();
    let change = Change::new(
        Action::Act("sign_out"),
        session,
        &format!("principal={}", caller.principal),
        1,
        owner(home),
    );
    write.record(change).await?;
    write.finish_empty().await
}

const fn scope(home: Home) -> Scope {
    match home {
        Home::Operator => Scope::Operator,
        Home::Organization(organization) => Scope::Organization(organization),
        Home::Tenant(_, tenant) => Scope::Tenant(tenant),
    }
}

const fn owner(home: Home) -> Owner {
    match home {
        Home::Operator => Owner {
            organization: None,
            tenant: None,
        },
        Home::Organization(organization) => Owner {
            organization: Some(organization),
            tenant: None,
        },
        Home::Tenant(organization, tenant) => Owner {
            organization: Some(organization),
            tenant: Some(tenant),
        },
    }
}
