//! How often somebody may try a wrong password: per e-mail address and per network address, in this process.

use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use crate::kernel::{Error, ErrorKind, Result, code};
use crate::runtime::tries::Tries;

const TRIES_PER_WINDOW: u32 = 10;
/// Many people may come from one address.
const TRIES_PER_ADDRESS: u32 = 60;

static TRIES: LazyLock<Mutex<Tries>> = LazyLock::new(Mutex::default);

/// Counts a try of this e-mail address from this network address. It is counted before the password is looked at, so
/// that many at one time are bounded too.
///
/// # Errors
/// 429 with the time to wait.
pub fn count(email: &str, address: Option<IpAddr>) -> Result<()> {
    let mut tries = TRIES.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let by_email = tries.count(format!("email {email}"), TRIES_PER_WINDOW, now);
    let by_address = address.map_or(Ok(()), |it| {
        tries.count(format!("address {it}"), TRIES_PER_ADDRESS, now)
    });
    by_email.and(by_address).map_err(|seconds| {
        let detail = format!("Too many tries; wait {seconds} seconds.");
        let mut error = Error::new(ErrorKind::TooMany, code::TOO_MANY_REQUESTS, detail);
        error.retry_after_seconds = Some(seconds);
        error
    })
}

/// The password was right: whoever knows it guesses nothing, and scripts may sign in often.
pub fn forgive(email: &str, address: Option<IpAddr>) {
    let mut tries = TRIES.lock().unwrap_or_else(PoisonError::into_inner);
    tries.forgive(&format!("email {email}"));
    if let Some(address) = address {
        tries.forgive(&format!("address {address}"));
    }
}
