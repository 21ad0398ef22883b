//! Passwords of people: Argon2id (RFC 9106), off the async threads, bounded in length.

use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::kernel::{Error, Result, code};

/// Shortest password that a person may choose.
pub const LENGTH_MIN: usize = 12;
/// Longest: hashing is work that a stranger can ask for.
pub const LENGTH_MAX: usize = 256;

/// How many are hashed at once: each takes 19 MiB and a core, and strangers can ask for it.
static TURNS: Semaphore = Semaphore::const_new(4);
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// Hashes with a fresh salt.
///
/// # Errors
/// When the system cannot give random numbers.
pub async fn hash(password: String) -> Result<String> {
    blocking(move || {
        let hashed: PasswordHash = Argon2::default()
            .hash_password(password.as_bytes())
            .map_err(into_internal)?;
        Ok(hashed.to_string())
    })
    .await
}

/// Checks a password. Without a stored hash the same work is done, so that time does not tell who exists.
///
/// # Errors
/// When the stored hash cannot be read.
pub async fn verify(stored: Option<String>, presented: String) -> Result<bool> {
    if presented.len() > LENGTH_MAX {
        return Ok(false);
    }
    blocking(move || {
        let Some(stored) = stored else {
            let _same_work: PasswordHash = Argon2::default()
                .hash_password(presented.as_bytes())
                .map_err(into_internal)?;
            return Ok(false);
        };
        let parsed = PasswordHash::new(&stored).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Argon2::default()
            .verify_password(presented.as_bytes(), &parsed)
            .is_ok())
    })
    .await
}

fn into_internal(error: argon2::password_hash::Error) -> Error {
    Error::internal(error.to_string())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let busy = || {
        Error::unavailable(
            code::BUSY,
            "Too many people sign in at this moment; try again.",
            5,
        )
    };
    let _turn = tokio::time::timeout(TURN_WITHIN, TURNS.acquire())
        .await
        .map_err(|_| busy())?
        .map_err(Error::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
