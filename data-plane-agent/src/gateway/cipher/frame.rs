//! An encrypted value: what stands in front of it, and what it is bound to.
//!
//! `MAGIC`, the data key's id (8 bytes), a salt (16), a number (4), the ciphertext and its tag (16). Each batch has a key of its
//! own, derived of the data key by the salt (HKDF), and counts its records: no nonce is ever used twice, however much is written.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::Prk;

use super::ring::Ring;

/// No text and no schema's frame begins so. The last byte is the version.
pub const MAGIC: [u8; 5] = [0xC7, b'W', b'S', b'E', 1];
const SALT: usize = 16;
const FRONT: usize = MAGIC.len() + 8 + SALT + 4;
const PURPOSE: &[u8] = b"weir values of records";

/// A salt.
pub type Salt = [u8; SALT];

/// What came of a value.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is not encrypted.
    Clear,
    /// It says this.
    Plain(Vec<u8>),
    /// It cannot be decrypted: its key is gone, or it is not what was written here.
    Shut,
    /// It is under a key that is still to be heard of.
    NotYet,
}

/// The key of one batch, on its way through the records.
pub struct BatchKey {
    id: u64,
    salt: Salt,
    key: LessSafeKey,
    next: u32,
}

impl BatchKey {
    /// Derived of a data key.
    pub fn derive(id: u64, data_key: &Prk, salt: Salt) -> Option<Self> {
        let info = [PURPOSE, &salt];
        let made = data_key.expand(&info, &AES_256_GCM).ok()?;
        let key = LessSafeKey::new(UnboundKey::from(made));
        Some(Self {
            id,
            salt,
            key,
            next: 0,
        })
    }

    /// The value, encrypted; `None`: there is no more room for numbers.
    pub fn seal(&mut self, topic: &str, key: Option<&[u8]>, value: &[u8]) -> Option<Vec<u8>> {
        let number = self.next;
        self.next = number.checked_add(1)?;
        let mut sealed = value.to_vec();
        let bound = Aad::from(bound(topic, self.id, key));
        self.key
            .seal_in_place_append_tag(nonce(number), bound, &mut sealed)
            .ok()?;
        let mut out = Vec::with_capacity(FRONT + sealed.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&number.to_be_bytes());
        out.extend_from_slice(&sealed);
        Some(out)
    }
}

/// What a ciphertext is worth nothing without: another topic's, or another key's record, it is not.
fn bound(topic: &str, id: u64, key: Option<&[u8]>) -> Vec<u8> {
    let mut bound = Vec::with_capacity(topic.len() + 10 + key.map_or(0, <[u8]>::len));
    bound.extend_from_slice(topic.as_bytes());
    bound.push(0);
    bound.extend_from_slice(&id.to_be_bytes());
    bound.push(u8::from(key.is_some()));
    bound.extend_from_slice(key.unwrap_or_default());
    bound
}

fn nonce(number: u32) -> Nonce {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// Decrypts values, one after the other; those of a batch have one key.
#[derive(Default)]
pub struct Opener(Option<BatchKey>);

impl Opener {
    /// What a value of a record with this key says.
    pub fn open(&mut self, ring: &Ring, key: Option<&[u8]>, value: &[u8]) -> Opened {
        if !value.starts_with(&MAGIC) {
            return Opened::Clear;
        }
        let Some((id, salt, number, sealed)) = parts(value) else {
            return Opened::Shut;
        };
        if self.0.as_ref().is_none_or(|it| (it.id, it.salt) != (id, salt)) {
            self.0 = match ring.data_key(id) {
                Some(data_key) => BatchKey::derive(id, data_key, salt),
                None if id > ring.newest() => return Opened::NotYet,
                None => None,
            };
        }
        let Some(batch) = &self.0 else {
            return Opened::Shut;
        };
        let mut sealed = sealed.to_vec();
        let bound = Aad::from(bound(ring.topic(), id, key));
        match batch.key.open_in_place(nonce(number), bound, &mut sealed) {
            Ok(plain) => {
                let bytes = plain.len();
                sealed.truncate(bytes);
                Opened::Plain(sealed)
            }
            Err(_unspecified) => Opened::Shut,
        }
    }
}

fn parts(value: &[u8]) -> Option<(u64, Salt, u32, &[u8])> {
    let rest = value.get(MAGIC.len()..)?;
    let (id, rest) = rest.split_first_chunk::<8>()?;
    let (salt, rest) = rest.split_first_chunk::<SALT>()?;
    let (number, sealed) = rest.split_first_chunk::<4>()?;
    Some((
        u64::from_be_bytes(*id),
        *salt,
        u32::from_be_bytes(*number),
        sealed,
    ))
}
