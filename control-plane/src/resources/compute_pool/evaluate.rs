//! Looks every few seconds at what compute pools used of their budgets. One control plane holds the lease at a time; what was found
//! before is in the database, and each pool is a transaction of its own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Action, Change, ErrorKind, Result, TenantId};
use crate::resources::compute_pool::api::view;
use crate::resources::compute_pool::budget::{BudgetLevel, Turn, month_of, turn};
use crate::resources::compute_pool::model::ComputePoolId;
use crate::resources::compute_pool::store;
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::{owner, served};
use crate::rest::note;
use crate::runtime::{App, Lease, Scope};

const EVERY: Duration = Duration::from_secs(5);
/// Who decided, in the audit.
const WHO: &str = "clock";

/// Runs until the process stops.
pub async fn run(app: App) {
    let lease = Lease::new("compute_budget_evaluator");
    while !app.stop.is_cancelled() {
        if let Err(error) = turn_of(&app, &lease).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "evaluate compute budgets"
            );
        }
        tokio::select! {
            () = app.stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    // Whoever runs beside this process takes over at once.
    let _best_effort = lease.release(&app.db).await;
}

async fn turn_of(app: &App, lease: &Lease) -> Result<()> {
    if !lease.hold(&app.db).await? {
        return Ok(());
    }
    look(app, Utc::now()).await
}

/// Looks at every pool with a budget, or with one that was used up.
///
/// # Errors
/// The database's.
pub async fn look(app: &App, now: DateTime<Utc>) -> Result<()> {
    let month = month_of(now);
    let mut after = Uuid::nil();
    let mut told = false;
    loop {
        let mut tx = app.db.read(&Scope::Operator).await?;
        let pools = store::budgeted(&mut tx, month, after).await?;
        tx.commit().await?;
        for pool in &pools {
            let level = match &pool.budget {
                Some(budget) => budget.level(pool.unit_ms),
                None => BudgetLevel::Within,
            };
            if let Some(turn) = turn(pool.found, (month, level)) {
                told |= settle(app, pool.tenant, pool.id, turn).await?;
            }
        }
        match pools.last() {
            Some(last) if pools.len() as i64 >= store::BATCH => after = last.id.uuid(),
            _no_more => break,
        }
    }
    if told {
        app.wake.changed();
    }
    Ok(())
}

/// Keeps what was found of one pool, tells it, and lets its agent know. Says whether anybody is to hear of it.
async fn settle(app: &App, tenant: TenantId, id: ComputePoolId, turn: Turn) -> Result<bool> {
    let mut tx = app.db.begin(&Scope::Tenant(tenant)).await?;
    let scope = TenantScope::turn_to_party(&mut tx, tenant).await?;
    let before = match store::by_id(&mut tx, scope, id).await {
        // It is gone meanwhile.
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(false),
        found => found?,
    };
    store::keep_found(&mut tx, scope, id, turn.found).await?;
    if let Some(news) = turn.news {
        let report = served::report(&mut tx, id.uuid()).await?;
        let name = before.resource_name();
        let change = Change::new(Action::Act(news), id, &name, before.generation, owner(scope));
        let after = store::by_id(&mut tx, scope, id).await?;
        let change = change
            .with_before(view(before.clone(), report.as_ref()).json()?)
            .with_after(view(after, report.as_ref()).json()?);
        note(&mut tx, &change, WHO, "").await?;
    }
    if turn.tells_agent {
        let n = bump_generation(&mut tx, before.spec.data_plane).await?;
        store::stamp(&mut tx, scope, id, n).await?;
    }
    tx.commit().await?;
    Ok(turn.news.is_some() || turn.tells_agent)
}
