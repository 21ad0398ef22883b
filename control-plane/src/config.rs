//! Flags and environment of the binary.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use weir_spans::OtlpArgs;

use crate::resources::access_token::TOKEN_LIFETIME_MAX;

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
    /// Folder of the certificate authority, the signing key and the sealing key; made at first start. Share it between control planes.
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
    /// How long an access token of POST /v1/oauth/token is good: 10s to 1h.
    #[arg(long, env = "WEIR_TOKEN_LIFETIME", default_value = "15m", value_parser = token_lifetime)]
    pub token_lifetime: Duration,
    /// Connections to PostgreSQL.
    #[arg(long, env = "WEIR_DATABASE_CONNECTIONS_MAX", default_value_t = 20)]
    pub database_connections_max: u32,
    /// Where slow requests are told.
    #[command(flatten)]
    pub otlp: OtlpArgs,
    /// From when on a request is slow: 500ms, 2s.
    #[arg(long, env = "WEIR_SLOW_REQUEST", default_value = "500ms", value_parser = slow_request)]
    pub slow_request: Duration,
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

/// Milliseconds or seconds.
fn slow_request(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time such as 500ms or 2s");
    let (digits, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _any) => (digits, 1),
        (None, Some(digits)) => (digits, 1000),
        (None, None) => return Err(wrong()),
    };
    let number: u32 = digits.parse().map_err(|_not_a_number| wrong())?;
    Ok(Duration::from_millis(u64::from(number) * unit))
}

fn token_lifetime(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time from 10s to 1h, such as 90s or 15m");
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_not_a_number| wrong())?;
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _other => return Err(wrong()),
    };
    let seconds = number.checked_mul(unit).ok_or_else(wrong)?;
    if !(10..=TOKEN_LIFETIME_MAX.as_secs()).contains(&seconds) {
        return Err(wrong());
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_request_takes_milliseconds_or_seconds() {
        assert_eq!(slow_request("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(slow_request("2s"), Ok(Duration::from_secs(2)));
        for wrong in ["", "ms", "2", "2m", "-1s", "99999999999s"] {
            assert!(slow_request(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tokens_live_for_a_bounded_time() {
        assert_eq!(token_lifetime("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(token_lifetime("1h"), Ok(Duration::from_secs(3600)));
        for wrong in [
            "",
            "9s",
            "61m",
            "15",
            "m",
            "-1m",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(token_lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
