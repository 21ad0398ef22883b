//! The one write wrapper: scope, idempotency, policy, effect, audit, event, stored answer, commit, wake-up.
//!
//! A service function begins it, makes its effect through [`Write::tx`], records each change, and finishes with the
//! answer. `dry_run` is the same path rolled back, answered with the plan. Dropping it unfinished rolls back.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::Caller;
use crate::kernel::{Change, Error, Kind as _, Owner, Result, kind};
use crate::rest::extract::Call;
use crate::rest::idempotency::{self, First};
use crate::runtime::{App, Scope, Tx};

/// A write under way.
#[derive(Debug)]
pub struct Write {
    tx: Tx,
    app: App,
    caller: Caller,
    owner: Owner,
    call: Call,
    changes: Vec<Change>,
}

/// What a call begins with.
#[derive(Debug)]
pub enum Begun {
    /// Nothing was done under this key: go on.
    Fresh(Box<Write>),
    /// It was done: this was the answer.
    Replayed(Answer),
}

/// The answer of a mutation.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON; empty for 204.
    pub body: Vec<u8>,
    /// Was this a plan?
    pub planned: bool,
}

impl Write {
    /// Begins under a scope; a key that was used before gives its first answer.
    ///
    /// # Errors
    /// 409 while a call with the same key is under way, 422 when the key stands for another request.
    pub async fn begin(
        app: &App,
        scope: &Scope,
        caller: &Caller,
        owner: Owner,
        call: &Call,
    ) -> Result<Begun> {
        let mut tx = app.db.begin(scope).await?;
        if let Some(First { status, body }) =
            idempotency::claim(&mut tx, caller.principal.uuid(), owner, call).await?
        {
            tx.rollback().await?;
            return Ok(Begun::Replayed(Answer {
                status,
                body,
                planned: false,
            }));
        }
        let (app, caller, call) = (app.clone(), caller.clone(), call.clone());
        Ok(Begun::Fresh(Box::new(Self {
            tx,
            app,
            caller,
            owner,
            call,
            changes: Vec::new(),
        })))
    }

    /// The transaction.
    pub const fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Who writes.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// How it was called.
    #[must_use]
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// Whose record it goes to, unless a change says otherwise.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        self.owner
    }

    /// Records a change: it passes the policies and gets its audit and event rows.
    ///
    /// # Errors
    /// A policy's refusal, or the database's.
    pub async fn record(&mut self, change: Change) -> Result<()> {
        for policy in &self.app.policies {
            policy(&change)?;
        }
        let who = self.caller.principal.to_string();
        note(&mut self.tx, &change, &who, &self.call.request_id).await?;
        self.changes.push(change);
        Ok(())
    }

    /// Ends with an object: 201, 200 or 202.
    ///
    /// # Errors
    /// The database's.
    pub async fn finish(self, status: u16, body: Value) -> Result<Answer> {
        let body = serde_json::to_vec(&body).map_err(Error::internal)?;
        self.end(status, body).await
    }

    /// Ends without a body: 204.
    ///
    /// # Errors
    /// The database's.
    pub async fn finish_empty(self) -> Result<Answer> {
        self.end(204, Vec::new()).await
    }

    async fn end(mut self, status: u16, body: Vec<u8>) -> Result<Answer> {
        if self.call.dry_run {
            let body = serde_json::to_vec(&plan(&self.changes)).map_err(Error::internal)?;
            self.tx.rollback().await?;
            return Ok(Answer {
                status: 200,
                body,
                planned: true,
            });
        }
        let principal = self.caller.principal.uuid();
        idempotency::keep(&mut self.tx, principal, self.owner, &self.call, status, &body).await?;
        let committed = self.tx.commit().await;
        // Elsewhere the database tells; here nobody gets an answer before what he changed is forgotten.
        if self.changes.iter().any(turns_rights) {
            self.app.memory.rights.forget();
        }
        committed?;
        self.app.wake.changed();
        Ok(Answer {
            status,
            body,
            planned: false,
        })
    }
}

/// Audit and event of a change, for the record of its owner. Who writes without a caller (a clock, a sweep) says so in `who`.
///
/// # Errors
/// The database's.
pub async fn note(tx: &mut Tx, change: &Change, who: &str, request_id: &str) -> Result<()> {
    let (organization, tenant) = (
        change.owner.organization.map(|it| it.uuid()),
        change.owner.tenant.map(|it| it.uuid()),
    );
    sqlx::query!(
        "WITH audited AS (
             INSERT INTO audit_event (id, organization_id, tenant_id, principal, action, kind, object_id,
                 resource_name, before, after, request_id)
             VALUES ($1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))
         INSERT INTO event (id, organization_id, tenant_id, kind, object_id, action, generation)
         VALUES ($2, $3, $4, $7, $8, $6, $13)",
        Uuid::now_v7(),
        Uuid::now_v7(),
        organization,
        tenant,
        who,
        change.action.name(),
        change.kind,
        change.uuid,
        change.resource_name,
        change.before,
        change.after,
        request_id,
        change.generation,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// May somebody do more or less after this change, or in another place?
fn turns_rights(change: &Change) -> bool {
    [
        kind::ApiKey::KIND,
        kind::RoleBinding::KIND,
        kind::ServiceAccount::KIND,
        kind::Tenant::KIND,
        kind::Organization::KIND,
        kind::Environment::KIND,
        kind::Cluster::KIND,
    ]
    .contains(&change.kind)
}

/// What `dry_run` answers with.
fn plan(changes: &[Change]) -> Value {
    let changes: Vec<Value> = changes
        .iter()
        .map(|it| {
            json!({
                "action": it.action.name(), "kind": it.kind, "id": it.id, "resource_name": it.resource_name,
                "before": it.before, "after": it.after,
            })
        })
        .collect();
    json!({"api_version": "v1", "kind": "Plan", "changes": changes})
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let generation = serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|it| it.pointer("/metadata/generation").and_then(Value::as_i64));
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = status;
        if status != StatusCode::NO_CONTENT {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(etag) = generation.and_then(|it| HeaderValue::from_str(&format!("\"{it}\"")).ok()) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}
