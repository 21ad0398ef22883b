//! The accepted desired state: what it takes to accept a frame, and the copy on disk that outlives the process.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;
use weir_proto::agent::v1::{DesiredFrame, DesiredState, Generation, Refusal, RefusedFrame};
use weir_proto::desired::{BODY_BYTES_MAX, Untrusted, verify};

use crate::disk;

/// A frame that passed the judge, with its decoded body.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Its number.
    pub generation: Generation,
    /// SHA-256 of its body: one generation means one content for ever.
    pub digest: Vec<u8>,
    /// What it wishes.
    pub state: DesiredState,
}

/// What the judge says of an offered frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Newer than what is held: take it.
    Adopt(Box<Held>),
    /// The very frame that is held.
    Keep,
    /// Not to be obeyed; the held one stays.
    Refused(Refusal),
}

/// Decides whether to obey `offered`. The agent moves forward only.
///
/// `key` was pinned at enrolment, `own_id` is the data plane's id in the agent's certificate.
#[must_use]
pub fn judge(
    held: Option<&Held>,
    offered: &DesiredFrame,
    now_unix_seconds: i64,
    key: &[u8],
    own_id: &str,
) -> Verdict {
    let generation = match verify(key, offered) {
        Ok(generation) => generation,
        Err(untrusted) => return Verdict::Refused(refusal(untrusted)),
    };
    let Ok(state) = DesiredState::decode(offered.body.clone()) else {
        return Verdict::Refused(Refusal::Malformed);
    };
    if state.data_plane_id != own_id {
        return Verdict::Refused(Refusal::Foreign);
    }
    if offered.expires_at_unix_seconds < now_unix_seconds {
        return Verdict::Refused(Refusal::Expired);
    }
    if let Some(held) = held {
        match order(&generation).cmp(&order(&held.generation)) {
            std::cmp::Ordering::Less => return Verdict::Refused(Refusal::Stale),
            std::cmp::Ordering::Equal if offered.digest != held.digest => {
                return Verdict::Refused(Refusal::Rewritten);
            }
            std::cmp::Ordering::Equal => return Verdict::Keep,
            std::cmp::Ordering::Greater => {}
        }
    }
    Verdict::Adopt(Box::new(Held {
        generation,
        digest: offered.digest.clone(),
        state,
    }))
}

fn order(generation: &Generation) -> (u64, u64) {
    (generation.epoch, generation.n)
}

fn refusal(untrusted: Untrusted) -> Refusal {
    match untrusted {
        Untrusted::Malformed => Refusal::Malformed,
        Untrusted::Oversized => Refusal::Oversized,
        Untrusted::Digest => Refusal::Digest,
        Untrusted::Signature => Refusal::Signature,
    }
}

/// The accepted frame on disk. Written only through [`Accepted::offer`].
pub struct Accepted {
    path: PathBuf,
    key: Vec<u8>,
    own_id: String,
    held: Mutex<Option<Arc<Held>>>,
}

impl Accepted {
    /// Opens the folder's accepted frame. What is on disk was judged when it arrived: its expiry gates acceptance, not use,
    /// but its signature and owner are checked again.
    ///
    /// # Errors
    /// As the file system says, and when the file does not hold a frame signed by the pinned key.
    pub fn open(folder: &Path, key: Vec<u8>, own_id: String) -> io::Result<Self> {
        disk::private_folder(folder)?;
        let path = folder.join("desired.frame");
        let held = match disk::read_bounded(&path, BODY_BYTES_MAX as u64 + 4096)? {
            None => None,
            Some(bytes) => {
                let frame = DesiredFrame::decode(bytes.as_slice())
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                match judge(None, &frame, i64::MIN, &key, &own_id) {
                    Verdict::Adopt(held) => Some(Arc::new(*held)),
                    Verdict::Keep | Verdict::Refused(_) => {
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "the stored desired state is not signed by the pinned key for this data plane",
                        ));
                    }
                }
            }
        };
        Ok(Self {
            path,
            key,
            own_id,
            held: Mutex::new(held),
        })
    }

    /// The accepted wish, if there is one.
    #[must_use]
    pub fn held(&self) -> Option<Arc<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The accepted generation, (0, 0) when there is none.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.held()
            .map_or(Generation { epoch: 0, n: 0 }, |held| held.generation)
    }

    /// Judges a frame and, if it moves forward, stores it before anybody can see it. Says whether the wish moved.
    ///
    /// # Errors
    /// As the file system says; the held frame then stays.
    pub fn offer(&self, frame: &DesiredFrame, now_unix_seconds: i64) -> io::Result<Offered> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match judge(held.as_deref(), frame, now_unix_seconds, &self.key, &self.own_id) {
            Verdict::Keep => Ok(Offered::Kept),
            Verdict::Refused(refusal) => Ok(Offered::Refused(RefusedFrame {
                offered: frame.generation,
                refusal: refusal.into(),
            })),
            Verdict::Adopt(next) => {
                disk::write_atomic(&self.path, &frame.encode_to_vec())?;
                *held = Some(Arc::new(*next));
                Ok(Offered::Adopted)
            }
        }
    }
}

/// What became of an offered frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Offered {
    /// It is the wish now.
    Adopted,
    /// It was the wish already.
    Kept,
    /// It was refused; this is the report.
    Refused(RefusedFrame),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use weir_proto::agent::v1::BrokerPool;
    use weir_proto::desired::seal;

    const OWN: &str = "data_plane_own";

    fn key() -> Ed25519KeyPair {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
    }

    fn body(owner: &str, pools: usize) -> Vec<u8> {
        let pool = |at: usize| BrokerPool {
            id: format!("pool_{at}"),
            ..Default::default()
        };
        DesiredState {
            data_plane_id: owner.to_owned(),
            broker_pools: (0..pools).map(pool).collect(),
            ..Default::default()
        }
        .encode_to_vec()
    }

    fn frame(key: &Ed25519KeyPair, epoch: u64, n: u64, pools: usize) -> DesiredFrame {
        seal(key, Generation { epoch, n }, 1_000, body(OWN, pools))
    }

    fn held(key: &Ed25519KeyPair, epoch: u64, n: u64, pools: usize) -> Held {
        match judge(
            None,
            &frame(key, epoch, n, pools),
            10,
            key.public_key().as_ref(),
            OWN,
        ) {
            Verdict::Adopt(held) => *held,
            other => panic!("not adopted: {other:?}"),
        }
    }

    #[test]
    fn every_verdict_has_its_reason() {
        let (ours, thief) = (key(), key());
        let public = ours.public_key().as_ref();
        let now = held(&ours, 2, 5, 1);
        let say = |offered: &DesiredFrame, at: i64| judge(Some(&now), offered, at, public, OWN);
        let refused = Verdict::Refused;
        assert!(matches!(say(&frame(&ours, 2, 6, 1), 1_000), Verdict::Adopt(_)));
        assert!(
            matches!(say(&frame(&ours, 3, 1, 1), 10), Verdict::Adopt(_)),
            "an epoch outranks n"
        );
        assert_eq!(say(&frame(&ours, 2, 5, 1), 10), Verdict::Keep);
        assert_eq!(say(&frame(&ours, 2, 4, 1), 10), refused(Refusal::Stale));
        assert_eq!(say(&frame(&ours, 1, 9, 1), 10), refused(Refusal::Stale));
        assert_eq!(say(&frame(&ours, 2, 5, 2), 10), refused(Refusal::Rewritten));
        assert_eq!(say(&frame(&thief, 2, 6, 1), 10), refused(Refusal::Signature));
        assert_eq!(say(&frame(&ours, 2, 6, 1), 1_001), refused(Refusal::Expired));
        let foreign = seal(
            &ours,
            Generation { epoch: 2, n: 6 },
            1_000,
            body("data_plane_other", 1),
        );
        assert_eq!(say(&foreign, 10), refused(Refusal::Foreign));
        let noise = seal(&ours, Generation { epoch: 2, n: 6 }, 1_000, vec![0xFF; 9]);
        assert_eq!(say(&noise, 10), refused(Refusal::Malformed));
        let unnumbered = DesiredFrame {
            generation: None,
            ..frame(&ours, 2, 6, 1)
        };
        assert_eq!(say(&unnumbered, 10), refused(Refusal::Malformed));
        let altered = DesiredFrame {
            body: body(OWN, 9).into(),
            ..frame(&ours, 2, 6, 1)
        };
        assert_eq!(say(&altered, 10), refused(Refusal::Digest));
        let large = seal(
            &ours,
            Generation { epoch: 2, n: 6 },
            1_000,
            vec![0; BODY_BYTES_MAX + 1],
        );
        assert_eq!(say(&large, 10), refused(Refusal::Oversized));
    }

    #[test]
    fn a_refused_frame_changes_nothing_and_an_adopted_one_outlives_the_process() {
        let ours = key();
        let public = ours.public_key().as_ref().to_vec();
        let folder = tempfile::tempdir().unwrap();
        let open = || Accepted::open(folder.path(), public.clone(), OWN.to_owned());
        let accepted = open().unwrap();
        assert_eq!(
            accepted.offer(&frame(&ours, 1, 1, 1), 10).unwrap(),
            Offered::Adopted
        );
        let late = accepted.offer(&frame(&ours, 1, 2, 1), 5_000).unwrap();
        assert!(matches!(late, Offered::Refused(RefusedFrame { refusal, .. })
            if refusal == i32::from(Refusal::Expired)));
        drop(accepted);
        let again = open().unwrap();
        assert_eq!(again.generation(), Generation { epoch: 1, n: 1 });
        assert_eq!(again.held().unwrap().state.broker_pools.len(), 1);
        let thief = key().public_key().as_ref().to_vec();
        assert!(
            Accepted::open(folder.path(), thief, OWN.to_owned()).is_err(),
            "another key owns nothing here"
        );
    }

    proptest! {
        #[test]
        fn the_agent_never_moves_backwards(offers in prop::collection::vec((0_u64..4, 0_u64..4, 0_usize..3, any::<bool>()), 1..40)) {
            let (ours, thief) = (key(), key());
            let mut now: Option<Held> = None;
            for (epoch, n, pools, honest) in offers {
                let offered = frame(if honest { &ours } else { &thief }, epoch, n, pools);
                match judge(now.as_ref(), &offered, 10, ours.public_key().as_ref(), OWN) {
                    Verdict::Adopt(next) => {
                        prop_assert!(honest);
                        if let Some(before) = &now {
                            prop_assert!(order(&next.generation) > order(&before.generation));
                        }
                        now = Some(*next);
                    }
                    Verdict::Keep => prop_assert_eq!(&offered.digest, &now.as_ref().unwrap().digest),
                    Verdict::Refused(_) => {}
                }
            }
        }
    }
}
