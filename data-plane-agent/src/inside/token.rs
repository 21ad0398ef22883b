//! The token of the endpoint inside: what changes something or shows what records hold is for whoever can read the agent's
//! state folder.

use std::io;
use std::path::Path;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use weir_credentials::{sha256, verify_sha256};

use super::problem::Problem;
use crate::disk;

/// Its file, in the agent's state folder.
const FILE: &str = "inside-token";
const BYTES: usize = 32;
const FILE_BYTES_MAX: u64 = 256;

/// What the token hashes to; it itself is on disk alone.
#[derive(Debug, Clone)]
pub struct Token {
    sha256: [u8; 32],
}

impl Token {
    /// Reads the token of the state folder, or makes it.
    ///
    /// # Errors
    /// As the file system says, and when the file holds something else.
    pub fn open_or_make(state_dir: &Path) -> io::Result<Self> {
        let path = state_dir.join(FILE);
        if let Some(held) = disk::read_bounded(&path, FILE_BYTES_MAX)? {
            let held = held.trim_ascii();
            let whole = URL_SAFE_NO_PAD.decode(held).is_ok_and(|it| it.len() == BYTES);
            return if whole {
                Ok(Self { sha256: sha256(held) })
            } else {
                let damaged = "inside-token does not hold a token: remove it, and another one is made";
                Err(io::Error::new(io::ErrorKind::InvalidData, damaged))
            };
        }
        let mut bytes = [0; BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_unspecified| io::Error::other("the system gave no random numbers"))?;
        let made = URL_SAFE_NO_PAD.encode(bytes);
        disk::write_atomic(&path, format!("{made}\n").as_bytes())?;
        Ok(Self {
            sha256: sha256(made.as_bytes()),
        })
    }

    /// Lets those pass that have it. Takes the same time whatever is wrong with theirs.
    ///
    /// # Errors
    /// That it is missing or wrong, and where the right one is.
    pub fn admits(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let presented = headers
            .get(header::AUTHORIZATION)
            .map_or(&b""[..], |it| it.as_bytes());
        let presented = presented
            .split_first_chunk::<7>()
            .filter(|(scheme, _token)| scheme.eq_ignore_ascii_case(b"Bearer "))
            .map_or(&b""[..], |(_scheme, token)| token.trim_ascii());
        if verify_sha256(&self.sha256, presented) {
            Ok(())
        } else {
            Err(Problem::unauthorized(
                "This needs `Authorization: Bearer` and what the file inside-token in the agent's state folder holds.",
            ))
        }
    }

    /// The same of a page's form.
    ///
    /// # Errors
    /// That it is missing or wrong, and where the right one is.
    pub fn admits_text(&self, presented: &str) -> Result<(), Problem> {
        if verify_sha256(&self.sha256, presented.as_bytes()) {
            Ok(())
        } else {
            Err(Problem::unauthorized(
                "The token is not the right one: it is what the file inside-token in the agent's state folder holds.",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use std::os::unix::fs::PermissionsExt;

    fn asks(token: &Token, header: &str) -> bool {
        let value = HeaderValue::from_str(header).unwrap();
        token
            .admits(&HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
            .is_ok()
    }

    #[test]
    fn it_is_made_once_private_and_nothing_else_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let made = Token::open_or_make(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.trim();
        assert_eq!(URL_SAFE_NO_PAD.decode(text).unwrap().len(), BYTES);
        let again = Token::open_or_make(folder.path()).unwrap();
        for token in [&made, &again] {
            assert!(asks(token, &format!("Bearer {text}")) && asks(token, &format!("bearer  {text}")));
            let wrong = [
                "",
                "Bearer ",
                "Bearer x",
                text,
                &format!("Basic {text}"),
                &format!("Bearer {text}x"),
                &format!("Bearer {}", &text[1..]),
                &format!("Bearer {}", text.to_ascii_uppercase()),
            ];
            for wrong in wrong {
                assert!(!asks(token, wrong), "{wrong}");
            }
            assert!(token.admits(&HeaderMap::new()).is_err());
        }
        assert!(!format!("{made:?}").contains(text));
    }

    #[test]
    fn another_folder_has_another_and_a_damaged_one_is_not_replaced() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let made = |folder: &tempfile::TempDir| Token::open_or_make(folder.path()).unwrap().sha256;
        assert_ne!(made(&one), made(&two));
        std::fs::write(one.path().join(FILE), "short").unwrap();
        assert!(Token::open_or_make(one.path()).is_err());
        std::fs::write(one.path().join(FILE), "").unwrap();
        assert!(Token::open_or_make(one.path()).is_err());
    }
}
