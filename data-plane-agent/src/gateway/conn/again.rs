//! Logging in again on a live connection (KIP-368): the same mechanism, the same service account, the same cluster.
//!
//! A token ends before its connection does. Its client is told how long the login is good and logs in again in time, between two other
//! requests; when it does not, the next request that is none of a login ends the connection.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::RequestHeader;

use super::End;
use super::login::{Stepped, handshake, refused, step};
use super::serve::{Line, Pending};
use crate::gateway::sasl::{Exchange, Login};
use crate::gateway::view::now_unix_ms;

/// Who is logged in, and the login under way.
pub(super) struct Again {
    login: Mutex<Login>,
    mechanism: &'static str,
    exchange: Mutex<Option<Exchange>>,
    /// When a token's login ends; 0: never, or with its key, which others watch.
    ends_at_ms: AtomicI64,
    refused: AtomicBool,
}

fn of_token(login: &Login) -> i64 {
    login
        .token
        .as_ref()
        .map_or(0, |it| it.expires_at.saturating_mul(1000))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Again {
    pub(super) fn new(login: Login, mechanism: &'static str) -> Self {
        Self {
            ends_at_ms: AtomicI64::new(of_token(&login)),
            login: Mutex::new(login),
            mechanism,
            exchange: Mutex::default(),
            refused: AtomicBool::new(false),
        }
    }

    /// Who is logged in now.
    pub(super) fn login(&self) -> Login {
        lock(&self.login).clone()
    }

    /// Is the login still good?
    pub(super) fn in_time(&self) -> Result<(), End> {
        match self.ends_at_ms.load(Ordering::Relaxed) {
            0 => Ok(()),
            end if now_unix_ms() < end => Ok(()),
            _outlived => Err(End::Outlived),
        }
    }

    /// Why a connection that reads no more has ended.
    pub(super) fn end(&self) -> End {
        if self.refused.load(Ordering::Relaxed) {
            End::Authentication
        } else {
            End::Draining
        }
    }

    /// Takes over, unless it is somebody else: a connection never changes hands.
    fn renew(&self, login: Login) -> bool {
        let mut held = lock(&self.login);
        if held.key.principal != login.key.principal || held.key.cluster != login.key.cluster {
            return false;
        }
        self.ends_at_ms.store(of_token(&login), Ordering::Relaxed);
        *held = login;
        true
    }
}

impl Line<'_> {
    /// Takes a request of a login. A refusal is answered, and then the connection ends.
    pub(super) fn log_in_again(&self, own: ApiKey, header: &RequestHeader, body: Bytes) -> Result<(), End> {
        let (answer, accepted) = match own {
            ApiKey::SaslHandshake => self.begin_again(header, body)?,
            _authenticate => self.step_again(header, body)?,
        };
        if !accepted {
            // No more is read; the connection ends when the last answer is out.
            self.again.refused.store(true, Ordering::Relaxed);
            self.stopping.store(true, Ordering::Relaxed);
        }
        self.push(Pending::Local(answer), None);
        Ok(())
    }

    fn begin_again(&self, header: &RequestHeader, body: Bytes) -> Result<(Bytes, bool), End> {
        let (exchange, answer) = handshake(header, body, Budget::STRANGER)?;
        let accepted = exchange.is_some();
        *lock(&self.again.exchange) = exchange;
        Ok((answer, accepted))
    }

    fn step_again(&self, header: &RequestHeader, body: Bytes) -> Result<(Bytes, bool), End> {
        let mut slot = lock(&self.again.exchange);
        let Some(mut exchange) = slot.take() else {
            return Err(End::Early(header.api_key, header.version));
        };
        let same = exchange.mechanism() == self.again.mechanism;
        match step(self.gateway, &mut exchange, header, body, Budget::STRANGER)? {
            Stepped::Under(answer) => {
                *slot = Some(exchange);
                Ok((answer, true))
            }
            Stepped::Done(login, answer) if same && self.again.renew(login.clone()) => Ok((answer, true)),
            Stepped::Done(..) | Stepped::Failed => Ok((refused(header)?, false)),
        }
    }
}
