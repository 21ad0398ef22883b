//! Flags and environment of the binary.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API, the console and the agents' door.
    Serve(Serve),
    /// Bring the database to this version.
    Migrate(Migrate),
    /// Print the OpenAPI document.
    Openapi,
    /// Tasks of an operator with access to the machine.
    #[command(subcommand)]
    Admin(Admin),
}

/// `serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// PostgreSQL as the plain application role.
    #[arg(long, env = "WEIR_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Folder of the certificate authority and the signing key; made at first start. Share it between control planes.
    #[arg(long, env = "WEIR_STATE_DIR")]
    pub state_dir: PathBuf,
    /// Where the API and console listen.
    #[arg(long, env = "WEIR_HTTP_LISTEN", default_value = "127.0.0.1:9640")]
    pub http_listen: SocketAddr,
    /// Where the agents' door listens.
    #[arg(long, env = "WEIR_LINK_LISTEN", default_value = "127.0.0.1:9641")]
    pub link_listen: SocketAddr,
    /// Where people and programs reach the API.
    #[arg(long, env = "WEIR_PUBLIC_URL", default_value = "http://127.0.0.1:9640")]
    pub public_url: String,
    /// Where agents reach their door.
    #[arg(long, env = "WEIR_LINK_PUBLIC_ADDRESS", default_value = "127.0.0.1:9641")]
    pub link_public_address: String,
    /// Connections to PostgreSQL.
    #[arg(long, env = "WEIR_DATABASE_CONNECTIONS_MAX", default_value_t = 20)]
    pub database_connections_max: u32,
}

/// `migrate`.
#[derive(Debug, Clone, Args)]
pub struct Migrate {
    /// PostgreSQL as the owner of the schema.
    #[arg(long, env = "WEIR_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// The application's role: created if missing, granted the rows.
    #[arg(long, env = "WEIR_APP_ROLE", default_value = "weir_app")]
    pub app_role: String,
    /// A file with the role's password.
    #[arg(long, env = "WEIR_APP_PASSWORD_FILE")]
    pub app_password_file: Option<PathBuf>,
}

/// `admin`.
#[derive(Debug, Clone, Subcommand)]
pub enum Admin {
    /// Create the first operator; repeating it with the same e-mail changes nothing.
    Bootstrap {
        /// PostgreSQL as the plain application role.
        #[arg(long, env = "WEIR_DATABASE_URL", hide_env_values = true)]
        database_url: String,
        /// The operator's e-mail address.
        #[arg(long)]
        email: String,
        /// A file with the operator's password, at least 12 characters.
        #[arg(long)]
        password_file: PathBuf,
    },
}
