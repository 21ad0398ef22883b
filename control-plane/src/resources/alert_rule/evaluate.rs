//! Looks at every rule every few seconds. One control plane holds its lease at a time; what was found before is in the
//! database, so another goes on where it stopped.

use std::time::Duration;

use chrono::Utc;

use crate::kernel::{Result, TenantId};
use crate::resources::alert_rule::{state, store};
use crate::runtime::{App, Lease, Scope};

const EVERY: Duration = Duration::from_secs(5);

/// Runs until the process stops.
pub async fn run(app: App) {
    let lease = Lease::new("alert_evaluator");
    while !app.stop.is_cancelled() {
        if let Err(error) = turn(&app, &lease).await {
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

async fn turn(app: &App, lease: &Lease) -> Result<()> {
    if !lease.hold(&app.db).await? {
        return Ok(());
    }
    let mut tx = app.db.read(&Scope::Operator).await?;
    let tenants = store::tenants(&mut tx).await?;
    tx.commit().await?;
    for tenant in tenants {
        // Many tenants may take longer than the lease lasts.
        if !lease.hold(&app.db).await? {
            return Ok(());
        }
        look(app, tenant).await?;
    }
    Ok(())
}

/// Looks at the rules of one tenant, under its own scope.
///
/// # Errors
/// The database's.
pub async fn look(app: &App, tenant: TenantId) -> Result<()> {
    let mut tx = app.db.begin(&Scope::Tenant(tenant)).await?;
    let mut told = false;
    for watched in store::watched(&mut tx, tenant).await? {
        let found = state::next(
            watched.before,
            watched.value,
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
