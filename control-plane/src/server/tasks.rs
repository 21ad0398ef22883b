//! Background work: each task takes no input, reads the database, and may die between any two lines.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::runtime::App;

/// Starts every task.
pub fn start(app: &App, tracker: &TaskTracker, stop: &CancellationToken) {
    tracker.spawn(app.wake.clone().run(app.db.clone(), stop.clone()));
}
