//! Sealing and opening a question: Ed25519 (RFC 8032) over domain and encoded question.
//!
//! Some questions act (a group is reset or deleted), so they need what a wish needs: the key that signs them. A question is good for one
//! data plane, one session of its agent, once, and not for long.

use prost::Message as _;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use crate::agent::v1::{Ask, SignedAsk};

const DOMAIN: &[u8] = b"weir.ask.v1";

/// The largest question an agent reads, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Why a question is not to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It is larger than [`BODY_BYTES_MAX`].
    #[error("the question is larger than the limit")]
    Oversized,
    /// The signature is not the pinned key's.
    #[error("the signature does not verify against the pinned key")]
    Signature,
    /// It is none.
    #[error("what was signed is no question")]
    Malformed,
    /// It was asked of another data plane, or in another session.
    #[error("the question is for another agent or session")]
    Foreign,
    /// It was taken before.
    #[error("the question was asked before")]
    Repeated,
    /// It came too late.
    #[error("the question has expired")]
    Expired,
}

/// For whom a question is good.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// The agent's data plane.
    pub data_plane_id: &'a str,
    /// What its hello said.
    pub session: u64,
    /// The highest number that was taken in this session.
    pub taken: u64,
}

/// Signs a question.
#[must_use]
pub fn seal(key: &Ed25519KeyPair, ask: &Ask) -> SignedAsk {
    let body = ask.encode_to_vec();
    let signature = key.sign(&signed_bytes(&body)).as_ref().to_vec();
    SignedAsk { body, signature }
}

/// Opens a question: signed, for this addressee, for the first time, in time.
///
/// # Errors
/// [`Untrusted`] names the first check that failed.
pub fn open(
    public_key: &[u8],
    signed: &SignedAsk,
    to: Addressee<'_>,
    now_unix_seconds: i64,
) -> Result<Ask, Untrusted> {
    let SignedAsk { body, signature } = signed;
    if body.len() > BODY_BYTES_MAX {
        return Err(Untrusted::Oversized);
    }
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(&signed_bytes(body), signature)
        .map_err(|_unspecified| Untrusted::Signature)?;
    let ask = Ask::decode(body.as_slice()).map_err(|_error| Untrusted::Malformed)?;
    if ask.data_plane_id != to.data_plane_id || ask.session != to.session {
        return Err(Untrusted::Foreign);
    }
    if ask.ask_id <= to.taken {
        return Err(Untrusted::Repeated);
    }
    if ask.expires_at_unix_seconds < now_unix_seconds {
        return Err(Untrusted::Expired);
    }
    Ok(ask)
}

fn signed_bytes(body: &[u8]) -> Vec<u8> {
    [DOMAIN, body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::KeyPair as _;

    fn key() -> Ed25519KeyPair {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
    }

    #[test]
    fn a_question_is_good_once_for_whom_it_was_asked() {
        let (ours, thief) = (key(), key());
        let public = ours.public_key().as_ref();
        let ask = Ask {
            ask_id: 3,
            data_plane_id: "data_plane_1".to_owned(),
            session: 7,
            expires_at_unix_seconds: 100,
            ..Ask::default()
        };
        let to = Addressee {
            data_plane_id: "data_plane_1",
            session: 7,
            taken: 2,
        };
        let signed = seal(&ours, &ask);
        assert_eq!(open(public, &signed, to, 100), Ok(ask.clone()));
        assert_eq!(open(public, &signed, to, 101), Err(Untrusted::Expired));
        let after = Addressee { taken: 3, ..to };
        assert_eq!(open(public, &signed, after, 100), Err(Untrusted::Repeated));
        let next_session = Addressee { session: 8, ..to };
        assert_eq!(open(public, &signed, next_session, 100), Err(Untrusted::Foreign));
        let elsewhere = Addressee {
            data_plane_id: "data_plane_2",
            ..to
        };
        assert_eq!(open(public, &signed, elsewhere, 100), Err(Untrusted::Foreign));
        assert_eq!(
            open(public, &seal(&thief, &ask), to, 100),
            Err(Untrusted::Signature)
        );
        let other = Ask { ask_id: 9, ..ask };
        let altered = SignedAsk {
            body: other.encode_to_vec(),
            ..signed
        };
        assert_eq!(open(public, &altered, to, 100), Err(Untrusted::Signature));
        let large = SignedAsk {
            body: vec![0; BODY_BYTES_MAX + 1],
            ..SignedAsk::default()
        };
        assert_eq!(open(public, &large, to, 100), Err(Untrusted::Oversized));
    }
}
