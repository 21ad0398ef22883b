//! Log lines: readable alone, queryable as JSON; levels by `RUST_LOG`.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error; JSON when `WEIR_LOG_FORMAT=json`.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::env::var("WEIR_LOG_FORMAT").is_ok_and(|it| it == "json") {
        builder.json().init();
    } else {
        builder.with_ansi(false).init();
    }
}
