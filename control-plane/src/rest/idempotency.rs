//! First answers, kept so that a retry repeats no effect. An answer may show a secret once, so it is sealed under a
//! key derived from the caller's Idempotency-Key, of which only a hash is kept.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use weir_credentials::sha256;

use crate::kernel::{Error, ErrorKind, Owner, Result, code};
use crate::rest::extract::Call;
use crate::runtime::Tx;

/// A stored first answer.
pub struct First {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Looks for a first answer to the same key. Holds the key for the rest of the transaction.
pub async fn claim(tx: &mut Tx, principal: uuid::Uuid, owner: Owner, call: &Call) -> Result<Option<First>> {
    let Some(key) = call.idempotency_key.as_deref() else {
        return Ok(None);
    };
    let hash = stored_key(owner, key);
    let mut lock = [0_u8; 8];
    lock.copy_from_slice(&sha256([principal.as_bytes().as_slice(), &hash].concat().as_slice())[..8]);
    let free = sqlx::query_scalar!("SELECT pg_try_advisory_xact_lock($1)", i64::from_be_bytes(lock))
        .fetch_one(tx.conn())
        .await?;
    if free != Some(true) {
        let detail = "A call with this Idempotency-Key is under way; repeat it when that has ended.";
        return Err(Error::conflict(code::IN_FLIGHT, detail));
    }
    let row = sqlx::query!(
        "SELECT request_sha256, status, answer FROM idempotency
         WHERE principal_id = $1 AND key_sha256 = $2 AND created_at > now() - interval '24 hours'",
        principal,
        hash.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.request_sha256 != request_hash(key, &call.fingerprint) {
        let detail = "This Idempotency-Key was used for another request; take a new key for a new request.";
        return Err(Error::new(
            ErrorKind::Invalid,
            code::IDEMPOTENCY_KEY_REUSED,
            detail,
        ));
    }
    let status = u16::try_from(row.status).map_err(Error::internal)?;
    Ok(Some(First {
        status,
        body: open(key, row.answer)?,
    }))
}

/// Keeps the first answer, in the transaction of its effect.
pub async fn keep(
    tx: &mut Tx,
    principal: uuid::Uuid,
    owner: Owner,
    call: &Call,
    status: u16,
    body: &[u8],
) -> Result<()> {
    let Some(key) = call.idempotency_key.as_deref() else {
        return Ok(());
    };
    let (hash, request) = (stored_key(owner, key), request_hash(key, &call.fingerprint));
    sqlx::query!(
        "INSERT INTO idempotency (principal_id, key_sha256, tenant_id, organization_id, request_sha256, status, answer)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (principal_id, key_sha256) DO UPDATE SET tenant_id = excluded.tenant_id,
             organization_id = excluded.organization_id, request_sha256 = excluded.request_sha256,
             status = excluded.status, answer = excluded.answer, created_at = now()",
        principal,
        hash.as_slice(),
        owner.tenant.map(|it| it.uuid()),
        owner.organization.map(|it| it.uuid()),
        request.as_slice(),
        i32::from(status),
        seal(key, body)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A key counts within the tenant or organization that the request is about, as its row shows only there.
fn stored_key(owner: Owner, key: &str) -> [u8; 32] {
    let organization = owner.organization.map(|it| it.to_string()).unwrap_or_default();
    let tenant = owner.tenant.map(|it| it.to_string()).unwrap_or_default();
    sha256(format!("weir.idempotency.key.{organization}.{tenant}.{key}").as_bytes())
}

/// What the key stands for. Bound to the key, which is not kept: a body may hold a password, and its plain hash could
/// be tried against guesses.
fn request_hash(key: &str, fingerprint: &[u8; 32]) -> [u8; 32] {
    sha256(
        [format!("weir.idempotency.request.{key}.").as_bytes(), fingerprint]
            .concat()
            .as_slice(),
    )
}

fn sealing_key(key: &str) -> Result<LessSafeKey> {
    let bytes = sha256(format!("weir.idempotency.seal.{key}").as_bytes());
    UnboundKey::new(&AES_256_GCM, &bytes)
        .map(LessSafeKey::new)
        .map_err(|_| Error::internal("make a sealing key"))
}

fn seal(key: &str, body: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0_u8; NONCE_LEN];
    SystemRandom::new()
        .fill(&mut nonce)
        .map_err(|_| Error::internal("draw random numbers"))?;
    let mut sealed = body.to_vec();
    sealing_key(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .map_err(|_| Error::internal("seal an answer"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(key: &str, stored: Vec<u8>) -> Result<Vec<u8>> {
    let broken = || Error::internal("open a stored answer");
    let (nonce, sealed) = stored.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut sealed = sealed.to_vec();
    let body = sealing_key(key)?
        .open_in_place(nonce, Aad::empty(), &mut sealed)
        .map_err(|_| broken())?;
    Ok(body.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_request_cannot_be_guessed_without_its_key() {
        let fingerprint = sha256(b"POST /v1/members");
        assert_ne!(request_hash("one", &fingerprint), fingerprint);
        assert_ne!(
            request_hash("one", &fingerprint),
            request_hash("other", &fingerprint)
        );
    }

    #[test]
    fn an_answer_opens_under_its_own_key_only() {
        let sealed = seal("one", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|it| it == b"secret"));
        assert_eq!(open("one", sealed.clone()).unwrap(), b"secret");
        assert!(open("other", sealed).is_err());
        assert!(open("one", vec![1, 2]).is_err());
    }
}
