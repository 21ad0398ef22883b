//! Shares whose time is over, and requests for them, found every few seconds. Gateways end them by their own clocks, to the second; here the phase follows, the mounts
//! go, and both sides are told. One control plane holds the lease at a time; each share is a transaction of its own.

use std::time::Duration;

use chrono::Utc;

use crate::auth::TenantScope;
use crate::kernel::{Action, Result, TenantId};
use crate::resources::share::model::{Decision, Share, ShareId, decide};
use crate::resources::share::{invitation, party, request, store};
use crate::rest::note;
use crate::runtime::{App, Lease, Scope};

const EVERY: Duration = Duration::from_secs(5);
/// Shares of one turn.
const TURN_MAX: i64 = 500;
/// Who decided, in the audit.
const WHO: &str = "clock";

/// Runs until the process stops.
pub async fn run(app: App) {
    let lease = Lease::new("share_expiry");
    while !app.stop.is_cancelled() {
        if let Err(error) = turn(&app, &lease).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "expire shares");
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
    look(app).await
}

/// Ends every share and every request whose time is over.
///
/// # Errors
/// The database's.
pub async fn look(app: &App) -> Result<()> {
    let mut tx = app.db.read(&Scope::Operator).await?;
    let over = store::over(&mut tx, TURN_MAX).await?;
    tx.commit().await?;
    let any = !over.is_empty() | request::expire(app).await?;
    for (provider, id) in over {
        expire(app, provider, id).await?;
    }
    if any {
        app.wake.changed();
    }
    Ok(())
}

async fn expire(app: &App, provider: TenantId, id: ShareId) -> Result<()> {
    let mut tx = app.db.begin(&Scope::Tenant(provider)).await?;
    let provider = TenantScope::turn_to_party(&mut tx, provider).await?;
    store::hold(&mut tx, provider, id).await?;
    let before = store::by_id(&mut tx, provider, id).await?;
    let Ok(phase) = decide(before.phase, Decision::Expire) else {
        // Somebody ended it meanwhile.
        return Ok(());
    };
    if !before.is_over(Utc::now()) {
        // Somebody moved its end meanwhile.
        return Ok(());
    }
    let after = Share {
        phase,
        decided_at: Some(Utc::now()),
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(&mut tx, provider, &before, &after).await?;
    invitation::set_token(&mut tx, provider, id, None).await?;
    let action = Action::Act(Decision::Expire.name());
    note(&mut tx, &party::given_change(action, &after, provider), WHO, "").await?;
    party::tell_recipient(&mut tx, provider, before.recipient, action, &after, "").await?;
    tx.commit().await
}
