//! Looks at every rule every few seconds. One control plane holds its lease at a time; what was found before is in the
//! database, so another goes on where it stopped.

use std::time::{Duration, Instant};

use chrono::Utc;

use crate::kernel::{Result, TenantId};
use crate::resources::alert_rule::model::NoDataReason;
use crate::resources::alert_rule::{state, store};
use crate::runtime::{App, Lease, Scope};

const EVERY: Duration = Duration::from_secs(5);
/// For so long after this process began to look, that nobody reports says nothing: agents come back from an absence of ours.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs until the process stops.
pub async fn run(app: App) {
    let lease = Lease::new("alert_evaluator");
    let mut looking_since = None;
    while !app.stop.is_cancelled() {
        if let Err(error) = turn(&app, &lease, &mut looking_since).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "evaluate alert rules");
        }
        tokio::select! {
            () = app.stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    // Whoever runs beside this process takes over at once.
    let _best_effort = lease.release(&app.db).await;
}

async fn turn(app: &App, lease: &Lease, looking_since: &mut Option<Instant>) -> Result<()> {
    if !lease.hold(&app.db).await? {
        *looking_since = None;
        return Ok(());
    }
    let silence = match looking_since.get_or_insert_with(Instant::now).elapsed() {
        recent if recent < PATIENCE => Silence::SaysNothing,
        _long => Silence::IsNoData,
    };
    let mut tx = app.db.read(&Scope::Operator).await?;
    let tenants = store::tenants(&mut tx).await?;
    tx.commit().await?;
    for tenant in tenants {
        // Many tenants may take longer than the lease lasts.
        if !lease.hold(&app.db).await? {
            return Ok(());
        }
        look(app, tenant, silence).await?;
    }
    Ok(())
}

/// What it means that an agent has not reported for a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// Nobody knows the value.
    IsNoData,
    /// It may be we who were away: what was found before stays.
    SaysNothing,
}

/// Looks at the rules of one tenant, under its own scope.
///
/// # Errors
/// The database's.
pub async fn look(app: &App, tenant: TenantId, silence: Silence) -> Result<()> {
    let mut tx = app.db.begin(&Scope::Tenant(tenant)).await?;
    let mut told = false;
    for watched in store::watched(&mut tx, tenant).await? {
        let silent = watched.reading == Err(NoDataReason::NoReport);
        if silent && silence == Silence::SaysNothing {
            continue;
        }
        let found = state::next(
            watched.before,
            watched.reading,
            watched.threshold,
            watched.for_seconds,
            Utc::now(),
        );
        store::keep(&mut tx, tenant, watched.id, found).await?;
        if let Some(action) = state::event(watched.before, found) {
            store::tell(&mut tx, tenant, &watched, action).await?;
            told = true;
        }
    }
    tx.commit().await?;
    if told {
        app.wake.changed();
    }
    Ok(())
}
