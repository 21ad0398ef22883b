//! How many tokens somebody may ask for in a minute: by client and by network address, in this process.

use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::kernel::ApiKeyId;
use crate::runtime::tries::Tries;

/// A client needs a token every few minutes for each of its processes.
const PER_CLIENT: u32 = 120;
/// Wrong credentials from one address.
const FAILED_PER_ADDRESS: u32 = 60;

static TRIES: LazyLock<Mutex<Tries>> = LazyLock::new(Mutex::default);

/// Counts an attempt from an address, before its credentials are looked at.
///
/// # Errors
/// The seconds to wait.
pub fn attempt(address: Option<IpAddr>) -> Result<(), u64> {
    let Some(address) = address else { return Ok(()) };
    lock().count(format!("address {address}"), FAILED_PER_ADDRESS, Instant::now())
}

/// The credentials were right: many clients may come from one address. Counts by client only now, so that nobody else can use up
/// what a client may ask for.
///
/// # Errors
/// The seconds to wait.
pub fn proven(client: ApiKeyId, address: Option<IpAddr>) -> Result<(), u64> {
    let mut tries = lock();
    if let Some(address) = address {
        tries.forgive(&format!("address {address}"));
    }
    tries.count(format!("client {client}"), PER_CLIENT, Instant::now())
}

fn lock() -> MutexGuard<'static, Tries> {
    TRIES.lock().unwrap_or_else(PoisonError::into_inner)
}
