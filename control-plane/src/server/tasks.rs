//! Background work: each task takes no input, reads the database, and may die between any two lines.

use tokio_util::task::TaskTracker;

use crate::resources::{access_token, alert_rule, compute_pool, event, service_level, share};
use crate::runtime::App;

/// Starts every task; each ends when the app stops.
pub fn start(app: &App, tracker: &TaskTracker) {
    tracker.spawn(app.wake.clone().run(app.db.clone(), app.stop.clone()));
    tracker.spawn(event::sequencer::run(app.clone()));
    tracker.spawn(access_token::keeper::run(app.clone()));
    tracker.spawn(alert_rule::evaluate::run(app.clone()));
    tracker.spawn(service_level::evaluate::run(app.clone()));
    tracker.spawn(share::expire::run(app.clone()));
    tracker.spawn(compute_pool::evaluate::run(app.clone()));
}
