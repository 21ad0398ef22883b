//! The sequencer: gives committed events their positions. One control plane holds its lease at a time.

use std::time::Duration;

use tokio::time::Instant;

use crate::kernel::Result;
use crate::resources::event::store;
use crate::runtime::{App, Lease, Scope};

const LOOK_AGAIN: Duration = Duration::from_secs(1);
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Runs until the process stops.
pub async fn run(app: App) {
    let lease = Lease::new("event_sequencer");
    let mut changes = app.wake.changes();
    let mut forget_at = Instant::now();
    while !app.stop.is_cancelled() {
        match turn(&app, &lease, &mut forget_at).await {
            Ok(0) => {}
            // More may have come meanwhile: look again at once.
            Ok(_) => {
                app.wake.numbered();
                continue;
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "number events"),
        }
        tokio::select! {
            () = app.stop.cancelled() => {}
            _ = changes.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
    // Whoever runs beside this process takes over at once.
    let _best_effort = lease.release(&app.db).await;
}

async fn turn(app: &App, lease: &Lease, forget_at: &mut Instant) -> Result<u64> {
    if !lease.hold(&app.db).await? {
        return Ok(0);
    }
    let mut tx = app.db.begin(&Scope::Operator).await?;
    let numbered = store::number(&mut tx).await?;
    if Instant::now() >= *forget_at {
        store::forget(&mut tx).await?;
        store::forget_answers(&mut tx).await?;
        *forget_at = Instant::now() + FORGET_EVERY;
    }
    tx.commit().await?;
    Ok(numbered)
}
