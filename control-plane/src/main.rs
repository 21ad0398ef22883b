//! `weir-control-plane`: serve | migrate | openapi | admin.

use clap::Parser as _;
use weir_control_plane::config::Command;
use weir_control_plane::{runtime, server};

#[derive(Debug, clap::Parser)]
#[command(version, about = "The control plane of Weir")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { command } = Arguments::parse();
    match command {
        Command::Openapi => {
            use std::io::Write as _;
            let document = server::rest::document().to_pretty_json()?;
            Ok(writeln!(std::io::stdout(), "{document}")?)
        }
        Command::Migrate(migrate) => {
            runtime::telemetry::start();
            server::admin::migrate(migrate).await
        }
        Command::Admin(admin) => {
            runtime::telemetry::start();
            server::admin::run(admin).await
        }
        Command::Serve(serve) => {
            runtime::telemetry::start();
            server::serve::run(serve).await
        }
    }
}
